//! The console as a browser meets it, without a socket: who may come in, what a form does, what is
//! never lost and what never leaks.

mod browser;
mod cases;
mod desk;
mod guard;
mod sign_in;
