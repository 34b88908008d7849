//! The words for what keeps a ward's records safe: audit, backup, restore, check.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Data;

/// `audit …`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Tìm mọi chỗ nhật ký bị sửa, xóa hoặc đổi chỗ · Finds any edit, removal or reordering of the trail
    Verify(AuditVerify),
    /// In điểm kiểm chứng của nhật ký để cất nơi khác · Prints a checkpoint of the trail, to be kept elsewhere
    Checkpoint(Data),
    /// Liệt kê nhật ký · Lists it, newest first: number, time, kind, outcome, actor, officer, device, detail, subjects
    List(AuditList),
}

/// `audit verify`
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Tệp điểm kiểm chứng do gandan-phone checkpoint in ra; - là đầu vào chuẩn · A file of checkpoints as gandan-phone
    /// checkpoint prints them, or - for standard input: finds also what was cut off or written anew
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
}

/// `audit list`
#[derive(Debug, Args)]
pub struct AuditList {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Loại việc · Only this kind, such as device_revoked
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Người làm · Only by this officer or member of staff: a name, a login or a uuid
    #[arg(long, value_name = "NAME")]
    pub officer: Option<String>,
    /// Về hồ sơ, cán bộ hay máy nào · Only about this: a case's code, number or uuid, or an id such as device:…
    #[arg(long, value_name = "ID")]
    pub about: Option<String>,
    /// Từ ngày · From this day on, in Việt Nam
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<String>,
    /// Đến hết ngày · Up to this day and with it
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<String>,
    /// Nhiều nhất · At most so many
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub limit: u32,
    /// Mỗi mục một dòng JSON · Each as one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `backup`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Backup {
    /// Xem lại một bản sao lưu.
    #[command(subcommand)]
    pub command: Option<BackupCommand>,
    /// Thư mục dữ liệu của phường · The ward's data directory
    #[arg(
        long = "data",
        value_name = "DIR",
        env = "GANDAN_DATA",
        required = true
    )]
    pub directory: Option<PathBuf>,
    /// Nơi lưu: thư mục (lần sau chỉ ghi phần mới) hoặc một tệp · Where to: a folder, into which later backups write
    /// only what is new, or one file (a name with an ending)
    #[arg(long, value_name = "PATH", required = true)]
    pub to: Option<PathBuf>,
    /// Ghi lại từ đầu · Writes everything anew, nothing of earlier backups is used
    #[arg(long)]
    pub full: bool,
    /// Giữ bao nhiêu bản mới nhất trong thư mục · How many of the newest backups the folder keeps
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
    /// Và mỗi ngày một bản trong bao nhiêu ngày · And for how many days the last one of each day
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub keep_days: u32,
}

/// `backup …`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Kiểm tra một bản sao lưu · Checks a backup
    Verify(BackupVerify),
    /// In khóa khôi phục mới khi mất bản giấy; bản sao lưu cũ vẫn cần khóa cũ · Prints another recovery key, if the
    /// paper is lost; earlier backups still need the old one
    NewKey(Data),
}

/// `backup verify`
#[derive(Debug, Args)]
pub struct BackupVerify {
    /// Bản sao lưu · The folder or the file
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Số thứ tự trong thư mục · Which one of the folder [default: the newest]
    #[arg(long, value_name = "N")]
    pub number: Option<u64>,
    /// Mở thử bằng khóa khôi phục đọc từ đầu vào chuẩn · Opens all of it with the recovery key, which comes on
    /// standard input
    #[arg(long)]
    pub with_key: bool,
    /// Khóa khôi phục nằm trong tệp này · The recovery key is in this file
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// `restore`
#[derive(Debug, Args)]
pub struct Restore {
    /// Bản sao lưu · The folder or the file
    #[arg(long, value_name = "PATH")]
    pub from: PathBuf,
    /// Where to: a folder without a ward.
    #[command(flatten)]
    pub data: Data,
    /// Số thứ tự trong thư mục · Which one of the folder [default: the newest]
    #[arg(long, value_name = "N")]
    pub number: Option<u64>,
    /// Khóa khôi phục nằm trong tệp này, thay cho đầu vào chuẩn · The recovery key is in this file, not on standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// Where.
    #[command(flatten)]
    pub data: Data,
}
