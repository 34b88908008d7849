//! `backup`, `backup verify` and `restore`.

use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::recovery::RecoveryKey;
use zeroize::Zeroizing;

use super::{CommandError, Outcome, Terminal, say, tell};
use crate::backup::{self, Summary, Wishes};
use crate::cli;
use crate::ward::Ward;

pub(super) fn write(
    arguments: &cli::Backup,
    ward: &Ward,
    data: &Path,
    to: &Path,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let wishes = Wishes {
        full: arguments.full,
        keep: arguments.keep as usize,
        keep_days: arguments.keep_days,
    };
    let summary = backup::write(ward, data, to, wishes)?;
    say_summary(&summary, terminal)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã sao lưu vào {}, thêm {} byte; chỉ mở được bằng khóa khôi phục · Backed up, sealed to the recovery key",
            summary.path.display(),
            summary.added
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn verify(
    arguments: &cli::BackupVerify,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let with_key = arguments.with_key || arguments.key_file.is_some();
    let key = match with_key {
        true => Some(read_key(arguments.key_file.as_deref(), terminal)?),
        false => None,
    };
    let summary = backup::verify(&arguments.path, arguments.number, key.as_ref())?;
    say_summary(&summary, terminal)?;
    let words = if with_key {
        "Bản sao lưu nguyên vẹn và mở được bằng khóa này · The backup is whole, and this key opens all of it"
    } else {
        "Bản sao lưu nguyên vẹn, mang chữ ký của phường; mở thử bằng --with-key · The backup is whole and signed by the ward; \
         --with-key opens it as well"
    };
    tell(terminal.messages, format_args!("{words}"));
    Ok(Outcome::Done)
}

pub(super) fn new_key(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    let key = ward.new_recovery_key()?;
    say(terminal.output, format_args!("recovery-key {key}"))?;
    tell(
        terminal.messages,
        format_args!(
            "Khóa này chỉ hiện một lần: in ra, cất xa máy chủ, rồi sao lưu ngay. Bản sao lưu trước đây vẫn cần khóa cũ.\n\
             This key is shown once: print it, keep it away from the server, and back up now. Earlier backups still need the old one."
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn restore(
    arguments: &cli::Restore,
    environment: Arc<dyn Environment>,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let data = &arguments.data.directory;
    let key = read_key(arguments.key_file.as_deref(), terminal)?;
    let (_, summary) = backup::restore(&arguments.from, arguments.number, data, &key, environment)?;
    say_summary(&summary, terminal)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã khôi phục vào {0}. Chạy máy chủ: điện thoại tự gửi lại những gì ghi sau bản sao lưu này; số tiếp nhận chờ đến khi đó.\n\
             Restored. Serve it: phones give back by themselves what came after this backup; official numbers wait until then.\n  \
             gandan-server check --data {0}\n  gandan-server serve --data {0}",
            data.display()
        ),
    );
    Ok(Outcome::Done)
}

fn say_summary(summary: &Summary, terminal: &mut Terminal) -> Result<(), CommandError> {
    say(
        terminal.output,
        format_args!(
            "ward={} number={} made={} bytes={} feed={} audit={}",
            summary.ward,
            summary.number,
            summary.made_at.to_rfc3339(),
            summary.bytes,
            summary.feed,
            summary.audit
        ),
    )
}

/// The key on paper, typed or given by a program; never an argument, which others can see.
fn read_key(file: Option<&Path>, terminal: &mut Terminal) -> Result<RecoveryKey, CommandError> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(CommandError::Input)?;
        return Ok(Zeroizing::new(text).parse()?);
    }
    if terminal.is_input_typed {
        tell(
            terminal.messages,
            format_args!("Gõ khóa khôi phục đã in khi tạo phường · Type the recovery key:"),
        );
    }
    let mut typed = Zeroizing::new(String::new());
    // A key that was printed over several lines is read over several lines.
    loop {
        let read = terminal.input.read_line(&mut typed);
        let is_over = read.map_err(CommandError::Input)? == 0 || typed.len() > INPUT_BYTES_MAX;
        match typed.parse::<RecoveryKey>() {
            Err(_) if !is_over => {}
            key => return Ok(key?),
        }
    }
}

/// More than a page of paper.
const INPUT_BYTES_MAX: usize = 16 * 1024;
