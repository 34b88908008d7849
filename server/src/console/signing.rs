//! Signing in and out. Knows passwords only on their way to the ward, which alone can check them.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::fields::Fields;
use super::problem::Problem;
use super::{Console, action, desk, requests, session};
use crate::ward::{Origin, SignedIn, Staff, WardError};

const WRONG_PASSWORD: &str = "Tên đăng nhập hoặc mật khẩu không đúng.";
const WRONG_CODE: &str =
    "Mã không đúng hoặc đã dùng. Chờ mã mới trên điện thoại, hoặc dùng một mã dự phòng.";
const TOO_LATE_FOR_CODE: &str = "Đã quá năm phút. Đăng nhập lại từ đầu.";

/// Sign-ins that the ward works on at once. It hashes one password at a time (19 MiB and a core), so
/// more would only hold up threads that the phones need.
const SIGN_INS_AT_ONCE: usize = 2;

/// Sign-ins that may wait for their turn; a ward has a few dozen people.
const SIGN_INS_WAITING_MAX: usize = 32;

/// Bounds what hashing passwords may cost.
#[derive(Clone)]
pub(super) struct Hashing {
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

/// A turn to hash. Held by the hash itself: a browser that gives up does not free what still computes.
pub(super) struct Turn {
    _working: OwnedSemaphorePermit,
}

impl Hashing {
    pub(super) fn new() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(SIGN_INS_AT_ONCE + SIGN_INS_WAITING_MAX)),
            working: Arc::new(Semaphore::new(SIGN_INS_AT_ONCE)),
        }
    }

    /// Waits for a turn, unless too many wait already.
    pub(super) async fn turn(&self) -> Result<Turn, Problem> {
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| Problem::SignInBusy)?;
        let working = Arc::clone(&self.working).acquire_owned().await;
        Ok(Turn {
            _working: working.map_err(|_| Problem::Unexpected)?,
        })
    }
}

/// Where the places of this console begin to which somebody may be led.
const SECTIONS: [&str; 7] = [
    "/cases",
    "/desk",
    "/requests",
    "/quarantine",
    "/devices",
    "/account",
    "/audit",
];

/// Where somebody wanted to go before they had to sign in, and what they had typed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resume {
    path: String,
    body: String,
}

impl Resume {
    /// Only places of this console are gone back to.
    pub(super) fn new(path: String, body: String) -> Option<Self> {
        let is_ours = SECTIONS.iter().any(|start| {
            path.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        });
        let is_plain = path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (is_ours && is_plain).then_some(Self { path, body })
    }

    /// A page: what was to be done with one thing of a list (`/quarantine/3/take`) is none, the list is.
    fn page(&self) -> &str {
        let place = self.path.split('?').next().unwrap_or_default();
        match place.splitn(4, '/').collect::<Vec<_>>()[..] {
            ["", section, _, _] => &self.path[..=section.len()],
            _ => &self.path,
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    ward: String,
    login: &'a str,
    error: Option<&'a str>,
    resume: Option<Resume>,
}

impl SignInPage<'_> {
    /// Whether words were typed that wait to be sent.
    fn keeps_words(&self) -> bool {
        self.resume
            .as_ref()
            .is_some_and(|resume| !resume.body.is_empty())
    }
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage<'a> {
    ward: String,
    error: Option<&'a str>,
    resume: Option<Resume>,
}

/// The page that asks for the second factor.
async fn code_page(
    console: &Console,
    status: StatusCode,
    error: Option<&str>,
    resume: Option<Resume>,
) -> Response {
    match console.ask(|ward| ward.directory()).await {
        Ok(directory) => super::page::answer(
            status,
            &CodePage {
                ward: directory.ward_name,
                error,
                resume,
            },
        ),
        Err(problem) => problem.into_response(),
    }
}

/// The sign-in page.
pub(super) async fn page(
    console: &Console,
    status: StatusCode,
    login: &str,
    error: Option<&str>,
    resume: Option<Resume>,
) -> Response {
    match console.ask(|ward| ward.directory()).await {
        Ok(directory) => super::page::answer(
            status,
            &SignInPage {
                ward: directory.ward_name,
                login,
                error,
                resume,
            },
        ),
        Err(problem) => problem.into_response(),
    }
}

/// `GET /login`
pub(super) async fn form(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if session::staff(&console, &headers).await?.is_some() {
        return Ok(Redirect::to("/cases").into_response());
    }
    let next = Fields::parse(query.unwrap_or_default().as_bytes()).text("next");
    let resume = Resume::new(next, String::new());
    if let Some(token) = session::token(console.transport, &headers)
        && console.ask(move |ward| ward.awaits_code(&token)).await?
    {
        return Ok(code_page(&console, StatusCode::OK, None, resume).await);
    }
    Ok(page(&console, StatusCode::OK, "", None, resume).await)
}

/// `POST /login`
pub(super) async fn sign_in(
    State(console): State<Console>,
    request: Request,
) -> Result<Response, Problem> {
    let earlier = session::token(console.transport, request.headers());
    let origin = origin(&request);
    let fields = Fields::parse(&session::form(request).await?);
    let login = fields.text("login");
    let password = fields.verbatim("password");
    let resume = Resume::new(fields.text("resume_path"), fields.verbatim("resume_body"));
    let signed_in = match check(&console, origin, login.clone(), password).await {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => {
            tracing::info!("sign-in refused");
            let status = StatusCode::UNAUTHORIZED;
            return Ok(page(&console, status, &login, Some(WRONG_PASSWORD), resume).await);
        }
        // Whoever typed a letter keeps it while they wait for their turn.
        Err(problem @ (Problem::SignInBusy | Problem::Ward(WardError::TooManyAttempts))) => {
            problem.log();
            let sentence = Some(problem.sentence());
            return Ok(page(&console, problem.status(), &login, sentence, resume).await);
        }
        Err(problem) => return Err(problem),
    };
    if let Some(earlier) = earlier {
        // Whoever signs in anew leaves the session that this browser had.
        console.ask(move |ward| ward.sign_out(&earlier)).await?;
    }
    let SignedIn { token, awaits_code } = signed_in;
    let cookie = session::cookie(console.transport, Some(&token)).ok_or(Problem::Unexpected)?;
    let mut response = if awaits_code {
        code_page(&console, StatusCode::OK, None, resume).await
    } else {
        go_on(&console, token, resume).await?
    };
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /login/code`
pub(super) async fn give_code(
    State(console): State<Console>,
    request: Request,
) -> Result<Response, Problem> {
    let token = session::token(console.transport, request.headers()).unwrap_or_default();
    let fields = Fields::parse(&session::form(request).await?);
    let resume = Resume::new(fields.text("resume_path"), fields.verbatim("resume_body"));
    let code = fields.text("code");
    let taken = console
        .ask(move |ward| Ok((ward.awaits_code(&token)?, ward.give_code(&token, &code))))
        .await?;
    match taken {
        (_, Ok(Some(renewed))) => {
            let cookie = session::cookie(console.transport, Some(&renewed));
            let mut response = go_on(&console, renewed, resume).await?;
            let cookie = cookie.ok_or(Problem::Unexpected)?;
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        (true, Ok(None)) => {
            tracing::info!("second factor refused");
            let status = StatusCode::UNAUTHORIZED;
            Ok(code_page(&console, status, Some(WRONG_CODE), resume).await)
        }
        (false, Ok(None)) => {
            let status = StatusCode::UNAUTHORIZED;
            Ok(page(&console, status, "", Some(TOO_LATE_FOR_CODE), resume).await)
        }
        (_, Err(error)) => {
            let problem = Problem::from(error);
            problem.log();
            let sentence = Some(problem.sentence());
            Ok(code_page(&console, problem.status(), sentence, resume).await)
        }
    }
}

/// `POST /logout`
pub(super) async fn sign_out(
    State(console): State<Console>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = session::token(console.transport, &headers) {
        console.ask(move |ward| ward.sign_out(&token)).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    let cookie = session::cookie(console.transport, None).ok_or(Problem::Unexpected)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    // What a page showed is not to come back with the browser's own button.
    let all = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
    response.headers_mut().insert("clear-site-data", all);
    Ok(response)
}

/// The network address that a sign-in comes from, where the server says it, and its browser. Behind a proxy
/// the address is the proxy's, and all sign-ins share the patience that the ward has with one place.
fn origin(request: &Request) -> Origin {
    let address = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string());
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    Origin {
        address,
        browser: agent.map_or_else(String::new, browser_name),
    }
}

/// A browser's name and its system, out of all that a browser says of itself; the first that fits, because
/// most call themselves what others are too.
fn browser_name(agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg", "Edge"),
        ("coc_coc", "Cốc Cốc"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    let known: Vec<_> = browser.into_iter().chain(system).collect();
    known.join(" · ")
}

/// A new session, if the password is right.
async fn check(
    console: &Console,
    origin: Origin,
    login: String,
    password: String,
) -> Result<Option<SignedIn>, Problem> {
    if login.is_empty() || password.is_empty() {
        return Ok(None);
    }
    let turn = console.hashing.turn().await?;
    console
        .ask(move |ward| {
            let _turn = turn;
            ward.sign_in(&origin, &login, &password)
        })
        .await
}

/// Shows what was typed before, or goes where somebody wanted to go.
async fn go_on(
    console: &Console,
    token: String,
    resume: Option<Resume>,
) -> Result<Response, Problem> {
    let staff = console.ask(move |ward| ward.session(&token)).await?;
    let staff = staff.ok_or(Problem::Unexpected)?;
    Ok(match resume {
        Some(resume) => take_up(console, staff, resume).await,
        None => Redirect::to("/cases").into_response(),
    })
}

async fn take_up(console: &Console, staff: Staff, resume: Resume) -> Response {
    let fields = Fields::parse(resume.body.as_bytes());
    let case = resume.path.strip_prefix("/cases/").and_then(|rest| {
        let (id, verb) = rest.split_once('/')?;
        Some((Uuid::try_parse(id).ok()?, verb.to_owned()))
    });
    match case {
        Some((id, verb)) => action::resume(console, staff, id, &verb, &fields)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        None if resume.path == "/desk" && !resume.body.is_empty() => {
            desk::resume(console, staff, &fields)
                .await
                .unwrap_or_else(IntoResponse::into_response)
        }
        None if resume.path == "/requests" && !resume.body.is_empty() => {
            requests::resume(console, staff, &fields)
                .await
                .unwrap_or_else(IntoResponse::into_response)
        }
        None => Redirect::to(resume.page()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_this_console_are_gone_back_to() {
        for (path, expected) in [
            ("/cases", true),
            ("/cases?q=a", true),
            ("/cases/0190/answer", true),
            ("/desk", true),
            ("/requests", true),
            ("/quarantine/3", true),
            ("", false),
            ("/", false),
            ("//evil.example/cases", false),
            ("https://evil.example/cases", false),
            ("/casesx", false),
            ("/cases\\evil", false),
            ("/cases\r\nSet-Cookie: a=b", false),
            ("/logout", false),
        ] {
            let resume = Resume::new(path.to_owned(), String::new());
            assert_eq!(resume.is_some(), expected, "{path:?}");
        }
    }

    #[test]
    fn what_was_to_be_done_with_one_of_a_list_leads_to_the_list() {
        for (path, page) in [
            ("/cases", "/cases"),
            ("/cases?q=a/b/c", "/cases?q=a/b/c"),
            ("/quarantine/3", "/quarantine/3"),
            ("/quarantine/3/take", "/quarantine"),
            ("/devices/00/revoke", "/devices"),
        ] {
            let resume = Resume::new(path.to_owned(), String::new()).unwrap();
            assert_eq!(resume.page(), page);
        }
    }
}
