//! `reclassify`, `erase` and `sealed list`.

use super::records::case_as_typed;
use super::{CommandError, Outcome, Terminal, say, tell};
use crate::ward::Ward;

pub(super) fn reclassify(
    typed: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.reclassify(case_as_typed(typed, ward)?)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã chuyển sang tố cáo: nội dung và danh tính đã xóa ở máy chủ, điện thoại xóa ở lần kết nối sau.\n\
             Sealed: content and identity are gone here, and from each phone at its next conversation.\n\
             Các bản sao lưu và tệp đã xuất trước đó vẫn còn nội dung: hãy hủy · Earlier backups and exports still hold it."
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn erase(
    typed: &str,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    ward.erase(case_as_typed(typed, ward)?)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã xóa người phản ánh; hồ sơ vẫn còn, điện thoại xóa ở lần kết nối sau.\n\
             The person is erased, the case stays; each phone follows at its next conversation."
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn sealed(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    for sealed in ward.sealed_register()? {
        let or_dash = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        say(
            terminal.output,
            format_args!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                sealed.number,
                sealed.recorded_at.to_rfc3339(),
                or_dash(&sealed.area),
                sealed.officer.0,
                or_dash(&sealed.paper_reference),
                or_dash(&sealed.official_number),
                sealed.case
            ),
        )?;
    }
    Ok(Outcome::Done)
}
