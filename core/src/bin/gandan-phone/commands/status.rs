//! `status`: where this phone stands with its ward.

use gandan_core::store::device::wipe;
use gandan_core::store::{StoreError, lock};

use crate::Outcome;
use crate::arguments::Read;
use crate::failure::Failure;
use crate::output::{Output, StatusObject};
use crate::store;

/// Says where this phone stands; of a wiped one without its key, which is gone.
pub(super) fn status(arguments: &Read) -> Result<Outcome, Failure> {
    let directory = &arguments.store.directory;
    let failed = |cause| Failure::File {
        path: super::display(directory),
        cause,
    };
    let mut output = Output::new();
    if let Some(at) = wipe::wiped_at(directory).map_err(failed)? {
        let rescued = Some(wipe::rescued(directory)).filter(|file| file.exists());
        if arguments.json {
            let rescued = rescued.map(|file| super::display(&file));
            output.object(&StatusObject::wiped(at, rescued))?;
        } else {
            output.line("Dữ liệu trên máy đã được xóa theo lệnh của phường (wiped)")?;
            if let Some(file) = rescued {
                output.line(&format!(
                    "Phần chưa gửi được niêm phong cho phường: {} (sealed for the ward: gandan-server import-rescue)",
                    super::display(&file)
                ))?;
            }
        }
        output.flush()?;
        return Ok(Outcome::Complete);
    }
    if lock::is_locked(directory).map_err(failed)? {
        if arguments.json {
            output.object(&StatusObject::locked())?;
        } else {
            output.line("Ứng dụng đang khoá; mở bằng gandan-phone unlock (locked)")?;
        }
        output.flush()?;
        return Ok(Outcome::Complete);
    }
    let replica = store::open(&arguments.store)?;
    let standing = replica.standing()?;
    let pending = replica.pending()?.len();
    let rejected = match standing.days_out_of_touch {
        None => Some(replica.rejected()?),
        Some(_) => None,
    };
    if arguments.json {
        output.object(&StatusObject::new(&standing, pending, rejected.as_deref()))?;
    } else {
        let enrolled = match (standing.is_enrolled, standing.refused) {
            (false, _) => "Máy chưa được đăng ký (not enrolled)".to_owned(),
            (true, Some(refusal)) => refusal.to_string(),
            (true, None) => "Máy đã được đăng ký (enrolled)".to_owned(),
        };
        output.line(&enrolled)?;
        output.line(&match standing.last_contact {
            Some(at) => format!(
                "Gặp phường lần cuối lúc {} (last contact)",
                at.to_vietnamese()
            ),
            None => "Chưa gặp phường lần nào (no contact yet)".to_owned(),
        })?;
        if let Some(at) = standing.handed_over_at {
            output.line(&format!(
                "Phần chưa gửi đã giao cho phường lúc {}, chờ văn phòng xem xét (handed over)",
                at.to_vietnamese()
            ))?;
        }
        output.line(&match (&rejected, standing.days_out_of_touch) {
            (_, Some(days)) => format!(
                "Chưa gửi xong {pending} mục. {} (pending)",
                StoreError::OutOfTouch { days }
            ),
            (rejected, None) => format!(
                "Chưa gửi xong {pending} mục, phường từ chối {} mục (pending, rejected)",
                rejected.as_ref().map_or(0, Vec::len)
            ),
        })?;
    }
    output.flush()?;
    let is_warned = super::ward::warn_of_trail(&replica)?;
    let is_well = standing.refused.is_none()
        && pending == 0
        && rejected.is_some_and(|rejected| rejected.is_empty())
        && !is_warned;
    Ok(if is_well {
        Outcome::Complete
    } else {
        Outcome::Partial
    })
}
