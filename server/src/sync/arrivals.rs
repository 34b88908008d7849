//! How often somebody knocks, by address and in all. Decides who is asked to show an address first, and
//! who is sent away; holds no connection. What it remembers is bounded and forgotten after seconds.

use std::collections::HashMap;

use gandan_core::model::Timestamp;

use super::strangers::Source;

/// After so long all is counted anew.
const WINDOW_MS: i64 = 10_000;
/// From this many strangers on, a new one must first show that its address is its own. A ward's
/// phones come in dozens at the end of a working day; more than that at once is a flood.
const STRANGERS_BEFORE_RETRY: usize = 64;
/// From this many within a window on, the same. A whole ward behind one address of a mobile network is
/// asked then too: it costs each phone one exchange.
const BEFORE_RETRY_PER_SOURCE: u32 = 256;
/// The same for all addresses together.
const BEFORE_RETRY: u32 = 1_024;
/// From this many handshakes of one address that showed it within a window on, no other is begun: 820 a
/// second, some 0.3 ms each. All phones of a ward could come 27 times.
pub(super) const HANDSHAKES_PER_SOURCE_MAX: u32 = 8_192;
/// Addresses that are counted; 4,096 cost some 200 KiB. Whoever comes after them is asked to show his.
const SOURCES_MAX: usize = 4_096;

/// Whether a packet of a new connection showed that its address is its own. An address that was only
/// claimed must not bring its owner into disrepute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    Claimed,
    Shown,
}

/// What is done with somebody who knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reception {
    Welcome,
    /// May come again and show the address.
    ShowAddress,
    /// May come again later.
    Refused,
}

/// The counts of one window.
pub(super) struct Arrivals {
    since: Timestamp,
    all: u32,
    sources: HashMap<Source, Count>,
}

#[derive(Default)]
struct Count {
    knocks: u32,
    handshakes: u32,
}

impl Arrivals {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            all: 0,
            sources: HashMap::new(),
        }
    }

    /// Counts somebody from `source`, while there are `strangers` already.
    pub(super) fn receive(
        &mut self,
        now: Timestamp,
        source: Source,
        address: Address,
        strangers: usize,
    ) -> Reception {
        // A clock that was set back begins anew too.
        if !(0..WINDOW_MS).contains(&(now.0.saturating_sub(self.since.0))) {
            *self = Self::new(now);
        }
        self.all = self.all.saturating_add(1);
        let is_full = self.sources.len() >= SOURCES_MAX && !self.sources.contains_key(&source);
        if is_full {
            return match address {
                Address::Claimed => Reception::ShowAddress,
                // Thousands who are where they say they are: places among the strangers bound what they cost.
                Address::Shown => Reception::Welcome,
            };
        }
        let count = self.sources.entry(source).or_default();
        count.knocks = count.knocks.saturating_add(1);
        match address {
            Address::Claimed
                if strangers >= STRANGERS_BEFORE_RETRY
                    || count.knocks > BEFORE_RETRY_PER_SOURCE
                    || self.all > BEFORE_RETRY =>
            {
                Reception::ShowAddress
            }
            Address::Claimed => Reception::Welcome,
            Address::Shown => {
                count.handshakes = count.handshakes.saturating_add(1);
                if count.handshakes > HANDSHAKES_PER_SOURCE_MAX {
                    Reception::Refused
                } else {
                    Reception::Welcome
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn source(number: u32) -> Source {
        IpAddr::from(number.to_be_bytes()).into()
    }

    #[test]
    fn many_at_once_and_many_of_one_address_show_it_first() {
        let now = Timestamp(1_000);
        let mut arrivals = Arrivals::new(now);
        let mut claim =
            |number, strangers| arrivals.receive(now, source(number), Address::Claimed, strangers);
        assert_eq!(claim(1, STRANGERS_BEFORE_RETRY - 1), Reception::Welcome);
        assert_eq!(claim(1, STRANGERS_BEFORE_RETRY), Reception::ShowAddress);
        for _ in 2..BEFORE_RETRY_PER_SOURCE {
            assert_eq!(claim(1, 0), Reception::Welcome);
        }
        assert_eq!(claim(1, 0), Reception::ShowAddress);
        assert_eq!(claim(2, 0), Reception::Welcome, "others are not meant");
    }

    #[test]
    fn a_flood_of_invented_addresses_is_asked_to_show_them_and_is_forgotten() {
        let now = Timestamp(1_000);
        let mut arrivals = Arrivals::new(now);
        let mut welcome = 0;
        for number in 0..100_000 {
            let reception = arrivals.receive(now, source(number), Address::Claimed, 0);
            assert_ne!(reception, Reception::Refused);
            welcome += u32::from(reception == Reception::Welcome);
        }
        assert_eq!(welcome, BEFORE_RETRY);
        assert!(arrivals.sources.len() <= SOURCES_MAX);
        let shown = arrivals.receive(now, source(u32::MAX), Address::Shown, 0);
        assert_eq!(shown, Reception::Welcome, "whoever shows it comes in");
        let later = Timestamp(now.0 + WINDOW_MS);
        let claimed = arrivals.receive(later, source(1), Address::Claimed, 0);
        assert_eq!(claimed, Reception::Welcome);
        assert_eq!(arrivals.sources.len(), 1);
    }

    #[test]
    fn only_who_showed_an_address_can_use_up_what_it_may() {
        let now = Timestamp(1_000);
        let mut arrivals = Arrivals::new(now);
        for _ in 0..2 * HANDSHAKES_PER_SOURCE_MAX {
            let _ = arrivals.receive(now, source(1), Address::Claimed, 0);
        }
        for _ in 0..HANDSHAKES_PER_SOURCE_MAX {
            let shown = arrivals.receive(now, source(1), Address::Shown, 200);
            assert_eq!(shown, Reception::Welcome);
        }
        let shown = arrivals.receive(now, source(1), Address::Shown, 0);
        assert_eq!(shown, Reception::Refused);
        let other = arrivals.receive(now, source(2), Address::Shown, 0);
        assert_eq!(other, Reception::Welcome);
    }
}
