//! The core of Gần Dân: records that are made with no network and reach the ward whole.
//!
//! Read in this order: [`model`] (what people talk about), [`edit`] (the one unit of change),
//! [`document`] (how edits merge), [`policy`] (who may change what), [`protocol`] (one conversation,
//! without a socket), [`store`] (what is durable on a device), [`replica`] (the façade an app uses)
//! and [`client`] (the same conversation over QUIC).

#![forbid(unsafe_code)]

pub mod codec;
pub mod document;
pub mod edit;
pub mod model;
pub mod policy;
pub mod protocol;

#[cfg(feature = "quic")]
pub mod client;
#[cfg(feature = "sqlite")]
pub mod environment;
#[cfg(feature = "sqlite")]
pub mod picture;
#[cfg(feature = "sqlite")]
pub mod recovery;
#[cfg(feature = "sqlite")]
pub mod replica;
#[cfg(feature = "sqlite")]
pub mod rescue;
#[cfg(feature = "sqlite")]
pub mod store;
