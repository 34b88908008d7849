//! The words for what people ask about their own data, and how long it is kept: `request …`, `access`,
//! `retention`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::Data;

/// `request …`
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// Ghi một yêu cầu · Notes one; prints its number
    Add(RequestAdd),
    /// Liệt kê, việc đến hạn trước đứng đầu · Lists them, what is due first before all, one a line: number, kind,
    /// received, due, state (open, overdue, done, refused), case, who asks
    List(Data),
    /// Đã trả lời người dân · The person was answered
    Answer(RequestNumber),
    /// Đóng yêu cầu; rút lại đồng ý và xóa thì xóa thông tin ngay · Ends it; a withdrawal or an erasure erases
    Close(RequestClose),
}

/// `request add`
#[derive(Debug, Args)]
pub struct RequestAdd {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Loại · What is asked
    #[arg(long, value_parser = PossibleValuesParser::new(["access", "correction", "withdrawal", "erasure"]))]
    pub kind: String,
    /// Ai yêu cầu, liên hệ thế nào · Who asks, and how to reach them
    #[arg(long, value_name = "WORDS")]
    pub asker: String,
    /// Hồ sơ có người này · A case by which the person is known: short code, official number or uuid
    #[arg(long, value_name = "ID")]
    pub person: Option<String>,
}

/// `request answer`
#[derive(Debug, Args)]
pub struct RequestNumber {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Số trong danh sách · Its number, as the list has it
    #[arg(value_name = "NUMBER")]
    pub number: u64,
}

/// `request close`
#[derive(Debug, Args)]
pub struct RequestClose {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Số trong danh sách · Its number, as the list has it
    #[arg(value_name = "NUMBER")]
    pub number: u64,
    /// Không chấp nhận, và lý do · Refused, and why
    #[arg(long, value_name = "REASON")]
    pub refuse: Option<String>,
}

/// `retention`
#[derive(Debug, Args)]
pub struct Retention {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Xóa phần đã quá hạn · Lets go what is due; without it nothing goes
    #[arg(long)]
    pub apply: bool,
}

/// `access`
#[derive(Debug, Args)]
pub struct Access {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Người phản ánh: mã của hồ sơ · The person, by short code, official number or uuid of their case
    #[arg(long, value_name = "ID")]
    pub person: String,
    /// Tệp mới: .json cho máy, tên khác là trang để đọc · A new file: for a machine if it ends with .json, else a
    /// page to read
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}
