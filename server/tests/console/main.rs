//! The console as a browser meets it, without a socket: who may come in, what a form does, what is
//! never lost and what never leaks.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps fails with a line number, helpers of tests too"
)]

mod browser;
mod cases;
mod desk;
mod devices;
mod doors;
mod guard;
mod quarantine;
mod requests;
mod sign_in;
mod trail;
