//! People and their phones: `staff …`, `invite`, `officer areas`, `device list`, `device revoke`.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use gandan_core::model::Timestamp;
use qrcode::QrCode;
use qrcode::render::{svg, unicode};

use super::{CommandError, Outcome, Terminal, say, tell, write_private};
use crate::cli::{self, DeviceRevoke};
use crate::config::{self, Config};
use crate::ward::Ward;

/// Pixels of a side of a QR code.
const QR_PIXELS: u32 = 480;

/// A line longer than this is no password.
const PASSWORD_LINE_BYTES_MAX: u64 = 1024;

pub(super) fn add_staff(
    arguments: &cli::StaffAdd,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let password = read_password(terminal)?;
    let name = arguments.name.as_deref().unwrap_or(&arguments.login);
    let officer = ward.add_staff(&arguments.login, name, arguments.role, &password)?;
    say(terminal.output, format_args!("{officer}"))?;
    tell(
        terminal.messages,
        format_args!("Đã thêm, có thể đăng nhập ngay · Added, can sign in at once"),
    );
    Ok(Outcome::Done)
}

pub(super) fn list_staff(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    for staff in ward.staff()? {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}",
                staff.login,
                staff.name,
                staff.role.code(),
                if staff.has_second_factor { "on" } else { "off" },
            ),
        )?;
    }
    Ok(Outcome::Done)
}

pub(super) fn remove_staff(
    login: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.remove_staff(login)?;
    tell(
        terminal.messages,
        format_args!("Đã gỡ {login}, mọi phiên đã đóng · Removed, every session is closed"),
    );
    Ok(Outcome::Done)
}

pub(super) fn set_password(
    login: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let password = read_password(terminal)?;
    ward.set_password(login, &password)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã đổi mật khẩu, các phiên cũ đã đóng · Changed, earlier sessions are closed"
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn sign_out(
    login: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.sign_out_everywhere(login)?;
    tell(
        terminal.messages,
        format_args!("Đã đóng mọi phiên của {login} · Every session is closed"),
    );
    Ok(Outcome::Done)
}

pub(super) fn reset_second_factor(
    login: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.reset_second_factor(login)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã gỡ xác thực hai bước của {login}, các phiên đã đóng; nhắc họ bật lại ngay khi đăng nhập ·              Off, and signed out: have them turn it on again at once"
        ),
    );
    Ok(Outcome::Done)
}

/// One line of standard input; hidden while a person types it.
fn read_password(terminal: &mut Terminal) -> Result<zeroize::Zeroizing<String>, CommandError> {
    let echo = terminal.is_input_typed.then(|| {
        tell(
            terminal.messages,
            format_args!("Mật khẩu (ít nhất 8 ký tự) · Password (at least 8 characters):"),
        );
        HiddenTyping::begin()
    });
    let mut line = zeroize::Zeroizing::new(String::new());
    let mut input = std::io::Read::take(&mut *terminal.input, PASSWORD_LINE_BYTES_MAX);
    let read = std::io::BufRead::read_line(&mut input, &mut line);
    drop(echo);
    read.map_err(CommandError::Input)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    if line.is_empty() {
        return Err(CommandError::NoPassword);
    }
    Ok(line)
}

/// While it lives, the terminal does not show what is typed. Where there is no `stty` it does.
struct HiddenTyping;

impl HiddenTyping {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for HiddenTyping {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    let _ = Command::new("stty")
        .arg(setting)
        .stderr(Stdio::null())
        .status();
}

pub(super) fn invite(
    arguments: &cli::Invite,
    config: &Config,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let addresses = addresses(arguments, config, ward, terminal)?;
    let officer = ward.officer(&arguments.officer, arguments.role, &arguments.areas)?;
    let hours = arguments.hours.unwrap_or(config.invite_hours);
    let invite = ward.invite(officer, &addresses, i64::from(hours) * 3_600_000)?;
    let line = invite.to_string();
    say(terminal.output, format_args!("{line}"))?;
    if terminal.is_output_watched {
        // A line too long for a QR code is a line all the same.
        if let Ok(code) = QrCode::new(line.as_bytes()) {
            let picture = code
                .render::<unicode::Dense1x2>()
                .dark_color(unicode::Dense1x2::Light)
                .light_color(unicode::Dense1x2::Dark)
                .build();
            say(terminal.output, format_args!("\n{picture}"))?;
        }
    }
    if let Some(path) = &arguments.qr {
        // Eight addresses of the longest kind are more than a code holds.
        let code = QrCode::new(line.as_bytes()).map_err(|_| CommandError::NoQrCode)?;
        let picture = code
            .render::<svg::Color<'_>>()
            .min_dimensions(QR_PIXELS, QR_PIXELS)
            .build();
        write_private(path, picture.as_bytes())?;
    }
    tell(
        terminal.messages,
        format_args!(
            "Dùng một lần, đến {} · For one phone, until then. Whoever has this line can enrol: hand it over in person",
            invite.expires_at.to_vietnamese()
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn list_invites(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    for invite in ward.invites()? {
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}",
                invite.id,
                invite.officer_name,
                invite.created_at.to_rfc3339(),
                invite.expires_at.to_rfc3339(),
                invite.state.code(),
            ),
        )?;
    }
    Ok(Outcome::Done)
}

pub(super) fn revoke_invite(
    id: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.revoke_invite(id)?;
    tell(
        terminal.messages,
        format_args!("Đã hủy lời mời {id} · Taken back: it enrols nobody"),
    );
    Ok(Outcome::Done)
}

/// The command line's, the configuration's, where `serve` listened last, or the default.
fn addresses(
    arguments: &cli::Invite,
    config: &Config,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Vec<String>, CommandError> {
    if !arguments.addresses.is_empty() {
        return if arguments
            .addresses
            .iter()
            .all(|text| config::is_public_address(text))
        {
            Ok(arguments.addresses.clone())
        } else {
            Err(CommandError::Address)
        };
    }
    if !config.public_addresses.is_empty() {
        return Ok(config.public_addresses.clone());
    }
    let last = ward
        .last_addresses()?
        .and_then(|(quic, _)| quic.parse::<SocketAddr>().ok());
    match last {
        Some(address) if !address.ip().is_unspecified() => Ok(vec![address.to_string()]),
        _ => {
            // Nobody can connect to 0.0.0.0: which address is the server's is the administrator's to say.
            let port = last.unwrap_or(Config::default().quic).port();
            let guess = SocketAddr::from(([127, 0, 0, 1], port));
            tell(
                terminal.messages,
                format_args!(
                    "CHÚ Ý: chưa biết địa chỉ của máy chủ nhìn từ điện thoại; lời mời ghi {guess}, chỉ dùng được trên máy này.\n\
                     NOTE: how phones reach the server is not known; the invite says {guess}, which works on this machine only. \
                     Set public_addresses in {}, or give --address.",
                    config::FILE_NAME
                ),
            );
            Ok(vec![guess.to_string()])
        }
    }
}

pub(super) fn give_areas(
    arguments: &cli::OfficerAreas,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    // Without areas it is the whole ward, which must have been said.
    let officer = ward.set_areas(&arguments.officer, &arguments.areas)?;
    say(terminal.output, format_args!("{officer}"))?;
    tell(
        terminal.messages,
        format_args!(
            "Đã giao; điện thoại đổi theo ở lần đồng bộ sau · Given; phones follow at their next conversation"
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn hold(
    arguments: &cli::Hold,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let is_changed = arguments.everything || arguments.months.is_some();
    if is_changed {
        ward.set_months_held(arguments.months)?;
    }
    let held = ward.months_held()?;
    let held = held.map_or_else(|| "everything".to_owned(), |months| months.to_string());
    say(terminal.output, format_args!("{held}"))?;
    if is_changed {
        tell(
            terminal.messages,
            format_args!(
                "Đã ghi; điện thoại đổi theo ở lần đồng bộ sau · Noted; phones follow at their next conversation"
            ),
        );
    }
    Ok(Outcome::Done)
}

pub(super) fn list_devices(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    for device in ward.devices()? {
        let shown = |moment: Option<Timestamp>| {
            moment.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339)
        };
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                device.id,
                device.officer_name,
                device.name,
                shown(Some(device.enrolled_at)),
                shown(device.seen_at),
                shown(device.revoked_at),
                device.state().code(),
            ),
        )?;
    }
    Ok(Outcome::Done)
}

pub(super) fn revoke_device(
    arguments: &DeviceRevoke,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let prefix = arguments.device.as_str();
    let devices = ward.devices()?;
    let mut found = devices
        .iter()
        .filter(|device| !prefix.is_empty() && device.id.to_string().starts_with(prefix));
    let (Some(device), None) = (found.next(), found.next()) else {
        return Err(CommandError::AmbiguousDevice);
    };
    if arguments.refuse_unsent {
        ward.refuse_unsent(device.id)?;
    }
    let what = if arguments.wipe {
        ward.revoke_and_wipe(device.id)?;
        "Đã khóa; máy sẽ xóa dữ liệu ở lần kết nối sau · Locked: it is told to wipe itself at its next word"
    } else {
        ward.revoke(device.id)?;
        "Đã khóa · Locked: its next message is refused"
    };
    tell(
        terminal.messages,
        format_args!("{} ({}): {what}", device.name, device.officer_name),
    );
    Ok(Outcome::Done)
}
