//! Commands that talk with the ward.

use gandan_core::client::{self, SyncReport};
use gandan_core::protocol::invite::Invite;
use gandan_core::replica::{Look, Replica};
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::arguments::{Enrol, Read, Show, Sync};
use crate::failure::Failure;
use crate::output::{Output, SyncLine};
use crate::store;

/// Enrols this phone.
pub(super) fn enrol(arguments: &Enrol) -> Result<Outcome, Failure> {
    let invite: Invite = arguments.invite.trim().parse()?;
    let replica = store::open_or_make(&arguments.store)?;
    runtime()?.block_on(client::enrol(&replica, &invite, &arguments.name))?;
    let mut output = Output::new();
    match replica.directory() {
        Some(directory) => output.line(&format!(
            "Đã đăng ký với {} (enrolled)",
            directory.ward_name
        ))?,
        None => {
            output.line("Đã đăng ký (enrolled)")?;
            eprintln!(
                "Chưa nhận được danh mục của phường: hãy đồng bộ trước khi đi thực địa \
                 (the ward's reference data did not come; run sync before going out)"
            );
        }
    }
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Asks the ward to know this phone by another key, and uses it.
pub(super) fn renew_key(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    runtime()?.block_on(client::renew_key(&replica))?;
    let mut output = Output::new();
    output.line("Đã đổi khoá của máy (this phone has another key)")?;
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Synchronises.
pub(super) fn sync(arguments: &Sync) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let mut output = Output::new();
    let report = match runtime()?.block_on(client::sync(&replica, &mut |_| {})) {
        Ok(report) => report,
        Err(error) => {
            if arguments.json {
                // Nothing is known to have arrived; what waits is known all the same.
                let pending = replica.pending()?.len() as u64;
                let report = SyncReport {
                    pending,
                    ..SyncReport::default()
                };
                output.object(&SyncLine::from(&report))?;
                output.flush()?;
            }
            return Err(error.into());
        }
    };
    if arguments.json {
        output.object(&SyncLine::from(&report))?;
    } else {
        output.line(&words(&report))?;
    }
    output.flush()?;
    if report.pending > 0 {
        eprintln!(
            "Còn {} mục chưa có trả lời cuối cùng của phường (still pending; see gandan-phone pending)",
            report.pending
        );
    }
    if report.rejected > 0 {
        eprintln!(
            "Phường từ chối {} thay đổi; nội dung vẫn ở trên máy (refused by the ward; see gandan-phone rejected)",
            report.rejected
        );
    }
    warn_of_trail(&replica)?;
    if !report.is_agreed {
        eprintln!(
            "Máy và phường chưa khớp nhau; không mất gì, hãy đồng bộ lại (this phone and the ward do not hold the same yet; nothing is lost, run sync again)"
        );
    }
    Ok(
        if report.pending == 0 && report.rejected == 0 && report.is_agreed {
            Outcome::Complete
        } else {
            Outcome::Partial
        },
    )
}

/// Shows a case; one that is not here is asked for first.
pub(super) fn look(arguments: &Show) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    if replica.look_up(&arguments.id)? == Look::Waiting {
        runtime()?.block_on(client::sync(&replica, &mut |_| {}))?;
        if !matches!(replica.look(&arguments.id)?, Look::Here(_)) {
            return Err(Failure::NotLent);
        }
    }
    drop(replica);
    super::read::show(arguments)
}

/// Prints what this phone witnessed.
pub(super) fn checkpoint(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let mut output = Output::new();
    for checkpoint in replica.witnessed()?.checkpoints {
        output.line(&checkpoint.to_string())?;
    }
    output.flush()?;
    Ok(if warn_of_trail(&replica)? {
        Outcome::Partial
    } else {
        Outcome::Complete
    })
}

/// Says loudly if the ward's audit trail is not the one that this phone witnessed; whether it did.
pub(super) fn warn_of_trail(replica: &Replica) -> Result<bool, Failure> {
    let Some(shown) = replica.witnessed()?.broken_by else {
        return Ok(false);
    };
    eprintln!(
        "CẢNH BÁO: nhật ký kiểm tra của phường đã bị cắt hoặc viết lại (mục {}, lúc {}); hãy báo lãnh đạo phường và giữ nguyên điện thoại này \
         (WARNING: the ward's audit trail was cut or written anew, and no restore tells why; tell the ward's leaders and keep this phone as it is)",
        shown.number,
        shown.at.to_rfc3339()
    );
    Ok(true)
}

fn words(report: &SyncReport) -> String {
    let standing = match (report.is_agreed, report.pending) {
        (true, 0) => "Đã đồng bộ, hai bên khớp nhau",
        (true, _) => "Chưa gửi hết",
        (false, _) => "Hai bên chưa khớp",
    };
    format!(
        "{standing}. Gửi {} thay đổi, phường nhận {}; nhận về {}; {} byte lên, {} byte xuống, {} ms",
        report.sent,
        report.accepted,
        report.received,
        report.bytes_up,
        report.bytes_down,
        report.milliseconds
    )
}

/// One conversation needs no more than the thread it is on.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Stream)
}
