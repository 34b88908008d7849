//! The harness of simulations and end-to-end tests.
