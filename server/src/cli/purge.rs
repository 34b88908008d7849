//! `reclassify`, `erase`, `sealed`.

use clap::{Args, Subcommand};

use super::Data;

/// `reclassify`
#[derive(Debug, Args)]
pub struct Reclassify {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã ngắn, số hồ sơ hoặc mã đầy đủ · Short code, official number or uuid
    #[arg(value_name = "ID")]
    pub case: String,
    /// Chỉ có: denunciation · What it is in law
    #[arg(long, value_parser = ["denunciation"])]
    pub kind: String,
}

/// `erase`
#[derive(Debug, Args)]
pub struct Erase {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Người phản ánh: mã của hồ sơ · The person, by short code, official number or uuid of their case
    #[arg(long, value_name = "ID")]
    pub person: String,
}

/// `sealed …`
#[derive(Debug, Subcommand)]
pub enum SealedCommand {
    /// Liệt kê; mỗi lần xem đều ghi vào nhật ký · Lists it, one a line: number, recorded, area, officer, paper
    /// reference, official number, id; each look is noted in the audit trail
    List(Data),
}
