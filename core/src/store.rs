//! What is durable on a device: one SQLCipher file with edits (truth), rows (for lists and search)
//! and the outbox, always written in one transaction. The rows' schema and queries serve the ward's
//! file too.

pub mod attachments;
pub mod connection;
pub mod device;
pub(crate) mod durable;
pub mod lock;
pub mod rows;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use rusqlite::ErrorCode;
use thiserror::Error;
use zeroize::Zeroizing;

/// The 256-bit raw key of a store, from the phone's keystore or the server's key file.
#[derive(Clone, zeroize::ZeroizeOnDrop)]
pub struct StoreKey(pub(crate) [u8; 32]);

impl StoreKey {
    /// The key as 64 hexadecimal digits, for where it is kept.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&self.0))
    }

    /// Takes the raw key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        // The length first: the decoder panics if the output does not fit the input.
        if digits.len() != 2 * key.len() {
            return None;
        }
        HEXLOWER_PERMISSIVE
            .decode_mut(digits.as_bytes(), key.as_mut_slice())
            .ok()?;
        Some(Self(*key))
    }
}

/// Why a store cannot be opened. The file is never recreated or deleted.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The key is wrong, or the first page is damaged beyond telling.
    #[error(
        "Khoá không mở được kho này; chưa có gì bị thay đổi, hãy dùng đúng khoá đã tạo kho (the key does not open this store; nothing was changed, use the key with which it was made)"
    )]
    WrongKey,
    /// A newer app wrote it.
    #[error(
        "Kho do ứng dụng mới hơn ghi: hãy cập nhật ứng dụng; chưa có gì bị thay đổi (a newer version of the app wrote this store, schema {found}, this app knows {known}; update the app, nothing was changed)"
    )]
    Newer {
        /// Version of the file.
        found: u32,
        /// Newest version that this build knows.
        known: u32,
    },
    /// The file is damaged; it was renamed and a new one was begun at the next opening.
    #[error(
        "Kho bị hỏng và đã được cất riêng thành {set_aside}: hãy giữ tệp đó cùng các tệp có tên bắt đầu như nó, đưa cho văn phòng, rồi mở lại (the store was damaged and set aside as {set_aside}; keep it and the files whose names begin like it, give them to the office, then open again)"
    )]
    Damaged {
        /// Name of the file it was renamed to.
        set_aside: String,
    },
    /// The ward had it wiped.
    #[error(
        "Dữ liệu trên máy đã được xóa theo lệnh của phường: hãy giao máy cho văn phòng; muốn dùng lại thì chọn thư mục mới và xin thư mời mới (this store was wiped on the ward's order; give the phone to the office, or choose a new folder and ask for a new invite)"
    )]
    Wiped,
    /// The file belongs to another program.
    #[error(
        "Tệp này không phải kho của chương trình: hãy chọn thư mục khác; chưa có gì bị thay đổi (this file is no store of this program; choose another folder, nothing was changed)"
    )]
    Foreign,
    /// No space left to open it. What was recorded before is safe.
    #[error(
        "Hết chỗ trống để mở kho: hãy giải phóng bộ nhớ; dữ liệu đã ghi vẫn an toàn (there is no space left to open the store; free some, what was recorded before is safe)"
    )]
    Full,
    /// Another process has it open for writing.
    #[error(
        "Chương trình khác đang mở kho này: hãy đóng nó rồi thử lại (another program has this store open; close it and try again)"
    )]
    Busy,
    /// The directory or the file cannot be read or written.
    #[error(
        "Không dùng được thư mục của kho: hãy kiểm tra thư mục và quyền ghi (the store's folder cannot be used; check that it exists and may be written: {0})"
    )]
    Unusable(#[source] std::io::Error),
    /// SQLite says something else.
    #[error(
        "Không mở được kho: hãy báo văn phòng (the store cannot be opened; tell the office: {0})"
    )]
    Database(#[source] rusqlite::Error),
}

/// Why a store could not do what it was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No space left. What was recorded before is safe.
    #[error(
        "Máy hết chỗ trống: hãy giải phóng bộ nhớ; dữ liệu đã ghi vẫn an toàn (the phone has no space left; free some, what was recorded before is safe)"
    )]
    Full,
    /// The device has not met its ward for too long: it shows nothing until it does.
    #[error(
        "Máy đã {days} ngày chưa gặp máy chủ của phường nên tạm khoá phần xem; vẫn ghi được, không mất gì: hãy đồng bộ để mở lại (this phone has not met its ward for {days} days and shows nothing until it does; recording works and nothing is lost: synchronise)"
    )]
    OutOfTouch {
        /// Whole days.
        days: u32,
    },
    /// Another connection writes for too long.
    #[error("Kho đang bận: hãy thử lại (the store is busy; try again)")]
    Busy,
    /// A page cannot be read or does not make sense.
    #[error(
        "Kho bị hỏng: hãy đóng rồi mở lại ứng dụng; phần còn đọc được sẽ được ghi ra tệp cứu hộ để đưa cho văn phòng (the store is damaged; close the app and open it again: what can be read goes into a rescue file for the office)"
    )]
    Damaged(#[source] rusqlite::Error),
    /// Any other word of SQLite: a bug of ours.
    #[error("Kho gặp lỗi: hãy báo văn phòng (the store failed; tell the office: {0})")]
    Database(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if connection::is_full(&error) {
            return Self::Full;
        }
        if connection::is_damage(&error) {
            return Self::Damaged(error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Database(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_of_either_case() {
        let digits = "0123456789abcdef".repeat(4);
        let key = StoreKey::from_hex(&digits).expect("a key");
        assert_eq!(key.0[..3], [0x01, 0x23, 0x45]);
        assert_eq!(
            StoreKey::from_hex(&digits.to_uppercase()).map(|key| key.0),
            Some(key.0)
        );
        for wrong in [
            "",
            &digits[1..],
            &format!("{digits}0"),
            &format!("{digits}\n"),
            &digits.replace('f', "g"),
            &digits.replace("ef", "é"),
        ] {
            assert!(StoreKey::from_hex(wrong).is_none(), "{wrong}");
        }
    }
}
