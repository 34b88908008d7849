//! The phone core for Kotlin, Swift and Python. Only translates: what a record is, who may change
//! it and when it is safe are the core's to say.
//!
//! Read [`replica`] first: it is what an app opens. [`records`] mirrors the core's plain values for
//! the generator, [`events`] carries news back to the app, [`error`] is the one small enum that an
//! app matches on, [`lock`] is the PIN before the store, [`logging`] hands the core's log to the app.

#![forbid(unsafe_code)]

pub mod error;
pub mod events;
pub mod lock;
pub mod logging;
pub mod records;
pub mod replica;

uniffi::setup_scaffolding!("gandan");
