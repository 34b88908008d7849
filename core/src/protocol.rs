//! One conversation between a device and its ward, as state machines that never touch a socket, a
//! clock, a thread or a store. Bytes and storage answers go in, bytes and storage commands come out.

pub mod agreement;
pub mod bundle;
pub mod checkpoint;
pub mod compression;
pub mod credential;
pub mod directory;
pub mod enrolment;
pub mod feed;
pub mod file_tree;
pub mod frame;
pub mod hand_over;
pub mod initiator;
pub mod invite;
pub mod limits;
pub mod message;
mod outbound;
pub mod packing;
pub mod reconciliation;
pub mod responder;
pub mod signature;
pub mod verdict;
pub mod violation;
pub mod witness;

#[cfg(test)]
mod conversation_tests;

/// ALPN of a sync conversation; the number is the protocol's major version.
pub const ALPN_SYNC: &[u8] = b"gandan/1";
/// ALPN of an enrolment.
pub const ALPN_ENROLMENT: &[u8] = b"gandan-enrol/1";
/// ALPN of the handing over of what a revoked device has unsent.
pub const ALPN_HAND_OVER: &[u8] = b"gandan-hand-over/1";
/// Every ALPN, in the order in which a ward takes them.
pub const ALPNS: [&[u8]; 3] = [ALPN_SYNC, ALPN_ENROLMENT, ALPN_HAND_OVER];
