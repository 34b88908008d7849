//! The closed vocabularies: an English code for machines (JSON, SQL, wire) and the Vietnamese
//! words of the screen. Open vocabularies (categories, divisions, areas) are data of the ward.

/// Declares an enum whose every value has a code and a Vietnamese label.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $code:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
        }

        impl $name {
            /// Every value, in the order in which a screen offers them.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The English word for machines.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$value => $code,)+ }
            }

            /// The Vietnamese words of the screen.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$value => $label,)+ }
            }

            /// The value that `code` names.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$value),)+ _ => None }
            }
        }
    };
}

vocabulary!(/// What the officer understood the citizen to say. Facts, not law: only staff set [`LegalKind`].
    ReportedKind {
        /// Information.
        Report = "report", "Phản ánh";
        /// A wish or proposal.
        Petition = "petition", "Kiến nghị";
        /// Asks to review a decision.
        Complaint = "complaint", "Khiếu nại";
        /// A stop card: date, area and paper reference only.
        Denunciation = "denunciation", "Tố cáo (chỉ ghi số phiếu giấy)";
});

vocabulary!(/// What the submission is in law, set by the office (Laws on Complaints, on Denunciations).
    LegalKind {
        /// Information.
        Report = "report", "Phản ánh";
        /// A wish or proposal.
        Petition = "petition", "Kiến nghị";
        /// Asks to review a decision that hurts the complainant.
        Complaint = "complaint", "Khiếu nại";
});

vocabulary!(/// Where a case stands.
    Status {
        /// On a phone or just arrived.
        Recorded = "recorded", "Mới ghi nhận";
        /// Has its official number.
        Accepted = "accepted", "Đã tiếp nhận";
        /// Assigned, being worked on.
        InProgress = "in_progress", "Đang xử lý";
        /// Waits for the citizen; may stop the clock.
        WaitingCitizen = "waiting_citizen", "Chờ bổ sung";
        /// Handed to another body.
        Transferred = "transferred", "Đã chuyển";
        /// The answer is written.
        Answered = "answered", "Đã trả lời";
        /// Done; see [`Satisfaction`].
        Closed = "closed", "Đóng";
        /// Taken up again.
        Reopened = "reopened", "Mở lại";
        /// The same matter as another case.
        Duplicate = "duplicate", "Trùng";
        /// Taken back by the citizen.
        Withdrawn = "withdrawn", "Rút";
        /// Recorded in error, by the one who recorded it.
        Voided = "voided", "Ghi nhầm";
});

vocabulary!(/// How soon somebody must look.
    Urgency {
        /// Can wait.
        Low = "low", "Thấp";
        /// As usual.
        Normal = "normal", "Bình thường";
        /// Soon.
        High = "high", "Cao";
        /// Now.
        Urgent = "urgent", "Khẩn";
});

vocabulary!(/// How the ward came to know. Leaders fear distortion, so hearsay is told from what was seen.
    Source {
        /// The citizen said so.
        HeardFromPerson = "heard_from_person", "Nghe trực tiếp từ người dân";
        /// Somebody spoke for the citizen.
        HeardFromRepresentative = "heard_from_representative", "Nghe qua người đại diện";
        /// The officer saw it.
        SeenOnSpot = "seen_on_spot", "Thấy tại chỗ";
        /// Came to the ward's desk.
        WalkIn = "walk_in", "Đến trực tiếp";
        /// By telephone.
        Phone = "phone", "Điện thoại";
        /// By letter.
        Letter = "letter", "Đơn thư";
});

vocabulary!(/// What the citizen says once the answer was brought.
    Satisfaction {
        /// It is solved.
        Satisfied = "satisfied", "Hài lòng";
        /// It is not.
        NotSatisfied = "not_satisfied", "Chưa hài lòng";
});

vocabulary!(/// Why a person's data may be kept (Law 91/2025). Nobody consents by default.
    LegalBasis {
        /// The person said yes to words that were shown to them; see [`super::consent`].
        Consent = "consent", "Người dân đồng ý";
        /// A law asks for it, such as that on complaints.
        Law = "law", "Theo quy định của pháp luật";
});

vocabulary!(/// Who may read a note.
    NoteVisibility {
        /// Ward people only.
        Internal = "internal", "Nội bộ";
        /// Meant for the citizen.
        Reply = "reply", "Trả lời người dân";
});

vocabulary!(/// Who may see a case.
    Confidentiality {
        /// Whoever's scope covers it.
        Normal = "normal", "Thường";
        /// Triage and chair only, and whoever recorded it.
        Restricted = "restricted", "Hạn chế";
});

vocabulary!(/// What somebody may do; see [`crate::policy`].
    Role {
        /// Visits, records, follows up.
        Officer = "officer", "Cán bộ";
        /// As an officer, for the whole ward.
        Leader = "leader", "Lãnh đạo phường";
        /// Classifies, assigns, answers.
        Triage = "triage", "Tiếp nhận, phân loại";
        /// Directs and closes.
        Chair = "chair", "Chủ tịch";
        /// Manages people and devices, not cases.
        Admin = "admin", "Quản trị";
});

impl Status {
    /// Whether nobody has to do anything any more. A case that was transferred is not over: the ward
    /// urges and writes down the answer; one that is answered still has to be delivered.
    #[must_use]
    pub fn is_finished(self) -> bool {
        match self {
            Self::Closed | Self::Duplicate | Self::Withdrawn | Self::Voided => true,
            Self::Recorded
            | Self::Accepted
            | Self::InProgress
            | Self::WaitingCitizen
            | Self::Transferred
            | Self::Answered
            | Self::Reopened => false,
        }
    }
}
