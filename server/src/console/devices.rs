//! `/devices`: the phones of the ward, for those who oversee it, and the one thing that cannot wait when one is
//! lost.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gandan_core::model::Timestamp;

use super::Console;
use super::names::Names;
use super::page::{self, Frame, Message, Section};
use super::problem::Problem;
use super::session::{Overseer, OverseerForm};
use crate::ward::{Device, DeviceState, Staff, WardError};

struct Row {
    id: String,
    officer: String,
    name: String,
    enrolled: String,
    seen: Option<String>,
    state: &'static str,
    is_active: bool,
    can_be_wiped: bool,
}

impl From<Device> for Row {
    fn from(device: Device) -> Self {
        let state = device.state();
        Self {
            id: device.id.to_string(),
            enrolled: device.enrolled_at.to_vietnamese(),
            seen: device.seen_at.map(Timestamp::to_vietnamese),
            state: match state {
                DeviceState::Active => "Đang dùng",
                DeviceState::Revoked => "Đã khóa",
                DeviceState::ToBeWiped => "Đã khóa, chờ máy kết nối để xóa",
                DeviceState::ToldToWipe => "Đã khóa, đã báo máy tự xóa",
            },
            is_active: state == DeviceState::Active,
            can_be_wiped: matches!(state, DeviceState::Active | DeviceState::Revoked),
            officer: device.officer_name,
            name: device.name,
        }
    }
}

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    frame: Frame,
    message: Option<Message>,
    rows: Vec<Row>,
}

/// `GET /devices`
pub(super) async fn show(
    State(console): State<Console>,
    Overseer(staff): Overseer,
) -> Result<Response, Problem> {
    answer(&console, staff, StatusCode::OK, None).await
}

/// `POST /devices/{id}/revoke`: the device is locked out at once; with `wipe` it is told to destroy what it
/// holds as soon as it connects; with `refuse_unsent` nothing of it is taken any more.
pub(super) async fn revoke(
    State(console): State<Console>,
    Path(id): Path<String>,
    OverseerForm { staff, fields }: OverseerForm,
) -> Result<Response, Problem> {
    let wipe = fields.filled("wipe").is_some();
    let refuses_unsent = fields.filled("refuse_unsent").is_some();
    let revoked = console
        .ask_as(&staff, move |ward| {
            let devices = ward.devices()?;
            let device = devices.iter().find(|device| device.id.to_string() == id);
            let device = device.ok_or(WardError::NotFound("device"))?.id;
            if refuses_unsent {
                ward.refuse_unsent(device)?;
            }
            if wipe {
                ward.revoke_and_wipe(device)
            } else {
                ward.revoke(device)
            }
        })
        .await;
    let (status, message) = match revoked {
        Ok(()) if wipe => (
            StatusCode::OK,
            Message::good("Đã khóa máy. Máy sẽ tự xóa ở lần kết nối sau."),
        ),
        Ok(()) => (StatusCode::OK, Message::good("Đã khóa máy.")),
        Err(Problem::Ward(WardError::NotFound(_))) => (
            StatusCode::NOT_FOUND,
            Message::bad("Không có máy này.", Some("no_device")),
        ),
        Err(problem) => return Err(problem),
    };
    answer(&console, staff, status, Some(message)).await
}

async fn answer(
    console: &Console,
    staff: Staff,
    status: StatusCode,
    message: Option<Message>,
) -> Result<Response, Problem> {
    let page = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            Ok(DevicesPage {
                frame: Frame::new("Điện thoại".to_owned(), Section::Devices, &names, &staff),
                message,
                rows: ward.devices()?.into_iter().map(Row::from).collect(),
            })
        })
        .await?;
    Ok(page::answer(status, &page))
}
