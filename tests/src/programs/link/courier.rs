//! Carries datagrams that are under way on a bad link and hands each over when it is due. Owns the
//! one clock of a link; what is lost and how long the rest takes is the lane's to say.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::lane::{Badness, Lane};
use crate::simulation::world::Dice;

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// A bad link's two lanes and what is on them.
#[derive(Debug)]
pub(super) struct Courier {
    begin: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    lanes: [Lane; 2],
    under_way: BinaryHeap<Reverse<Parcel>>,
    count: u64,
    is_over: bool,
}

/// Ordered by when it is due, then by when it came.
#[derive(Debug)]
struct Parcel {
    due: (u64, u64),
    datagram: Vec<u8>,
    socket: Arc<UdpSocket>,
    to: SocketAddr,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl Courier {
    #[expect(
        clippy::disallowed_methods,
        reason = "a link between processes runs in their time"
    )]
    pub(super) fn new(badness: Badness, seed: u64) -> Self {
        let lane = |purpose| Lane::new(badness, Dice::new(seed, purpose));
        Self {
            begin: Instant::now(),
            state: Mutex::new(State {
                lanes: [lane(1), lane(2)],
                under_way: BinaryHeap::new(),
                count: 0,
                is_over: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Takes a datagram; the lane may lose it.
    pub(super) fn take(
        &self,
        direction: Direction,
        datagram: &[u8],
        socket: &Arc<UdpSocket>,
        to: SocketAddr,
    ) {
        let now_us = self.now_us();
        let mut state = self.state.lock().expect("no thread panics with it");
        let Some(due_us) = state.lanes[direction as usize].pass(now_us, datagram.len()) else {
            return;
        };
        state.count += 1;
        let parcel = Parcel {
            due: (due_us, state.count),
            datagram: datagram.to_owned(),
            socket: Arc::clone(socket),
            to,
        };
        state.under_way.push(Reverse(parcel));
        drop(state);
        self.changed.notify_one();
    }

    /// Hands over what is due until [`Courier::end`].
    pub(super) fn run(&self) {
        let mut state = self.state.lock().expect("no thread panics with it");
        while !state.is_over {
            let now_us = self.now_us();
            let wait_us = match state.under_way.peek() {
                None => u64::MAX,
                Some(Reverse(next)) => next.due.0.saturating_sub(now_us),
            };
            if wait_us == 0
                && let Some(Reverse(parcel)) = state.under_way.pop()
            {
                drop(state);
                // Nobody there: lost, as on any network.
                let _ = parcel.socket.send_to(&parcel.datagram, parcel.to);
                state = self.state.lock().expect("no thread panics with it");
                continue;
            }
            let patience = Duration::from_micros(wait_us.min(1_000_000));
            let waited = self.changed.wait_timeout(state, patience);
            state = waited.expect("no thread panics with it").0;
        }
    }

    pub(super) fn end(&self) {
        self.state.lock().expect("no thread panics with it").is_over = true;
        self.changed.notify_one();
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).expect("nobody waits that long")
    }
}
