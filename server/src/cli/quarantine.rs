//! The words for what revoked devices handed over.

use clap::{Args, Subcommand};

use super::Data;

/// `quarantine …`
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Liệt kê · Lists it, one a line: number, officer, device, came at, bytes, state (whole, cut)
    List(Data),
    /// In nội dung · Prints what is in it, one change a line: record, time, operation, field, value
    Show(QuarantineNumber),
    /// Nhận vào sổ · Lets it in
    Take(QuarantineNumber),
    /// Bỏ hẳn · Throws it away
    Discard(QuarantineNumber),
}

/// `quarantine show`, `quarantine take`, `quarantine discard`
#[derive(Debug, Args)]
pub struct QuarantineNumber {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Số trong danh sách · Its number, as the list has it
    #[arg(value_name = "NUMBER")]
    pub number: u64,
}
