//! The rescue file: everything unsent, sealed to the ward, for the day a phone will not connect.
//! Anybody may carry it; only the ward's rescue key opens it, and what is in it is as it would have
//! gone over the wire. Owns the file's layout; knows nothing of stores. Normative: `docs/wire.md`.

mod open;
mod seal;
#[cfg(test)]
mod tests;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem as _, Serializable as _};
use thiserror::Error;

pub use open::{Opener, RescueItem};
pub(crate) use seal::Chance;
pub use seal::Sealer;

use crate::codec::Writer;
use crate::model::WardCode;
use crate::protocol::limits::ATTACHMENT_BYTES_MAX;

/// What the file begins with, its layout included.
const MAGIC: &[u8; 16] = b"gandan-rescue\0\0\x01";
/// Where in the magic the layout is.
const LAYOUT_PLACE: usize = MAGIC.len() - 1;
/// Plain bytes in each piece but the last; a piece is checked before anything in it is looked at.
const PIECE_BYTES: usize = 64 * 1024;
/// What sealing adds to a piece.
const TAG_BYTES: usize = 16;
/// Length of an encapsulated key.
const ENCAPSULATED_BYTES: usize = 32;
/// Longest item. An item of a later kind is skipped, if it is not longer either.
const ITEM_BYTES_MAX: usize = ATTACHMENT_BYTES_MAX;

type SealKem = X25519HkdfSha256;
type SealKdf = HkdfSha256;
type SealAead = ChaCha20Poly1305;

mod item_tag {
    pub(super) const END: u8 = 0;
    pub(super) const CREDENTIAL: u8 = 1;
    pub(super) const BUNDLE: u8 = 2;
    pub(super) const ATTACHMENT: u8 = 3;
}

/// Whether a piece is the last, said where it cannot be changed: a file cut between two pieces is
/// known to be cut.
mod piece {
    pub(super) const MORE: &[u8] = &[0];
    pub(super) const LAST: &[u8] = &[1];
}

/// The ward's rescue key is of no use: it was damaged at enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "Khóa cứu hộ của phường không dùng được: hãy đưa máy đến văn phòng đăng ký lại, dữ liệu vẫn còn (the ward's rescue key is damaged; enrol this phone again at the office, its records stay)"
)]
pub struct BadRescueKey;

/// Why a rescue file is not, or not wholly, opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenRescueError {
    /// It does not begin as one.
    #[error(
        "Đây không phải tệp cứu hộ: hãy chọn tệp do điện thoại ghi ra (this is not a rescue file; choose the file that the phone wrote)"
    )]
    NotARescueFile,
    /// A newer app wrote it.
    #[error(
        "Tệp cứu hộ do ứng dụng mới hơn ghi: hãy cập nhật máy chủ rồi nhập lại (a newer app wrote this rescue file; update the server, then import it again)"
    )]
    Newer,
    /// The phone belongs to another ward.
    #[error(
        "Tệp cứu hộ này của phường {0}: hãy chuyển cho phường đó (this rescue file is of ward {0}; give it to that ward)"
    )]
    OtherWard(WardCode),
    /// The key does not open it, or bytes were changed.
    #[error(
        "Không mở được tệp cứu hộ: tệp bị hỏng, hoặc được ghi trước khi máy chủ được lập lại; hãy chép lại từ điện thoại (this rescue file does not open: it is damaged, or was sealed before the ward was set up anew; copy it from the phone once more)"
    )]
    Sealed,
    /// It ends too early, or says what no phone writes. What came before is good.
    #[error(
        "Tệp cứu hộ bị hỏng hoặc thiếu: phần đã đọc được vẫn an toàn, hãy chép lại từ điện thoại (this rescue file is damaged or not complete; copy it from the phone once more, what was read of it is safe)"
    )]
    Damaged,
}

/// The public key of a rescue seed, for [`crate::protocol::credential::Enrolment::rescue_key`].
#[must_use]
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    let (_, public) = SealKem::derive_keypair(seed);
    public.to_bytes().into()
}

/// Binds the file to its purpose and its ward.
fn context(ward: WardCode) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.fixed(b"gandan/1/rescue\0").fixed(ward.as_bytes());
    writer.finish()
}
