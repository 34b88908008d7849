//! The words of the command line. Owns names and help, Vietnamese first; does nothing.

mod purge;
mod quarantine;
mod requests;
mod safety;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use gandan_core::model::{Role, WardCode};

pub use purge::{Erase, Reclassify, SealedCommand};
pub use quarantine::{QuarantineCommand, QuarantineNumber};
pub use requests::{Access, RequestAdd, RequestClose, RequestCommand, RequestNumber, Retention};
pub use safety::{
    AuditCommand, AuditList, AuditVerify, Backup, BackupCommand, BackupVerify, Check, Restore,
};

/// Máy chủ của một phường · The sync server and triage console of one ward
#[derive(Debug, Parser)]
#[command(name = "gandan-server", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything that the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Chơi thử một buổi chiều ở phường mẫu · Plays an afternoon in a sample ward
    Demo(Demo),
    /// Tạo phường · Makes a ward
    Init(Init),
    /// Chạy máy chủ · Serves phones (QUIC) and the console (HTTP)
    Serve(Serve),
    /// Người dùng trang tiếp nhận · Staff who sign in to the console
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Tạo lời mời để ghi danh một điện thoại · Makes an invite for one phone
    Invite(Invite),
    /// Các lời mời đã tạo · The invites that were made
    #[command(subcommand)]
    Invites(InvitesCommand),
    /// Điện thoại đã ghi danh · Enrolled phones
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Cán bộ đi cơ sở · Officers with phones
    #[command(subcommand)]
    Officer(OfficerCommand),
    /// Khu phố, ấp, thôn, tổ · The ward's areas
    #[command(subcommand)]
    Area(AreaCommand),
    /// Nhận tệp cứu hộ của một điện thoại · Takes a phone's rescue file
    ImportRescue(ImportRescue),
    /// Xuất một hồ sơ thành tệp automerge · Writes a case as a standard automerge file
    Export(Export),
    /// Điện thoại giữ hồ sơ đã xong bao lâu · How long phones hold what is finished
    Hold(Hold),
    /// Cho cấp số tiếp sau khi phục hồi · Lets numbering go on after a restore
    ResumeNumbering(Data),
    /// Nhật ký kiểm tra · The audit trail: who did what
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Sao lưu, cả khi máy chủ đang chạy · Backs the ward up, also while it serves
    Backup(Backup),
    /// Khôi phục từ bản sao lưu · Puts the ward back from a backup; the recovery key comes on standard input
    Restore(Restore),
    /// Kiểm tra toàn bộ dữ liệu · Checks everything that the ward holds
    Check(Check),
    /// Chuyển một hồ sơ thành tố cáo: xóa nội dung ở mọi nơi · Finds a case to be a denunciation: its content goes,
    /// everywhere
    Reclassify(Reclassify),
    /// Xóa người phản ánh của một hồ sơ ở mọi nơi · Erases a case's person everywhere; the case stays
    Erase(Erase),
    /// Yêu cầu của người dân về dữ liệu của mình · What people ask about their own data
    #[command(subcommand)]
    Request(RequestCommand),
    /// Thời hạn lưu giữ dữ liệu cá nhân · How long what is personal is kept, and how much of it is due, one rule a
    /// line: what, days (- for ever), due, and from when
    Retention(Retention),
    /// Lập bản thông tin cho người dân · Writes what is held of a person, to be given to them
    Access(Access),
    /// Sổ niêm phong các vụ tố cáo · The sealed register of denunciations
    #[command(subcommand)]
    Sealed(SealedCommand),
    /// Phần chưa gửi của máy bị khóa, chờ xem xét · What revoked devices handed over
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Ai được sửa gì, và trạng thái nào theo sau trạng thái nào · Who may change what, and which state follows which
    Policy(Policy),
}

/// Where the ward lives.
#[derive(Debug, Args)]
pub struct Data {
    /// Thư mục dữ liệu của phường · The ward's data directory
    #[arg(long = "data", value_name = "DIR", env = "GANDAN_DATA")]
    pub directory: PathBuf,
}

/// `demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Chạy xong thì thoát · Exits after the afternoon instead of serving the console
    #[arg(long)]
    pub once: bool,
    /// In tóm tắt dạng JSON · Prints the summary as JSON, everything else on standard error
    #[arg(long)]
    pub json: bool,
    /// Thư mục; phường mẫu trước đó trong này sẽ được thay · Directory; an earlier demo in it is replaced
    /// [default: ./gandan-demo; with --once a temporary one]
    #[arg(long = "data", value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Địa chỉ trang tiếp nhận · Where the console listens [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Địa chỉ cho điện thoại · Where phones connect [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    pub quic: Option<SocketAddr>,
}

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã phường năm chữ số · Five digits, such as 26995 (Phường Tân Hòa)
    #[arg(long, value_name = "CODE")]
    pub ward: WardCode,
}

/// `serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Địa chỉ cho điện thoại (UDP) · Where phones connect [default: from gandan.toml, or 127.0.0.1:4433]
    #[arg(long, value_name = "ADDR")]
    pub quic: Option<SocketAddr>,
    /// Địa chỉ trang tiếp nhận (TCP) · Where the console listens [default: from gandan.toml, or 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Cho phép trang tiếp nhận không mã hóa ngoài máy này · Allows the console beyond this machine without TLS
    #[arg(long)]
    pub allow_cleartext_http: bool,
}

/// `staff …`
#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Thêm người, mật khẩu đọc từ đầu vào chuẩn · Adds somebody; the password comes on standard input
    Add(StaffAdd),
    /// Liệt kê · Lists them, one a line: login, name, role, second factor (on, off)
    List(Data),
    /// Người đã nghỉ: không đăng nhập được nữa, việc đã làm vẫn ghi tên · Somebody has left: they sign in no more
    Remove(StaffNamed),
    /// Đổi mật khẩu, đọc từ đầu vào chuẩn; mọi phiên đang mở bị đóng · Another password, on standard input; ends their sessions
    Password(StaffNamed),
    /// Đóng mọi phiên của một người · Ends every session of somebody
    SignOut(StaffNamed),
    /// Gỡ xác thực hai bước của người mất điện thoại và mã dự phòng · Turns off the second factor of somebody who
    /// has lost the phone and the recovery codes; ends their sessions
    ResetSecondFactor(StaffNamed),
}

/// `staff remove`, `staff password`, `staff sign-out`, `staff reset-second-factor`
#[derive(Debug, Args)]
pub struct StaffNamed {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Tên đăng nhập · What they type to sign in
    #[arg(long, value_name = "NAME")]
    pub login: String,
}

/// `staff add`
#[derive(Debug, Args)]
pub struct StaffAdd {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Tên đăng nhập · What they type to sign in
    #[arg(long, value_name = "NAME")]
    pub login: String,
    /// Họ tên hiển thị · Shown to others [default: the login]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Vai trò · What they may do
    #[arg(long, value_parser = roles(&["triage", "chair", "admin"]))]
    pub role: Role,
}

/// `invites …`
#[derive(Debug, Subcommand)]
pub enum InvitesCommand {
    /// Liệt kê · Lists them, one a line: id, officer, made, expires, state (open, used, expired, revoked)
    List(Data),
    /// Hủy một lời mời bị lạc · Takes back one that was lost
    Revoke(InviteRevoke),
}

/// `invites revoke`
#[derive(Debug, Args)]
pub struct InviteRevoke {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã lời mời · Its id, as the list has it
    #[arg(value_name = "ID")]
    pub invite: String,
}

/// `invite`
#[derive(Debug, Args)]
pub struct Invite {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Họ tên cán bộ · Whose phone it is
    #[arg(long, value_name = "NAME")]
    pub officer: String,
    /// Vai trò · What they may do
    #[arg(long, value_parser = roles(&["leader", "officer", "triage"]))]
    pub role: Role,
    /// Mã khu phố, cách nhau bằng dấu phẩy · Codes of areas, divided by commas [default: the whole ward]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub areas: Vec<String>,
    /// Địa chỉ máy chủ nhìn từ điện thoại · host:port as phones see the server; may be given again
    /// [default: public_addresses of gandan.toml, or where serve listened last]
    #[arg(long = "address", value_name = "HOST:PORT")]
    pub addresses: Vec<String>,
    /// Ghi mã QR vào tệp mới · Writes the QR code into a new file, as SVG; whoever has it can enrol
    #[arg(long, value_name = "FILE")]
    pub qr: Option<PathBuf>,
    /// Lời mời dùng được bao lâu · How long it lives [default: invite_hours of gandan.toml, or 72]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=720))]
    pub hours: Option<u32>,
}

/// `officer …`
#[derive(Debug, Subcommand)]
pub enum OfficerCommand {
    /// Giao khu phố khác; điện thoại nhận hoặc quên hồ sơ ở lần đồng bộ sau · Gives other areas; at their
    /// next conversation phones get what is in them and forget what is not
    Areas(OfficerAreas),
}

/// `officer areas`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("scope").required(true))]
pub struct OfficerAreas {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Họ tên cán bộ · The officer's name
    #[arg(long, value_name = "NAME")]
    pub officer: String,
    /// Mã khu phố, cách nhau bằng dấu phẩy · Codes of areas, divided by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', group = "scope")]
    pub areas: Vec<String>,
    /// Toàn phường, xã · The whole ward
    #[arg(long, group = "scope")]
    pub whole_ward: bool,
}

/// `hold`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how long"))]
pub struct Hold {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Số tháng, ngoài tháng này · So many months, and the present one
    #[arg(long, value_name = "N", group = "how long")]
    pub months: Option<u16>,
    /// Giữ tất cả · Everything
    #[arg(long, group = "how long")]
    pub everything: bool,
}

/// `device …`
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Liệt kê · Lists them, one a line: id, officer, name, enrolled, last seen, revoked, state (active,
    /// revoked, to_be_wiped, told_to_wipe)
    List(Data),
    /// Khóa một máy bị mất · Locks a lost one at once
    Revoke(DeviceRevoke),
}

/// `device revoke`
#[derive(Debug, Args)]
pub struct DeviceRevoke {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã thiết bị, đủ để nhận ra · The id of the device, or its beginning
    #[arg(value_name = "ID")]
    pub device: String,
    /// Lệnh cho máy xóa hết dữ liệu ở lần kết nối sau, khi đã giao phần chưa gửi · Has it destroy what it holds
    /// at its next word, once it has handed over what is unsent
    #[arg(long)]
    pub wipe: bool,
    /// Không nhận phần chưa gửi qua mạng; nếu xóa, phần đó vẫn nằm niêm phong trên máy · Does not take what is
    /// unsent by the network; of a wiped phone it stays on it, sealed
    #[arg(long)]
    pub refuse_unsent: bool,
}

/// `area …`
#[derive(Debug, Subcommand)]
pub enum AreaCommand {
    /// Liệt kê · Lists them as CSV
    List(Data),
    /// Thêm hoặc sửa một khu phố · Adds one, or changes its name, type and old names
    Add(AreaAdd),
    /// Nhập từ tệp CSV · Imports a CSV file: code,name,type,parent,old_names,valid_from
    Import(AreaImport),
}

/// `area add`
#[derive(Debug, Args)]
pub struct AreaAdd {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã, không trùng trong phường · Unique within the ward
    #[arg(long)]
    pub code: String,
    /// Tên · Such as 'Khu phố 3'
    #[arg(long)]
    pub name: String,
    /// Loại · Such as 'khu phố', 'ấp', 'thôn', 'tổ'
    #[arg(long = "type", default_value = "khu phố")]
    pub type_label: String,
    /// Mã của khu vực ở trên · Code of the area above it
    #[arg(long, value_name = "CODE")]
    pub parent: Option<String>,
    /// Tên cũ, cách nhau bằng dấu ; · Old names, divided by ;
    #[arg(long, value_name = "NAMES", value_delimiter = ';')]
    pub old_names: Vec<String>,
    /// Có từ ngày · First day of validity
    #[arg(long, value_name = "YYYY-MM-DD", default_value = crate::register::WARDS_SINCE)]
    pub valid_from: String,
}

/// `area import`
#[derive(Debug, Args)]
pub struct AreaImport {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Tệp CSV · The file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `import-rescue`
#[derive(Debug, Args)]
pub struct ImportRescue {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Tệp cứu hộ · The file that the phone wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Nhận cả khi máy đã bị khóa, sau khi đã xem xét · Also of a phone that was revoked, once somebody has
    /// looked into it
    #[arg(long)]
    pub from_revoked: bool,
}

/// `export`
#[derive(Debug, Args)]
pub struct Export {
    /// Where.
    #[command(flatten)]
    pub data: Data,
    /// Mã hồ sơ, số tiếp nhận hoặc UUID · A short code, an official number or a uuid
    #[arg(value_name = "ID")]
    pub case: String,
}

/// `policy`
#[derive(Debug, Args)]
pub struct Policy {
    /// Dạng JSON, cho chương trình · As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// Takes one of these codes of roles.
fn roles(codes: &'static [&'static str]) -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(codes).map(|code| {
        Role::from_code(&code).expect("only codes of roles are offered to the command line")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn areas_are_a_list_and_a_foreign_role_is_refused() {
        let line = "gandan-server invite --data d --officer Hương --role officer --areas a,b";
        let Command::Invite(invite) = Cli::parse_from(line.split(' ')).command else {
            panic!("an invite");
        };
        assert_eq!(invite.areas, ["a", "b"]);
        let admin = line.replace("--role officer", "--role admin");
        assert_eq!(
            Cli::try_parse_from(admin.split(' '))
                .expect_err("an admin has no phone")
                .exit_code(),
            2
        );
    }
}
