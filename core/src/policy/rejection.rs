//! Why an edit is refused, in words for machines and for the officer.

/// Why an edit is refused, as a stable code. The person can correct it or hand it to the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum RejectionCode {
    /// Not valid bytes, or over a bound.
    Malformed = 1,
    /// Does not fit the document at its dependencies.
    NotApplicable = 2,
    /// Depends on an edit that was rejected.
    DependsOnRejected = 3,
    /// The actor belongs to another device, or (actor, sequence) names another edit.
    ForeignActor = 4,
    /// The device was revoked.
    Revoked = 5,
    /// The role may not change this field.
    FieldNotAllowed = 10,
    /// The role may not take the case from this state to that one.
    TransitionNotAllowed = 11,
    /// The document is another person's report.
    NotYourRecord = 12,
    /// A denunciation may hold only date, area and paper reference.
    DenunciationContent = 13,
    /// The document is outside the device's scope.
    OutOfScope = 14,
    /// The document was purged.
    Purged = 15,
}

impl RejectionCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::Malformed,
        Self::NotApplicable,
        Self::DependsOnRejected,
        Self::ForeignActor,
        Self::Revoked,
        Self::FieldNotAllowed,
        Self::TransitionNotAllowed,
        Self::NotYourRecord,
        Self::DenunciationContent,
        Self::OutOfScope,
        Self::Purged,
    ];

    /// The number on the wire and in SQL.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The code that a number names.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// What to tell the officer, in Vietnamese: what happened and what to do.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => {
                "Nội dung quá dài hoặc không đúng mẫu nên không nhận được. \
                 Hãy rút gọn rồi ghi lại; nếu vẫn lỗi, hãy cập nhật ứng dụng."
            }
            Self::NotApplicable => {
                "Hồ sơ đã khác với lúc bạn sửa nên không ghép được phần sửa này. \
                 Hãy mở lại hồ sơ, xem nội dung mới rồi sửa lại."
            }
            Self::DependsOnRejected => {
                "Phần sửa này dựa trên một phần trước đó đã bị từ chối. \
                 Hãy sửa phần bị từ chối trước, rồi ghi lại phần này."
            }
            Self::ForeignActor => {
                "Phần sửa này trùng dấu với một máy khác (máy được sao chép hoặc khôi phục). \
                 Nội dung vẫn còn trên máy; hãy ghi lại, và báo quản trị nếu gặp lần nữa."
            }
            Self::Revoked => {
                "Máy này đã bị thu hồi quyền nên không gửi được nữa. \
                 Hãy mang máy đến văn phòng để chuyển giao nội dung chưa gửi."
            }
            Self::FieldNotAllowed => {
                "Vai trò của bạn không được sửa mục này, hoặc hồ sơ chưa đến bước đó. \
                 Hãy thêm ghi chú để bộ phận tiếp nhận xử lý."
            }
            Self::TransitionNotAllowed => {
                "Không chuyển được hồ sơ từ trạng thái hiện tại sang trạng thái này. \
                 Hãy xem trạng thái mới của hồ sơ, hoặc thêm ghi chú để bộ phận tiếp nhận xử lý."
            }
            Self::NotYourRecord => {
                "Hồ sơ này do người khác ghi nhận nên bạn không sửa được nội dung. \
                 Hãy thêm ghi chú, hoặc nhờ người đã ghi nhận sửa."
            }
            Self::DenunciationContent => {
                "Tố cáo không được ghi nội dung trên máy: chỉ ghi ngày, khu vực và số phiếu giấy. \
                 Hãy ghi nội dung vào phiếu giấy, xóa nội dung ở đây rồi lưu lại."
            }
            Self::OutOfScope => {
                "Hồ sơ này nằm ngoài phạm vi bạn được giao. \
                 Hãy chuyển nội dung cho người phụ trách, hoặc nhờ quản trị giao thêm khu vực."
            }
            Self::Purged => {
                "Hồ sơ này đã được xóa theo quy định nên không nhận thêm gì. \
                 Hãy liên hệ văn phòng nếu cần biết thêm."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire_and_says_what_to_do() {
        for code in RejectionCode::ALL {
            assert_eq!(RejectionCode::from_code(code.code()), Some(*code));
            let sentences = code.label().split(". ").count();
            assert!(sentences >= 2 && code.label().contains("ãy "), "{code:?}");
        }
        assert_eq!(RejectionCode::from_code(0), None);
    }
}
