//! The ward's side: admission of edits into one append-only feed, and the triage console.
//!
//! [`ward`] is the store and everything that changes it; [`sync`] brings phones to it over QUIC;
//! [`app`] holds what staff do, without HTTP; [`console`] shows it to them; [`subject_access`] is what a
//! person is given of it; [`demo`] plays a day;
//! [`cli`] and [`commands`] are the program.

#![forbid(unsafe_code)]

pub mod app;
pub mod backup;
pub mod cli;
pub mod commands;
pub mod config;
pub mod console;
pub mod demo;
pub mod register;
mod rounds;
pub mod serving;
pub mod subject_access;
pub mod sync;
pub mod telemetry;
pub mod ward;
