//! Places for connections whose device the ward has not greeted yet. A stranger costs a place for
//! seconds; when all are taken it is the oldest that goes, of the address that holds most of them.
//! Somebody who only holds places pushes out nobody but himself.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Strangers at once.
pub(super) const STRANGERS_MAX: usize = 256;
/// Of them from one address. Generous, because a mobile network puts a whole ward behind one address; each
/// of its phones is a stranger for two round trips only.
pub(super) const STRANGERS_PER_SOURCE_MAX: usize = 192;

/// All places.
#[derive(Clone, Default)]
pub(super) struct Strangers {
    places: Arc<Mutex<VecDeque<Taken>>>,
}

struct Taken {
    source: Source,
    gone: Arc<Notify>,
}

/// One place; free again when it is dropped.
pub(super) struct Place {
    strangers: Strangers,
    gone: Arc<Notify>,
}

/// Who answers for an address: all of IPv4's, and of IPv6's the half that names the network, because the
/// other half is the machine's to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

impl Strangers {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Takes a place; if there is none free, the oldest of whichever source has most.
    pub(super) fn enter(&self, source: Source) -> Place {
        let gone = Arc::new(Notify::new());
        let mut places = self.lock();
        if let Some(crowded) = crowded(&places, source)
            && let Some(oldest) = places.iter().position(|taken| taken.source == crowded)
            && let Some(oldest) = places.remove(oldest)
        {
            oldest.gone.notify_one();
        }
        places.push_back(Taken {
            source,
            gone: Arc::clone(&gone),
        });
        drop(places);
        Place {
            strangers: self.clone(),
            gone,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Taken>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of which source one must go before another of `source` comes.
fn crowded(places: &VecDeque<Taken>, source: Source) -> Option<Source> {
    let own = places.iter().filter(|taken| taken.source == source).count();
    if own >= STRANGERS_PER_SOURCE_MAX {
        return Some(source);
    }
    if places.len() < STRANGERS_MAX {
        return None;
    }
    let mut held: HashMap<Source, usize> = HashMap::new();
    for taken in places {
        *held.entry(taken.source).or_default() += 1;
    }
    let most = held.values().copied().max().unwrap_or_default();
    // Of several with as many, the one that has waited longest.
    let crowded = places.iter().find(|taken| held[&taken.source] == most);
    crowded.map(|taken| taken.source)
}

impl Place {
    /// Done when another stranger has taken the place.
    pub(super) async fn lost(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers
            .lock()
            .retain(|taken| !Arc::ptr_eq(&taken.gone, &self.gone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> Source {
        IpAddr::from([192, 0, 2, last]).into()
    }

    fn is_lost(place: &Place) -> bool {
        let waiting = std::pin::pin!(place.lost());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        waiting.poll(&mut context).is_ready()
    }

    #[test]
    fn the_oldest_stranger_goes_and_a_place_that_was_left_is_free() {
        let strangers = Strangers::default();
        let each = |number: usize| strangers.enter(source(u8::try_from(number).unwrap()));
        let mut places: VecDeque<_> = (0..STRANGERS_MAX).map(each).collect();
        drop(places.pop_back());
        assert_eq!(strangers.count(), STRANGERS_MAX - 1);
        places.push_back(each(STRANGERS_MAX - 1));
        let newest = strangers.enter(IpAddr::from([192, 0, 3, 1]).into());
        assert_eq!(strangers.count(), STRANGERS_MAX);
        assert!(places.pop_front().is_some_and(|oldest| is_lost(&oldest)));
        drop(places);
        assert_eq!(strangers.count(), 1, "whoever lost a place frees no other");
        drop(newest);
        assert_eq!(strangers.count(), 0);
    }

    #[test]
    fn whoever_takes_all_places_loses_his_own() {
        let strangers = Strangers::default();
        let honest = strangers.enter(source(1));
        let flood: Vec<_> = (0..3 * STRANGERS_MAX)
            .map(|_| strangers.enter(source(2)))
            .collect();
        assert_eq!(strangers.count(), STRANGERS_PER_SOURCE_MAX + 1);
        // A second flood finds the rest of the places, then the first flood's.
        let second: Vec<_> = (0..STRANGERS_PER_SOURCE_MAX / 2)
            .map(|_| strangers.enter(source(3)))
            .collect();
        assert_eq!(strangers.count(), STRANGERS_MAX);
        assert!(!is_lost(&honest));
        assert!(!is_lost(&second[0]));
        assert!(flood.iter().any(|place| !is_lost(place)));
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let of = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
