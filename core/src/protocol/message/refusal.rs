//! Why a ward ends a conversation, as a stable code and in words.

use std::fmt;

/// Why a ward ends a conversation. The app can act on each; nothing that the ward does not have is lost by any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Refusal {
    /// The device is older than what the ward still speaks.
    DeviceTooOld = 1,
    /// The device is newer than the ward.
    DeviceTooNew = 2,
    /// The ward does not know this device.
    UnknownDevice = 3,
    /// The device was revoked.
    Revoked = 4,
    /// The ward's store is full or damaged; try later.
    Unavailable = 5,
    /// The device was revoked, and is to destroy what it holds.
    Wipe = 6,
    /// The invite does not exist.
    InviteUnknown = 10,
    /// The invite's time is over.
    InviteExpired = 11,
    /// The invite was used.
    InviteUsed = 12,
    /// A code that this build does not know.
    Other = 0xffff,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: &'static [Self] = &[
        Self::DeviceTooOld,
        Self::DeviceTooNew,
        Self::UnknownDevice,
        Self::Revoked,
        Self::Unavailable,
        Self::Wipe,
        Self::InviteUnknown,
        Self::InviteExpired,
        Self::InviteUsed,
        Self::Other,
    ];

    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// What a number means; a code of a newer ward is [`Refusal::Other`].
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.code() == code)
            .unwrap_or(Self::Other)
    }

    /// What happened and what to do, in Vietnamese.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::DeviceTooOld => {
                "Ứng dụng đã cũ: hãy cập nhật ứng dụng rồi đồng bộ lại. Dữ liệu vẫn an toàn trên máy"
            }
            Self::DeviceTooNew => {
                "Máy chủ của phường cũ hơn ứng dụng: hãy báo văn phòng nâng cấp máy chủ. Dữ liệu vẫn an toàn trên máy"
            }
            Self::UnknownDevice => {
                "Máy chủ không nhận ra máy này: hãy xin văn phòng thư mời mới. Dữ liệu vẫn an toàn trên máy"
            }
            Self::Revoked => {
                "Máy này đã bị thu hồi quyền: hãy liên hệ văn phòng. Dữ liệu vẫn an toàn trên máy"
            }
            Self::Unavailable => {
                "Máy chủ tạm thời không nhận được: hãy thử lại sau. Dữ liệu vẫn an toàn trên máy"
            }
            Self::Wipe => {
                "Máy này đã bị thu hồi quyền và dữ liệu trên máy được xóa theo lệnh của phường: hãy giao máy cho văn phòng"
            }
            Self::InviteUnknown => "Thư mời không đúng: hãy xin văn phòng thư mời mới",
            Self::InviteExpired => "Thư mời đã hết hạn: hãy xin văn phòng thư mời mới",
            Self::InviteUsed => {
                "Thư mời đã được dùng: mỗi máy cần một thư mời riêng, hãy xin văn phòng thư mời mới"
            }
            Self::Other => {
                "Máy chủ từ chối vì lý do mà ứng dụng chưa biết: hãy cập nhật ứng dụng. Dữ liệu vẫn an toàn trên máy"
            }
        }
    }

    /// The same in English, for logs and for whoever runs the ward's server.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::DeviceTooOld => "the app is too old for the ward; update it, all data is safe",
            Self::DeviceTooNew => {
                "the app is newer than the ward's server; ask the office to update it, all data is safe"
            }
            Self::UnknownDevice => {
                "the ward does not know this device; ask the office for an invite, all data is safe"
            }
            Self::Revoked => "this device was revoked; talk to the office, all data is safe",
            Self::Unavailable => "the ward cannot take anything now; try later, all data is safe",
            Self::Wipe => {
                "this device was revoked and its data is wiped on the ward's order; give it to the office"
            }
            Self::InviteUnknown => "the invite is not valid; ask the office for a new one",
            Self::InviteExpired => "the invite has expired; ask the office for a new one",
            Self::InviteUsed => "the invite was used already; ask the office for a new one",
            Self::Other => {
                "the ward gave a reason that this app does not know; update the app, all data is safe"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.label(), self.english())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back_and_unknown_ones_ask_for_an_update() {
        for &refusal in Refusal::ALL {
            assert_eq!(Refusal::from_code(refusal.code()), refusal);
        }
        assert_eq!(Refusal::from_code(999), Refusal::Other);
        assert!(Refusal::Other.to_string().contains("cập nhật"));
    }

    #[test]
    fn a_refusal_says_in_vietnamese_first_what_to_do() {
        let text = Refusal::DeviceTooOld.to_string();
        assert!(text.starts_with("Ứng dụng đã cũ: hãy cập nhật"), "{text}");
        assert!(text.ends_with("(the app is too old for the ward; update it, all data is safe)"));
        for refusal in Refusal::ALL {
            assert!(
                refusal.label().contains("hãy"),
                "{refusal:?} says what to do"
            );
        }
    }
}
