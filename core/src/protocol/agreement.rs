//! What a set of edits is, in a few bytes: both sides of a conversation compare what the device holds
//! without naming it. A sum, so that an edit is added or taken away without looking at the others.
//! Knows nothing of who holds what.

use crate::model::EditId;

/// How many edits a set has, and the sum of their ids as 256-bit numbers, modulo 2^256. Ids are hashes of
/// what somebody wrote, so a set that is not the same has another sum, except for one whom it costs a
/// lot and brings nothing: see decision 0013.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct EditSum {
    count: u64,
    /// Lowest first.
    limbs: [u64; 4],
}

impl EditSum {
    /// In bytes: count and sum, both big-endian.
    pub const BYTES: usize = 40;

    /// How many edits; two's complement, because a difference of sets may have fewer than none.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// With one edit more.
    pub fn add(&mut self, edit: EditId) {
        *self = self.plus(Self::of(edit));
    }

    /// Without one edit.
    pub fn remove(&mut self, edit: EditId) {
        *self = self.minus(Self::of(edit));
    }

    /// Of both sets, if they have nothing in common.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.wrapping_add(other.count),
            limbs: limb_by_limb(self.limbs, other.limbs, u64::overflowing_add),
        }
    }

    /// Of what is left without a part of it.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            count: self.count.wrapping_sub(other.count),
            limbs: limb_by_limb(self.limbs, other.limbs, u64::overflowing_sub),
        }
    }

    fn of(edit: EditId) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().rev().zip(edit.0.chunks_exact(8)) {
            let mut number = [0; 8];
            number.copy_from_slice(bytes);
            *limb = u64::from_be_bytes(number);
        }
        Self { count: 1, limbs }
    }

    /// As it is stored and hashed.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers = std::iter::once(self.count).chain(self.limbs.into_iter().rev());
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// What [`EditSum::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut numbers = bytes.chunks_exact(8).map(|place| {
            let mut number = [0; 8];
            number.copy_from_slice(place);
            u64::from_be_bytes(number)
        });
        let count = numbers.next().unwrap_or_default();
        let mut limbs = [0; 4];
        for (limb, number) in limbs.iter_mut().rev().zip(numbers) {
            *limb = number;
        }
        Self { count, limbs }
    }

    /// What goes over the wire.
    #[must_use]
    pub fn digest(self) -> HeldDigest {
        let hash = blake3::derive_key("gandan/1/held", &self.to_bytes());
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash[..16]);
        HeldDigest(digest)
    }
}

impl FromIterator<EditId> for EditSum {
    fn from_iter<T: IntoIterator<Item = EditId>>(edits: T) -> Self {
        let mut sum = Self::default();
        for edit in edits {
            sum.add(edit);
        }
        sum
    }
}

/// Adds or subtracts as on paper, from the lowest limb up, with what is carried or borrowed.
fn limb_by_limb(
    one: [u64; 4],
    other: [u64; 4],
    step: impl Fn(u64, u64) -> (u64, bool),
) -> [u64; 4] {
    let mut carry = false;
    std::array::from_fn(|place| {
        let (limb, first) = step(one[place], other[place]);
        let (limb, second) = step(limb, u64::from(carry));
        carry = first || second;
        limb
    })
}

/// What a device holds: the same on both sides, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct HeldDigest(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> EditId {
        EditId(*blake3::hash(&[number]).as_bytes())
    }

    #[test]
    fn a_sum_knows_neither_order_nor_history() {
        let sum: EditSum = (0..100).map(id).collect();
        let reverse: EditSum = (0..100).rev().map(id).collect();
        assert_eq!(sum, reverse);
        let mut walked = EditSum::default();
        for number in 50..200 {
            walked.add(id(number));
        }
        for number in 100..200 {
            walked.remove(id(number));
        }
        assert_eq!(walked.plus((0..50).map(id).collect()), sum);
        assert_eq!(sum.minus(sum), EditSum::default());
        assert_eq!(sum.count(), 100);
    }

    #[test]
    fn sums_are_numbers_of_256_bits() {
        let one = EditId(std::array::from_fn(|place| u8::from(place == 31)));
        let most = EditId([0xff; 32]);
        let both: EditSum = [one, most].into_iter().collect();
        assert_eq!(both.to_bytes()[..8], 2_u64.to_be_bytes());
        assert_eq!(both.to_bytes()[8..], [0; 32]);
        let mut lacking = EditSum::default();
        lacking.remove(one);
        assert_eq!(lacking.to_bytes(), [0xff; 40]);
    }

    #[test]
    fn a_sum_is_read_as_it_was_written() {
        let sum: EditSum = (0..3).map(id).collect();
        assert_eq!(EditSum::from_bytes(&sum.to_bytes()), sum);
        assert_ne!(sum.digest(), EditSum::default().digest());
    }
}
