//! The triage console: server-rendered HTML over axum, Vietnamese first. Owns what a browser sees;
//! knows no SQL (lists come from [`gandan_core::store::rows`]) and no rule about cases (what staff
//! do is [`crate::app`], what they may is [`gandan_core::policy`]).
//!
//! Every page works without script, every asset is embedded, nothing is fetched from elsewhere.

mod account;
mod action;
mod asset;
mod case;
mod case_view;
mod catalogue;
mod collation;
mod desk;
mod devices;
mod fields;
mod filter;
mod guard;
mod history;
mod list;
mod names;
mod page;
mod permitted;
mod photo;
mod problem;
mod quarantine;
mod requests;
mod session;
mod signing;
mod trail;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use gandan_core::store::rows;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::ward::audit::Actor;
use crate::ward::{Staff, Ward, WardError};
use problem::Problem;

/// Largest form. The longest text a case may hold is 64 KiB, and a browser sends a Vietnamese letter
/// of three bytes as nine.
const FORM_BYTES_MAX: usize = 640 * 1024;

/// Photos decoded at once. One of 24 megapixels takes some 100 MB while it is open.
const PHOTOS_AT_ONCE: usize = 2;

/// How browsers reach the console; decides whether the session cookie is bound to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In clear text: loopback, or an office network that the configuration allows explicitly.
    ClearText,
    /// Through a proxy that ends TLS and passes the `Host` header on.
    Tls,
}

/// How people come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrance {
    /// How browsers reach the console.
    pub transport: Transport,
    /// Whoever has no second factor turns it on before they do anything else.
    pub requires_second_factor: bool,
}

impl From<Transport> for Entrance {
    fn from(transport: Transport) -> Self {
        Self {
            transport,
            requires_second_factor: false,
        }
    }
}

/// What every handler shares.
#[derive(Clone)]
struct Console {
    ward: Ward,
    transport: Transport,
    requires_second_factor: bool,
    hashing: signing::Hashing,
    photos: Arc<Semaphore>,
}

impl Console {
    /// Asks the ward something where waiting for SQLite holds up nobody else.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Ward) -> Result<T, WardError> + Send + 'static,
    ) -> Result<T, Problem> {
        let ward = self.ward.clone();
        tokio::task::spawn_blocking(move || question(&ward))
            .await
            .map_err(|_| Problem::Unexpected)?
            .map_err(Problem::from)
    }

    /// As [`Console::ask`], in the name of whoever is signed in: the audit trail says who it was.
    async fn ask_as<T: Send + 'static>(
        &self,
        staff: &Staff,
        question: impl FnOnce(&Ward) -> Result<T, WardError> + Send + 'static,
    ) -> Result<T, Problem> {
        let by = Actor::Staff(staff.author.officer);
        self.ask(move |ward| question(&ward.acting_for(by))).await
    }
}

/// Every route of the console, `/healthz` included.
pub fn router(ward: Ward, entrance: impl Into<Entrance>) -> Router {
    let Entrance {
        transport,
        requires_second_factor,
    } = entrance.into();
    let console = Console {
        ward,
        transport,
        requires_second_factor,
        hashing: signing::Hashing::new(),
        photos: Arc::new(Semaphore::new(PHOTOS_AT_ONCE)),
    };
    Router::new()
        .route("/", get(|| async { Redirect::to("/cases") }))
        .route("/login", get(signing::form).post(signing::sign_in))
        .route("/login/code", post(signing::give_code))
        .route("/logout", post(signing::sign_out))
        .route("/cases", get(list::show))
        .route("/cases/{id}", get(case::show))
        .route("/cases/{id}/accept", post(action::accept))
        .route("/cases/{id}/assign", post(action::assign))
        .route("/cases/{id}/answer", post(action::answer))
        .route("/cases/{id}/close", post(action::close))
        .route("/cases/{id}/note", post(action::note))
        .route("/cases/{id}/denunciation", post(action::reclassify))
        .route("/desk", get(desk::show).post(desk::record))
        .route("/audit", get(trail::show))
        .route("/devices", get(devices::show))
        .route("/devices/{id}/revoke", post(devices::revoke))
        .route("/quarantine", get(quarantine::list))
        .route("/quarantine/{number}", get(quarantine::show))
        .route("/quarantine/{number}/take", post(quarantine::take))
        .route("/quarantine/{number}/discard", post(quarantine::discard))
        .route("/requests", get(requests::list).post(requests::add))
        .route("/requests/{number}/answer", post(requests::answered))
        .route("/requests/{number}/close", post(requests::close))
        .route("/requests/{number}/access", post(requests::access))
        .route("/account", get(account::show))
        .route("/account/sessions", post(account::end_sessions))
        .route("/account/password", post(account::change_password))
        .route("/account/second-factor", post(account::begin_factor))
        .route(
            "/account/second-factor/confirm",
            post(account::confirm_factor),
        )
        .route(
            "/account/second-factor/remove",
            post(account::remove_factor),
        )
        .route(
            "/account/recovery-codes",
            post(account::renew_recovery_codes),
        )
        .route("/attachments/{hash}", get(photo::show))
        .route("/assets/{name}", get(asset::show))
        .route("/healthz", get(health))
        .fallback(|| async { Problem::NoPage })
        .method_not_allowed_fallback(|| async { Problem::NoMethod })
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn_with_state(transport, guard::headers))
        .with_state(console)
}

/// Whether the store answers; for whatever watches the server, so without a session.
async fn health(State(console): State<Console>) -> Response {
    let answers = console
        .ask(|ward| ward.read(|connection| rows::case(connection, Uuid::nil())))
        .await
        .is_ok();
    if answers {
        "ok\n".into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not answer\n",
        )
            .into_response()
    }
}
