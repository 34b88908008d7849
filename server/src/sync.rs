//! Phones over QUIC: the listener, one task per connection, and the one writer that groups what
//! they ask into transactions. Owns sockets, limits and patience; what a device may do is the
//! ward's to say, in what order things are said is the protocol's.

mod arrivals;
mod carrier;
mod connection;
mod devices;
mod hand_over;
mod listener;
mod staying;
mod strangers;
mod writer;

#[cfg(test)]
mod tests;

pub use listener::Listener;
