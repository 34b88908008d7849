//! What goes wrong, twice: a sentence for whoever sits before the screen, with a stable code to say
//! on the telephone, and the cause for the log. The cause never reaches the page, and neither holds
//! what people said or who they are.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gandan_core::policy::RejectionCode;

use super::page::{self, Frame, Section};
use crate::ward::WardError;

/// Why a request could not be answered as asked.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is no such page.
    NoPage,
    /// The page exists, but not for this method.
    NoMethod,
    /// There is no such case.
    NoCase,
    /// The photo is not here, or is not one that can be shown.
    NoPhoto,
    /// The role does not work on cases.
    RoleWithoutCases,
    /// The form was sent by another site.
    AnotherSite,
    /// The form is larger than any of ours.
    FormTooLarge,
    /// The form is not one of ours.
    BadForm,
    /// Too many people sign in at once.
    SignInBusy,
    /// The ward said no.
    Ward(WardError),
    /// A mistake of ours.
    Unexpected,
}

impl From<WardError> for Problem {
    fn from(error: WardError) -> Self {
        match error {
            WardError::NotFound("case" | "document") => Self::NoCase,
            other => Self::Ward(other),
        }
    }
}

impl Problem {
    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoPage | Self::NoCase | Self::NoPhoto => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::RoleWithoutCases | Self::AnotherSite => StatusCode::FORBIDDEN,
            Self::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::SignInBusy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unexpected => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Ward(error) => match error {
                WardError::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
                WardError::Taken(_) | WardError::NotAllowed(_) | WardError::NumberingPaused => {
                    StatusCode::CONFLICT
                }
                WardError::NotFound(_) | WardError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                WardError::Full => StatusCode::INSUFFICIENT_STORAGE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// The stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NoPage => "no_page",
            Self::NoMethod => "no_method",
            Self::NoCase => "no_case",
            Self::NoPhoto => "no_photo",
            Self::RoleWithoutCases => "role_without_cases",
            Self::AnotherSite => "another_site",
            Self::FormTooLarge => "form_too_large",
            Self::BadForm => "bad_form",
            Self::SignInBusy => "sign_in_busy",
            Self::Unexpected => "unexpected",
            Self::Ward(error) => match error {
                WardError::TooManyAttempts => "too_many_attempts",
                WardError::NotAllowed(RejectionCode::TransitionNotAllowed) => {
                    "transition_not_allowed"
                }
                WardError::NotAllowed(_) => "not_allowed",
                WardError::NumberingPaused => "numbering_paused",
                WardError::NotFound(_) | WardError::Invalid(_) => "invalid",
                WardError::Full => "store_full",
                _ => "store_failed",
            },
        }
    }

    /// What happened, in a few words.
    fn heading(&self) -> &'static str {
        match self {
            Self::NoPage | Self::NoMethod => "Không có trang này",
            Self::NoCase => "Không tìm thấy vụ việc",
            Self::NoPhoto => "Không có ảnh này",
            Self::RoleWithoutCases => "Tài khoản này không xử lý vụ việc",
            Self::AnotherSite => "Yêu cầu không được nhận",
            Self::FormTooLarge => "Nội dung quá dài",
            Self::BadForm => "Biểu mẫu không đọc được",
            Self::SignInBusy => "Đang có nhiều người đăng nhập",
            Self::Ward(_) | Self::Unexpected => "Chưa làm được việc này",
        }
    }

    /// What happened and what to do.
    pub(super) fn sentence(&self) -> &'static str {
        match self {
            Self::NoPage | Self::NoMethod => {
                "Địa chỉ có thể đã gõ thiếu. Mở lại từ danh sách vụ việc."
            }
            Self::NoCase => {
                "Vụ việc không có ở phường này, hoặc điện thoại ghi nó chưa đồng bộ. Thử tìm bằng mã hoặc nội dung."
            }
            Self::NoPhoto => {
                "Ảnh chưa về tới phường hoặc không phải ảnh xem được. Thử lại sau khi điện thoại đồng bộ."
            }
            Self::RoleWithoutCases => {
                "Tài khoản quản trị chỉ quản lý người và thiết bị. Đăng nhập bằng tài khoản tiếp nhận hoặc chủ tịch."
            }
            Self::AnotherSite => {
                "Yêu cầu đến từ một trang khác nên không được thực hiện. Mở trang này trực tiếp rồi làm lại."
            }
            Self::FormTooLarge => "Rút gọn nội dung rồi gửi lại.",
            Self::BadForm => "Tải lại trang rồi gửi lại.",
            Self::SignInBusy => "Chờ vài giây rồi đăng nhập lại.",
            Self::Unexpected => {
                "Máy chủ gặp lỗi. Thử lại; nếu vẫn lỗi, báo người quản trị kèm mã dưới đây."
            }
            Self::Ward(error) => match error {
                WardError::NotAllowed(reason) => reason.label(),
                WardError::NumberingPaused => {
                    "Phường vừa khôi phục dữ liệu nên tạm dừng cấp số. Chờ điện thoại của cán bộ đồng bộ, hoặc nhờ người quản trị cho cấp số tiếp."
                }
                WardError::TooManyAttempts => {
                    "Đã nhập sai nhiều lần. Chờ nửa phút rồi đăng nhập lại."
                }
                WardError::NotFound(_) | WardError::Invalid(_) => {
                    "Có nội dung không hợp lệ. Xem lại rồi gửi lại."
                }
                WardError::Full => {
                    "Ổ đĩa của máy chủ đã đầy nên chưa lưu được. Báo người quản trị giải phóng chỗ rồi gửi lại."
                }
                _ => {
                    "Máy chủ chưa đọc hoặc ghi được dữ liệu. Thử lại; nếu vẫn lỗi, báo người quản trị kèm mã dưới đây."
                }
            },
        }
    }

    /// Says the cause to the log, once, where it is more than a mistake of the visitor's.
    pub(super) fn log(&self) {
        match self {
            Self::Unexpected => tracing::error!(code = self.code(), "console request failed"),
            Self::Ward(error) if self.status().is_server_error() => {
                tracing::error!(code = self.code(), cause = %error, source = ?source(error), "console request failed");
            }
            Self::AnotherSite => {
                tracing::warn!(
                    code = self.code(),
                    "console request from another site refused"
                );
            }
            other => tracing::debug!(code = other.code(), "console request refused"),
        }
    }
}

/// SQLite's own words hold names of tables and codes, never values.
fn source(error: &WardError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    heading: &'static str,
    sentence: &'static str,
    code: &'static str,
    /// The account is the wrong one, so it must be possible to leave it.
    offers_sign_out: bool,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        page::answer(
            self.status(),
            &ProblemPage {
                frame: Frame::without_person(self.heading()),
                heading: self.heading(),
                sentence: self.sentence(),
                code: self.code(),
                offers_sign_out: matches!(self, Self::RoleWithoutCases),
            },
        )
    }
}
