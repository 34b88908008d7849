//! `/account`: what somebody who is signed in does with his own account: sessions, second factor, password.

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use zeroize::Zeroizing;

use super::Console;
use super::fields::Fields;
use super::names::Names;
use super::page::{self, Frame, Message, Section};
use super::problem::Problem;
use super::session;
use crate::ward::{Factor, Session, Staff, Ward, WardError};

const WRONG_CODE: &str = "Mã không đúng hoặc đã dùng. Chờ mã mới trên điện thoại rồi nhập lại.";
const WRONG_PASSWORD: &str = "Mật khẩu hiện tại không đúng.";

/// Pixels of a side of the QR code.
const QR_PIXELS: u32 = 220;

/// Whoever is signed in, in any role, with the token of the session.
pub(super) struct Owner {
    staff: Staff,
    token: String,
}

impl FromRequestParts<Console> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let found = session::staff(console, &parts.headers).await;
        let staff = found.map_err(IntoResponse::into_response)?;
        let token = session::token(console.transport, &parts.headers);
        match (staff, token) {
            (Some(staff), Some(token)) => Ok(Self { staff, token }),
            _ => Err(Redirect::to("/login?next=%2Faccount").into_response()),
        }
    }
}

/// A form that the owner sent.
pub(super) struct OwnForm {
    owner: Owner,
    fields: Fields,
}

impl FromRequest<Console> for OwnForm {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let owner = Owner::from_request_parts(&mut parts, console).await?;
        let form = session::form(Request::from_parts(parts, body)).await;
        let form = form.map_err(IntoResponse::into_response)?;
        Ok(Self {
            owner,
            fields: Fields::parse(&form),
        })
    }
}

struct SessionLine {
    id: String,
    browser: String,
    address: String,
    began: String,
    seen: String,
    is_this: bool,
}

impl From<Session> for SessionLine {
    fn from(session: Session) -> Self {
        let browser = session.origin.browser;
        Self {
            id: session.id,
            browser: if browser.is_empty() {
                "Trình duyệt không rõ".to_owned()
            } else {
                browser
            },
            address: session.origin.address,
            began: session.began_at.to_vietnamese(),
            seen: session.seen_at.to_vietnamese(),
            is_this: session.is_this,
        }
    }
}

enum FactorView {
    Off,
    Begun {
        /// Drawn by us: the one value of a page that is not escaped.
        qr: String,
        base32: Zeroizing<String>,
    },
    On {
        recovery_codes_left: usize,
    },
}

impl FactorView {
    fn read(ward: &Ward, staff: &Staff) -> Result<Self, WardError> {
        let officer = staff.author.officer;
        Ok(match ward.second_factor(officer)? {
            Factor::Off => Self::Off,
            Factor::On { recovery_codes } => Self::On {
                recovery_codes_left: recovery_codes,
            },
            Factor::Begun => {
                let secret = ward.begin_second_factor(officer, &staff.login)?;
                let code = QrCode::new(secret.url.as_bytes()).map_err(|_| WardError::Damaged)?;
                let qr = code
                    .render::<svg::Color<'_>>()
                    .min_dimensions(QR_PIXELS, QR_PIXELS)
                    .build();
                // An XML declaration has no place inside a page.
                let begin = qr.find("<svg").unwrap_or_default();
                Self::Begun {
                    qr: qr[begin..].to_owned(),
                    base32: secret.base32,
                }
            }
        })
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    name: String,
    message: Option<Message>,
    recovery_codes: Vec<String>,
    sessions: Vec<SessionLine>,
    factor: FactorView,
    /// Nothing else opens before it is on.
    requires_factor: bool,
}

/// `GET /account`
pub(super) async fn show(
    State(console): State<Console>,
    owner: Owner,
) -> Result<Response, Problem> {
    answer(&console, owner, StatusCode::OK, None, Vec::new()).await
}

/// `POST /account/sessions`: ends the one named by `session`, or all others.
pub(super) async fn end_sessions(
    State(console): State<Console>,
    OwnForm { owner, fields }: OwnForm,
) -> Result<Response, Problem> {
    let (officer, token) = (owner.staff.author.officer, owner.token.clone());
    let named = fields.filled("session");
    console
        .ask(move |ward| ward.end_sessions(officer, &token, named.as_deref()))
        .await?;
    said(&console, owner, Message::good("Đã đóng.")).await
}

/// `POST /account/password`
pub(super) async fn change_password(
    State(console): State<Console>,
    OwnForm { owner, fields }: OwnForm,
) -> Result<Response, Problem> {
    let turn = console.hashing.turn().await?;
    let (login, token) = (owner.staff.login.clone(), owner.token.clone());
    let old = Zeroizing::new(fields.verbatim("old"));
    let new = Zeroizing::new(fields.verbatim("new"));
    let changed = console
        .ask(move |ward| {
            let _turn = turn;
            ward.change_password(&login, &token, &old, &new)
        })
        .await;
    let message = match changed {
        Ok(true) => Message::good("Đã đổi mật khẩu. Các phiên khác đã đóng."),
        Ok(false) => Message::bad(WRONG_PASSWORD, None),
        Err(problem) => Message::bad(problem.sentence(), Some(problem.code())),
    };
    said(&console, owner, message).await
}

/// `POST /account/second-factor`
pub(super) async fn begin_factor(
    State(console): State<Console>,
    OwnForm { owner, .. }: OwnForm,
) -> Result<Response, Problem> {
    let staff = owner.staff.clone();
    console
        .ask(move |ward| ward.begin_second_factor(staff.author.officer, &staff.login))
        .await?;
    Ok(Redirect::to("/account").into_response())
}

/// `POST /account/second-factor/confirm`
pub(super) async fn confirm_factor(
    State(console): State<Console>,
    form: OwnForm,
) -> Result<Response, Problem> {
    let done = "Đã bật xác thực hai bước.";
    by_code(&console, form, done, Ward::confirm_second_factor).await
}

/// `POST /account/second-factor/remove`
pub(super) async fn remove_factor(
    State(console): State<Console>,
    form: OwnForm,
) -> Result<Response, Problem> {
    by_code(
        &console,
        form,
        "Đã tắt xác thực hai bước.",
        |ward, officer, code| {
            let removed = ward.remove_second_factor(officer, code)?;
            Ok(removed.map(|()| Vec::new()))
        },
    )
    .await
}

/// `POST /account/recovery-codes`
pub(super) async fn renew_recovery_codes(
    State(console): State<Console>,
    form: OwnForm,
) -> Result<Response, Problem> {
    let done = "Các mã dự phòng cũ không dùng được nữa.";
    by_code(&console, form, done, Ward::renew_recovery_codes).await
}

/// Does what a right code allows, and shows the recovery codes that it gives.
async fn by_code(
    console: &Console,
    OwnForm { owner, fields }: OwnForm,
    done: &'static str,
    action: impl FnOnce(
        &Ward,
        gandan_core::model::OfficerId,
        &str,
    ) -> Result<Option<Vec<String>>, WardError>
    + Send
    + 'static,
) -> Result<Response, Problem> {
    let officer = owner.staff.author.officer;
    let code = fields.text("code");
    let taken = console.ask(move |ward| action(ward, officer, &code)).await;
    match taken {
        Ok(Some(recovery_codes)) => {
            let message = Some(Message::good(done));
            answer(console, owner, StatusCode::OK, message, recovery_codes).await
        }
        Ok(None) => said(console, owner, Message::bad(WRONG_CODE, None)).await,
        Err(problem) => {
            let message = Message::bad(problem.sentence(), Some(problem.code()));
            said(console, owner, message).await
        }
    }
}

async fn said(console: &Console, owner: Owner, message: Message) -> Result<Response, Problem> {
    let status = if message.tone == "bad" {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    answer(console, owner, status, Some(message), Vec::new()).await
}

async fn answer(
    console: &Console,
    Owner { staff, token }: Owner,
    status: StatusCode,
    message: Option<Message>,
    recovery_codes: Vec<String>,
) -> Result<Response, Problem> {
    let requires_factor = console.requires_second_factor;
    let page = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            let sessions = ward.sessions(staff.author.officer, &token)?;
            Ok(AccountPage {
                frame: Frame::new("Tài khoản".to_owned(), Section::Account, &names, &staff),
                name: staff.name.clone(),
                message,
                recovery_codes,
                sessions: sessions.into_iter().map(SessionLine::from).collect(),
                factor: FactorView::read(ward, &staff)?,
                requires_factor,
            })
        })
        .await?;
    Ok(page::answer(status, &page))
}
