//! The harness of simulations and end-to-end tests.

pub mod simulation;
