//! The recovery key of a ward: printed once, when the ward is made, and kept on paper. Backups are sealed
//! to it piece by piece, and nothing else opens them. Owns the key's written form and the sealing; knows
//! no file and no store. Normative: `docs/store.md`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, setup_receiver,
    setup_sender_with_rng,
};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::codec::Writer;
use crate::model::WardCode;
use crate::rescue::Chance;

type Kem = X25519HkdfSha256;
type Kdf = HkdfSha256;
type Aead = ChaCha20Poly1305;

/// What sealing adds to a piece.
pub const TAG_BYTES: usize = 16;
/// Length of an encapsulated key.
pub const ENCAPSULATED_BYTES: usize = 32;

/// How a written key begins.
const SCHEME: &str = "GDKP";
/// Letters that are written together.
const GROUP: usize = 4;
const SEED_BYTES: usize = 32;
const SIGNER_BYTES: usize = 5;
const CHECK_BYTES: usize = 3;
const WRITTEN_BYTES: usize = SEED_BYTES + SIGNER_BYTES + CHECK_BYTES;
/// Five bits a letter.
const WRITTEN_LETTERS: usize = WRITTEN_BYTES * 8 / 5;

const CHANCE_CONTEXT: &str = "gandan 2026-11 backup ephemeral key";

/// Whether a piece is the last, said where it cannot be changed.
const MORE: &[u8] = &[0];
const LAST: &[u8] = &[1];

/// The key on paper: what opens, and by whom what is opened must be signed.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryKey {
    seed: Zeroizing<[u8; SEED_BYTES]>,
    signer: [u8; SIGNER_BYTES],
}

/// Why a typed key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "Khóa khôi phục chưa đúng: khóa bắt đầu bằng GDKP và có 64 chữ, số; xem lại bản đã in khi tạo phường (this is not a recovery key; it begins with GDKP and has 64 letters and digits, see the paper that was printed at init)"
)]
pub struct ParseRecoveryKeyError;

/// A key that is no point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("khóa công khai dùng để sao lưu bị hỏng (the public key for backups is damaged)")]
pub struct BadPublicKey;

impl RecoveryKey {
    /// A key of random `seed`, for backups that `signer` (Ed25519) signs.
    #[must_use]
    pub fn new(seed: [u8; 32], signer: &[u8; 32]) -> Self {
        Self {
            seed: Zeroizing::new(seed),
            signer: short(signer),
        }
    }

    /// To which backups are sealed; all that the ward keeps of the key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let (_, public) = Kem::derive_keypair(&*self.seed);
        public.to_bytes().into()
    }

    /// Whether it was printed for the ward whose backups `signer` signs.
    #[must_use]
    pub fn is_of(&self, signer: &[u8; 32]) -> bool {
        self.signer == short(signer)
    }
}

fn short(signer: &[u8; 32]) -> [u8; SIGNER_BYTES] {
    let hash = blake3::derive_key("gandan 2026-11 backup signer", signer);
    let mut short = [0; SIGNER_BYTES];
    short.copy_from_slice(&hash[..SIGNER_BYTES]);
    short
}

fn check(content: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = blake3::derive_key("gandan 2026-11 recovery key check", content);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hash[..CHECK_BYTES]);
    check
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RecoveryKey(…)")
    }
}

/// As it is printed: groups of four, easy to read out and to type.
impl fmt::Display for RecoveryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Zeroizing::new(Vec::with_capacity(WRITTEN_BYTES));
        bytes.extend_from_slice(&*self.seed);
        bytes.extend_from_slice(&self.signer);
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        let letters = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
        formatter.write_str(SCHEME)?;
        for (place, letter) in letters.chars().enumerate() {
            if place % GROUP == 0 {
                formatter.write_char('-')?;
            }
            formatter.write_char(letter)?;
        }
        Ok(())
    }
}

/// As it is typed: any case, with or without hyphens and spaces, with whatever stands before and after it;
/// digits that look like letters are taken for them.
impl FromStr for RecoveryKey {
    type Err = ParseRecoveryKeyError;

    fn from_str(typed: &str) -> Result<Self, ParseRecoveryKeyError> {
        let letters: Zeroizing<String> = Zeroizing::new(
            typed
                .chars()
                .filter(|letter| letter.is_ascii_alphanumeric())
                .map(|letter| match letter.to_ascii_uppercase() {
                    '0' => 'O',
                    '1' => 'I',
                    '8' => 'B',
                    other => other,
                })
                .collect(),
        );
        let begins = letters.find(SCHEME).ok_or(ParseRecoveryKeyError)? + SCHEME.len();
        let letters = letters
            .get(begins..begins + WRITTEN_LETTERS)
            .ok_or(ParseRecoveryKeyError)?;
        let bytes = Zeroizing::new(
            BASE32_NOPAD
                .decode(letters.as_bytes())
                .map_err(|_| ParseRecoveryKeyError)?,
        );
        let bytes: &[u8; WRITTEN_BYTES] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| ParseRecoveryKeyError)?;
        let (content, written_check) = bytes.split_at(SEED_BYTES + SIGNER_BYTES);
        if check(content) != written_check {
            return Err(ParseRecoveryKeyError);
        }
        let mut key = Self {
            seed: Zeroizing::new([0; SEED_BYTES]),
            signer: [0; SIGNER_BYTES],
        };
        key.seed.copy_from_slice(&content[..SEED_BYTES]);
        key.signer.copy_from_slice(&content[SEED_BYTES..]);
        Ok(key)
    }
}

/// Binds what is sealed to its purpose and its ward.
fn context(ward: WardCode) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.fixed(b"gandan/1/backup\0").fixed(ward.as_bytes());
    writer.finish()
}

/// Seals pieces to a recovery key, in order.
pub struct PieceSealer(AeadCtxS<Aead, Kdf, Kem>);

impl PieceSealer {
    /// Begins; gives the encapsulated key, which goes before the pieces. `random` must be unpredictable
    /// and is used up.
    ///
    /// # Errors
    /// [`BadPublicKey`].
    pub fn new(
        public: &[u8; 32],
        ward: WardCode,
        mut random: [u8; 32],
    ) -> Result<(Self, [u8; ENCAPSULATED_BYTES]), BadPublicKey> {
        type PublicKey = <Kem as hpke::Kem>::PublicKey;
        let public = PublicKey::from_bytes(public).map_err(|_| BadPublicKey)?;
        let mut chance = Chance::new(CHANCE_CONTEXT, random);
        random.zeroize();
        let (encapsulated, sealer) = setup_sender_with_rng::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &public,
            &context(ward),
            &mut chance,
        )
        .map_err(|_| BadPublicKey)?;
        Ok((Self(sealer), encapsulated.to_bytes().into()))
    }

    /// Seals the next piece.
    ///
    /// # Panics
    /// After 2⁶⁴ pieces.
    pub fn seal(&mut self, plain: &[u8], is_last: bool) -> Vec<u8> {
        self.0
            .seal(plain, if is_last { LAST } else { MORE })
            .expect("there are far fewer pieces than a key may seal")
    }
}

/// Opens what a [`PieceSealer`] sealed, in the same order.
pub struct PieceOpener(AeadCtxR<Aead, Kdf, Kem>);

impl PieceOpener {
    /// Begins; `None` if the encapsulated key is none.
    #[must_use]
    pub fn new(
        key: &RecoveryKey,
        ward: WardCode,
        encapsulated: &[u8; ENCAPSULATED_BYTES],
    ) -> Option<Self> {
        type Encapsulated = <Kem as hpke::Kem>::EncappedKey;
        let encapsulated = Encapsulated::from_bytes(encapsulated).ok()?;
        let (secret, _) = Kem::derive_keypair(&*key.seed);
        setup_receiver(&OpModeR::Base, &secret, &encapsulated, &context(ward))
            .ok()
            .map(Self)
    }

    /// Opens the next piece; `None` if it is not what was sealed as the next.
    pub fn open(&mut self, sealed: &[u8], is_last: bool) -> Option<Zeroizing<Vec<u8>>> {
        let position = if is_last { LAST } else { MORE };
        self.0.open(sealed, position).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RecoveryKey {
        RecoveryKey::new([7; 32], &[9; 32])
    }

    fn ward() -> WardCode {
        "26995".parse().unwrap()
    }

    #[test]
    fn a_key_is_read_however_it_was_typed_and_a_slip_is_noticed() {
        let written = key().to_string();
        assert_eq!(written.len(), 4 + 16 * 5);
        for typed in [
            written.clone(),
            written.to_lowercase(),
            written.replace('-', ""),
            written.replace('-', " \n"),
            written
                .replace('O', "0")
                .replace('I', "1")
                .replace('B', "8"),
        ] {
            assert_eq!(typed.parse::<RecoveryKey>(), Ok(key()), "{typed}");
        }
        for place in 5..written.len() {
            let mut letters: Vec<char> = written.chars().collect();
            if letters[place] == '-' {
                continue;
            }
            letters[place] = if letters[place] == 'Q' { 'R' } else { 'Q' };
            let slipped: String = letters.into_iter().collect();
            assert_eq!(
                slipped.parse::<RecoveryKey>(),
                Err(ParseRecoveryKeyError),
                "{slipped}"
            );
        }
        for wrong in ["", "GDKP", &written[1..], &written[..80]] {
            assert!(wrong.parse::<RecoveryKey>().is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", key()), "RecoveryKey(…)");
    }

    #[test]
    fn only_the_key_opens_and_only_in_order_up_to_the_end() {
        let (mut sealer, encapsulated) =
            PieceSealer::new(&key().public(), ward(), [3; 32]).unwrap();
        let first = sealer.seal(b"first", false);
        let last = sealer.seal(b"last", true);
        let open = |key: &RecoveryKey| PieceOpener::new(key, ward(), &encapsulated).unwrap();
        let mut opener = open(&key());
        assert_eq!(opener.open(&first, false).unwrap().as_slice(), b"first");
        assert_eq!(opener.open(&last, true).unwrap().as_slice(), b"last");
        assert!(open(&key()).open(&last, true).is_none(), "out of order");
        assert!(open(&key()).open(&first, true).is_none(), "cut short");
        let other = RecoveryKey::new([8; 32], &[9; 32]);
        assert!(open(&other).open(&first, false).is_none(), "another key");
        let elsewhere = "26998".parse().unwrap();
        let mut elsewhere = PieceOpener::new(&key(), elsewhere, &encapsulated).unwrap();
        assert!(elsewhere.open(&first, false).is_none(), "another ward");
    }
}
