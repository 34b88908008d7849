//! The harness of simulations and end-to-end tests.

pub mod disk;
pub mod folders;
pub mod programs;
pub mod raw_store;
pub mod simulation;
pub mod staying;
pub mod ward_day;
