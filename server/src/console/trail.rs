//! `GET /audit`: the audit trail for those who oversee: administrators and the chair. It names records by
//! their ids only, so that an administrator reads nothing of a case.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use gandan_core::model::DocumentId;
use gandan_core::store::rows;

use super::Console;
use super::fields::Fields;
use super::names::Names;
use super::page::{self, Choice, Frame, Section};
use super::problem::Problem;
use super::session::Overseer;
use crate::ward::audit::{Filter, Kind, Record, Subject};
use crate::ward::{Ward, WardError};

/// Entries on a page.
const PAGE_ROWS: u32 = 50;

/// What was asked, as it was typed.
#[derive(Debug, Clone, Default)]
struct Asked {
    kind: String,
    officer: String,
    about: String,
    from: String,
    to: String,
    before: Option<u64>,
}

impl Asked {
    fn parse(fields: &Fields) -> Self {
        Self {
            kind: fields.text("kind"),
            officer: fields.text("officer"),
            about: fields.text("about"),
            from: fields.text("from"),
            to: fields.text("to"),
            before: fields.text("before").parse().ok(),
        }
    }

    fn is_narrowed(&self) -> bool {
        let typed = [&self.kind, &self.officer, &self.about, &self.from, &self.to];
        typed.iter().any(|text| !text.is_empty())
    }

    /// The address of what is older than an entry.
    fn older(&self, than: u64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, text) in [
            ("kind", &self.kind),
            ("officer", &self.officer),
            ("about", &self.about),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            if !text.is_empty() {
                query.append_pair(name, text);
            }
        }
        query.append_pair("before", &than.to_string());
        format!("/audit?{}", query.finish())
    }

    fn filter(&self, ward: &Ward) -> Result<Filter, WardError> {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let about = match filled(&self.about) {
            None => None,
            // An id as the trail writes it: a device, an officer.
            Some(typed) if typed.contains(':') => Some(typed),
            Some(typed) => {
                let case = ward.read(|connection| rows::case_as_typed(connection, &typed))?;
                // What there is not is about nothing that anybody did.
                let case = DocumentId::case(case.unwrap_or_default());
                Some(Subject::from(case).to_string())
            }
        };
        Ok(Filter {
            kind: Kind::from_code(&self.kind),
            officer: filled(&self.officer),
            about,
            from: filled(&self.from),
            to: filled(&self.to),
            before: self.before,
            limit: PAGE_ROWS + 1,
        })
    }
}

struct Row {
    number: u64,
    at: String,
    what: &'static str,
    outcome: String,
    is_alarm: bool,
    who: String,
    device: String,
    detail: String,
    about: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    asked: Asked,
    kinds: Vec<Choice>,
    message: Option<&'static str>,
    rows: Vec<Row>,
    older: Option<String>,
}

/// `GET /audit`
pub(super) async fn show(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    Overseer(staff): Overseer,
) -> Result<Response, Problem> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let asked = Asked::parse(&fields);
    let question = asked.clone();
    let (records, message, names) = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            match ward.audit_records(&question.filter(ward)?) {
                Ok(records) => Ok((records, None, names)),
                // A day that is none: what is right of the question is on the page again.
                Err(WardError::Invalid(_)) => Ok((Vec::new(), Some(BAD_DAY), names)),
                Err(error) => Err(error),
            }
        })
        .await?;
    let has_more = records.len() > PAGE_ROWS as usize;
    let rows: Vec<Row> = records
        .iter()
        .take(PAGE_ROWS as usize)
        .map(Row::new)
        .collect();
    let last = rows.last().filter(|_| has_more).map(|row| row.number);
    let kinds = Kind::ALL.iter();
    let page = AuditPage {
        frame: Frame::new(
            "Nhật ký kiểm tra".to_owned(),
            Section::Audit,
            &names,
            &staff,
        ),
        kinds: kinds
            .map(|kind| Choice::new(kind.code(), kind_label(*kind)))
            .collect(),
        message,
        rows,
        older: last.map(|number| asked.older(number)),
        asked,
    };
    Ok(page::answer(StatusCode::OK, &page))
}

const BAD_DAY: &str = "Ngày chưa đúng; chọn lại ngày.";

/// Outcomes that somebody should look at.
const ALARMS: &[&str] = &[
    "refused",
    "rejected",
    "mixed",
    "locked",
    "code_refused",
    "unknown",
    "used",
    "expired",
    "revoked",
    "forged",
    "foreign",
    "unreadable",
    "damaged",
];

impl Row {
    fn new(record: &Record) -> Self {
        let subjects = match &record.subjects {
            Some(subjects) => subjects.iter().map(|id| subject_label(id)).collect(),
            None => vec!["đã xóa theo yêu cầu".to_owned()],
        };
        Self {
            number: record.number,
            at: record.at.to_vietnamese(),
            what: Kind::from_code(&record.kind).map_or("Việc khác", kind_label),
            outcome: outcome_label(&record.outcome).to_owned(),
            is_alarm: ALARMS.contains(&record.outcome.as_str()),
            who: match (&record.officer_name, record.actor.as_str()) {
                (Some(name), _) => name.clone(),
                (None, "ward") => "Máy chủ".to_owned(),
                (None, "command_line") => "Người quản trị máy chủ".to_owned(),
                (None, _) => "Chưa rõ".to_owned(),
            },
            device: record
                .device
                .map(|device| format!("máy {}", short(&device.to_string())))
                .unwrap_or_default(),
            detail: detail_label(&record.detail),
            about: subjects.join(" · "),
        }
    }
}

/// Enough of an id to tell it from others.
fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

fn subject_label(subject: &str) -> String {
    let (kind, id) = subject.split_once(':').unwrap_or(("", subject));
    let kind = match kind {
        "case" => "hồ sơ",
        "person" => "người dân của hồ sơ",
        "visit" => "chuyến đi",
        "officer" => "cán bộ",
        "device" => "máy",
        "attachment" => "tệp",
        _ => "",
    };
    match kind {
        "hồ sơ" | "người dân của hồ sơ" | "chuyến đi" | "cán bộ" => {
            format!("{kind} {id}")
        }
        _ => format!("{kind} {}…", short(id)),
    }
}

fn kind_label(kind: Kind) -> &'static str {
    match kind {
        Kind::WardMade => "Tạo phường",
        Kind::Admission => "Nhận thay đổi từ điện thoại",
        Kind::ConsoleEdit => "Xử lý hồ sơ tại bàn",
        Kind::RestrictedRead => "Xem hồ sơ hạn chế",
        Kind::Export => "Xuất hồ sơ",
        Kind::SignIn => "Đăng nhập",
        Kind::SignOut => "Đăng xuất",
        Kind::SessionEnded => "Đóng phiên đăng nhập",
        Kind::StaffAdded => "Thêm người dùng",
        Kind::StaffChanged => "Đổi người dùng",
        Kind::OfficerAdded => "Thêm cán bộ",
        Kind::AreasGiven => "Giao địa bàn",
        Kind::AreasChanged => "Sửa danh mục địa bàn",
        Kind::InviteMade => "Tạo lời mời",
        Kind::InviteUsed => "Dùng lời mời",
        Kind::InviteRevoked => "Hủy lời mời",
        Kind::DeviceRevoked => "Khóa máy",
        Kind::DeviceWiped => "Xóa máy",
        Kind::Quarantine => "Xét nội dung của máy bị khóa",
        Kind::KeyRotated => "Đổi khóa",
        Kind::HoldChanged => "Đổi thời gian giữ trên điện thoại",
        Kind::NumberingResumed => "Cho cấp số tiếp",
        Kind::RescueTaken => "Nhận tệp cứu hộ",
        Kind::TakenBack => "Nhận lại sau khôi phục",
        Kind::EpochBegan => "Bắt đầu kỳ mới sau khôi phục",
        Kind::BackupMade => "Sao lưu",
        Kind::RecoveryKeyMade => "Đổi khóa khôi phục",
        Kind::Restored => "Khôi phục từ bản sao lưu",
        Kind::Reclassified => "Chuyển thành tố cáo",
        Kind::PersonErased => "Xóa thông tin cá nhân",
        Kind::CitizenRequest => "Yêu cầu về dữ liệu cá nhân",
        Kind::SubjectAccess => "Cung cấp thông tin cho người dân",
        Kind::SealedRegister => "Sổ niêm phong",
        Kind::FeedGrew => "Máy chủ tự ghi",
        Kind::Retention => "Thời hạn lưu giữ",
        Kind::SubjectsForgotten => "Xóa hồ sơ khỏi nhật ký",
    }
}

fn outcome_label(outcome: &str) -> &str {
    match outcome {
        "done" => "xong",
        "accepted" => "nhận",
        "duplicate" => "đã có",
        "waiting" => "chờ",
        "rejected" | "refused" => "từ chối",
        "mixed" => "một phần",
        "locked" => "tạm khóa",
        "unknown" => "không rõ",
        "used" => "đã dùng",
        "expired" => "hết hạn",
        "revoked" => "máy đã khóa",
        "forged" => "chữ ký sai",
        "foreign" => "của nơi khác",
        "unreadable" => "không đọc được",
        "damaged" => "hỏng",
        "empty" => "trống",
        "removed" => "gỡ",
        "received" => "đã nhận",
        "answered" => "đã trả lời",
        "read" => "đã xem",
        "taken" => "nhận vào sổ",
        "discarded" => "bỏ",
        "not_paused" => "không bị dừng",
        "to_be_wiped" => "khóa và xóa",
        "told" => "đã báo máy tự xóa",
        "awaits_code" => "đúng mật khẩu, chờ mã",
        "code_refused" => "sai mã",
        "second_factor_on" => "bật xác thực hai bước",
        "second_factor_off" => "tắt xác thực hai bước",
        "second_factor_reset" => "gỡ xác thực hai bước",
        "recovery_codes" => "cấp mã dự phòng mới",
        other => other,
    }
}

/// `accepted=3 rejected=1` as people say it.
fn detail_label(detail: &str) -> String {
    let parts = detail.split(' ').filter_map(|part| part.split_once('='));
    let words = parts.map(|(what, number)| {
        let what = match what {
            "accepted" => "nhận",
            "duplicate" => "đã có",
            "waiting" => "chờ",
            "rejected" => "từ chối",
            "areas" => "địa bàn",
            "months" => "tháng",
            "voided" => "số hủy",
            "edits" => "thay đổi",
            "entries" => "mục",
            "bytes" => "byte",
            "sessions" => "phiên",
            "code" => "mã lý do",
            "unnoted_before" => "lần trước đó không ghi riêng",
            other => other,
        };
        format!("{what}: {number}")
    });
    words.collect::<Vec<_>>().join(", ")
}
