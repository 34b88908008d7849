//! What the engine, the shortcut and the schema promise together.

mod convergence;
mod execution;
mod golden;
mod plan;
mod records;

pub(crate) use plan::seeded;
