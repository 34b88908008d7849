//! Whose request it is: the session cookie, and the two ways in which handlers ask for it.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::Fields;
use super::problem::Problem;
use super::signing::{self, Resume};
use super::{Console, Transport, page};
use crate::ward::{Factor, Staff};

/// Name of the cookie. With TLS the prefix makes browsers refuse one that another host set.
fn cookie_name(transport: Transport) -> &'static str {
    match transport {
        Transport::ClearText => "gandan",
        Transport::Tls => "__Host-gandan",
    }
}

/// The header that gives a browser its session; no token takes it away.
pub(super) fn cookie(transport: Transport, token: Option<&str>) -> Option<HeaderValue> {
    let name = cookie_name(transport);
    let value = token.unwrap_or_default();
    let secure = match transport {
        Transport::ClearText => "",
        Transport::Tls => "; Secure",
    };
    let age = if token.is_some() { "" } else { "; Max-Age=0" };
    HeaderValue::try_from(format!(
        "{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}"
    ))
    .ok()
}

/// The token that a browser brings.
pub(super) fn token(transport: Transport, headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == cookie_name(transport) && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Who is signed in, if anybody.
pub(super) async fn staff(
    console: &Console,
    headers: &HeaderMap,
) -> Result<Option<Staff>, Problem> {
    match token(console.transport, headers) {
        Some(token) => console.ask(move |ward| ward.session(&token)).await,
        None => Ok(None),
    }
}

/// As [`staff`], for everything but one's own account: whoever lacks a second factor where one is required is
/// led to where it is turned on.
async fn working_staff(console: &Console, headers: &HeaderMap) -> Result<Option<Staff>, Response> {
    let found = staff(console, headers).await;
    let Some(staff) = found.map_err(IntoResponse::into_response)? else {
        return Ok(None);
    };
    if console.requires_second_factor {
        let officer = staff.author.officer;
        let factor = console.ask(move |ward| ward.second_factor(officer)).await;
        if !matches!(
            factor.map_err(IntoResponse::into_response)?,
            Factor::On { .. }
        ) {
            return Err(Redirect::to("/account").into_response());
        }
    }
    Ok(Some(staff))
}

/// To the sign-in page, and from there to where they wanted to go.
fn to_sign_in(wanted: &str) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", wanted);
    Redirect::to(&format!("/login?{}", query.finish())).into_response()
}

/// Somebody who is signed in and works on cases; anybody else is led to the sign-in page and from
/// there to where they wanted to go.
pub(super) struct Clerk(pub(super) Staff);

impl FromRequestParts<Console> for Clerk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        match working_staff(console, &parts.headers).await? {
            Some(staff) if page::works_on_cases(&staff) => Ok(Self(staff)),
            Some(_) => Err(Problem::RoleWithoutCases.into_response()),
            None => {
                let wanted = parts.uri.path_and_query();
                Err(to_sign_in(wanted.map_or("/cases", |path| path.as_str())))
            }
        }
    }
}

/// Somebody who oversees the ward: an administrator, the chair. For everybody else there is no such page.
pub(super) struct Overseer(pub(super) Staff);

impl FromRequestParts<Console> for Overseer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        match working_staff(console, &parts.headers).await? {
            Some(staff) if page::oversees(&staff) => Ok(Self(staff)),
            Some(_) => Err(Problem::NoPage.into_response()),
            None => Err(to_sign_in(parts.uri.path())),
        }
    }
}

/// A form that somebody who oversees the ward sent.
pub(super) struct OverseerForm {
    pub(super) staff: Staff,
    pub(super) fields: Fields,
}

impl FromRequest<Console> for OverseerForm {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Overseer(staff) = Overseer::from_request_parts(&mut parts, console).await?;
        let form = form(Request::from_parts(parts, body)).await;
        Ok(Self {
            staff,
            fields: Fields::parse(&form.map_err(IntoResponse::into_response)?),
        })
    }
}

/// A form that a clerk sent. If the session ended while they typed, they sign in and find what they
/// typed again, not sent yet.
pub(super) struct Submission {
    pub(super) staff: Staff,
    pub(super) fields: Fields,
}

impl FromRequest<Console> for Submission {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let found = working_staff(console, request.headers()).await?;
        let path = request.uri().path().to_owned();
        let body = form(request).await.map_err(IntoResponse::into_response)?;
        match found {
            Some(staff) if page::works_on_cases(&staff) => Ok(Self {
                staff,
                fields: Fields::parse(&body),
            }),
            Some(_) => Err(Problem::RoleWithoutCases.into_response()),
            None => {
                let resume = Resume::new(path, String::from_utf8_lossy(&body).into_owned());
                Err(signing::page(console, StatusCode::UNAUTHORIZED, "", None, resume).await)
            }
        }
    }
}

/// The bytes of a form, within the limit of the router.
pub(super) async fn form(request: Request) -> Result<Bytes, Problem> {
    debug_assert_eq!(request.method(), Method::POST);
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::FormTooLarge
            } else {
                Problem::BadForm
            }
        })?;
    // An action without fields has nothing to encode.
    if is_form || body.is_empty() {
        Ok(body)
    } else {
        Err(Problem::BadForm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_other_sites_and_clear_text() {
        let cookie = cookie(Transport::Tls, Some("abc")).unwrap();
        assert_eq!(
            cookie,
            "__Host-gandan=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let clear = super::cookie(Transport::ClearText, Some("abc")).unwrap();
        assert_eq!(clear, "gandan=abc; Path=/; HttpOnly; SameSite=Strict");
        let gone = super::cookie(Transport::ClearText, None).unwrap();
        assert_eq!(
            gone,
            "gandan=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(Transport::ClearText, &headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; xgandan=2"));
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("b; gandan=tok; c=3"),
        );
        assert_eq!(
            token(Transport::ClearText, &headers).as_deref(),
            Some("tok")
        );
        assert_eq!(token(Transport::Tls, &headers), None);
    }
}
