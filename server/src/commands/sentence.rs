//! What a person reads when a command was not carried out: Vietnamese first, English second.

use super::CommandError;
use crate::backup::BackupError;
use crate::config::ConfigError;
use crate::serving::ListenError;
use crate::ward::WardError;

pub(super) fn of(error: &CommandError) -> String {
    let (mut sentence, english) = (vietnamese(error), error.to_string());
    if !sentence.contains(&english) {
        sentence.push('\n');
        sentence.push_str(&english);
    }
    // What the system says about a file or a database names no person.
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let words = cause.to_string();
        if !sentence.contains(&words) {
            sentence.push_str(": ");
            sentence.push_str(&words);
        }
        source = cause.source();
    }
    sentence
}

fn vietnamese(error: &CommandError) -> String {
    match error {
        CommandError::Ward(error) => ward(error),
        CommandError::Config(error) => config(error),
        CommandError::Areas(error) => format!(
            "Tệp khu vực có lỗi ở dòng {}; chưa nhập gì. Sửa dòng đó rồi nhập lại.",
            error.line
        ),
        CommandError::Input(_) => "Không đọc được tệp; kiểm tra tên tệp và quyền đọc.".to_owned(),
        CommandError::NoPassword => {
            "Chưa có mật khẩu; đưa mật khẩu vào đầu vào chuẩn, một dòng.".to_owned()
        }
        CommandError::AmbiguousDevice => {
            "Không có máy nào, hoặc có nhiều máy, mang mã bắt đầu như vậy.".to_owned()
        }
        CommandError::Address => "Địa chỉ cho điện thoại phải có dạng tên-máy:cổng.".to_owned(),
        CommandError::Serving => {
            "Đã có gandan-server khác đang phục vụ thư mục này; dừng nó trước, hoặc chọn thư mục khác cho --data."
                .to_owned()
        }
        CommandError::Listen(error) => listening(error),
        CommandError::Certificate(_) => {
            "Không dùng được chứng chỉ của trang tiếp nhận: xem lại console_certificate và console_key, hai tệp PEM của cùng một cặp."
                .to_owned()
        }
        CommandError::System(_) => {
            "Hệ điều hành từ chối; thử lại hoặc khởi động lại máy.".to_owned()
        }
        CommandError::NewFile(_) => {
            "Không ghi được tệp mới: chọn tên chưa có, trong thư mục ghi được.".to_owned()
        }
        CommandError::NoQrCode => {
            "Thư mời có quá nhiều địa chỉ cho một mã QR; bớt địa chỉ.".to_owned()
        }
        CommandError::Output(_) => "Không ghi được kết quả ra.".to_owned(),
        CommandError::Backup(error) => backup(error),
        // These speak both languages.
        CommandError::RecoveryKey(error) => error.to_string(),
        CommandError::Checkpoint(error) => error.to_string(),
        CommandError::Demo(error) => error.vietnamese(),
    }
}

fn backup(error: &BackupError) -> String {
    match error {
        BackupError::NotABackup => "Ở đây không có bản sao lưu nào.".to_owned(),
        BackupError::Newer => "Bản sao lưu do máy chủ mới hơn ghi; hãy dùng máy chủ đó.".to_owned(),
        BackupError::Occupied => {
            "Nơi này có thứ khác không phải bản sao lưu; hãy chọn nơi khác.".to_owned()
        }
        BackupError::OtherWard(code) => {
            format!("Nơi này chứa bản sao lưu của phường {code}; hãy chọn nơi khác.")
        }
        BackupError::Busy => {
            "Đang có một lần sao lưu khác ghi vào thư mục này; chờ nó xong.".to_owned()
        }
        BackupError::Damaged(_) => {
            "Bản sao lưu bị hỏng; lấy bản cũ hơn trong thư mục (--number), hoặc một bản chép khác."
                .to_owned()
        }
        BackupError::NoSuchNumber(number) => {
            format!("Thư mục này không có bản sao lưu số {number}.")
        }
        BackupError::WrongKey => {
            "Khóa khôi phục này không mở được bản sao lưu; khóa đúng đã được in khi tạo phường."
                .to_owned()
        }
        BackupError::WardIsThere => {
            "Thư mục này đã có một phường; hãy khôi phục vào thư mục trống.".to_owned()
        }
        BackupError::File(_) => "Không đọc hoặc ghi được tệp sao lưu.".to_owned(),
        BackupError::Ward(error) => ward(error),
    }
}

pub(crate) fn ward(error: &WardError) -> String {
    match error {
        WardError::NotInitialised => {
            "Thư mục này chưa có phường; tạo bằng: gandan-server init --data DIR --ward MÃ".to_owned()
        }
        WardError::NoStoreKey => {
            "Không có khóa mở kho dữ liệu: đặt lại tệp store.key vào thư mục, hoặc đưa khóa qua credential gandan-store-key hay biến GANDAN_STORE_KEY.".to_owned()
        }
        WardError::StoreKeyOpenToOthers => {
            "Tệp store.key để người khác đọc được; chỉ chủ của tệp được đọc: chmod 600 store.key".to_owned()
        }
        WardError::AlreadyInitialised => {
            "Thư mục này đã có một phường; chọn thư mục khác cho --data.".to_owned()
        }
        WardError::UnknownWard => {
            "Không có phường, xã nào mang mã này; mã gồm năm chữ số, ví dụ 26995.".to_owned()
        }
        WardError::NotFound("area") => "Không có khu vực này trong phường.".to_owned(),
        WardError::NotFound("login") => "Không có tên đăng nhập này.".to_owned(),
        WardError::NotFound("case") => "Không có hồ sơ này.".to_owned(),
        WardError::NotFound("device") => "Không có thiết bị này.".to_owned(),
        WardError::NotFound("request") => {
            "Không có yêu cầu nào còn mở với số này.".to_owned()
        }
        WardError::NotFound("file in quarantine") => {
            "Không có mục này trong phần chờ xem xét; có thể đã được xử lý.".to_owned()
        }
        WardError::NotFound("invite") => "Không có lời mời nào còn dùng được với mã này.".to_owned(),
        WardError::NotFound("officer") => "Không có cán bộ này.".to_owned(),
        WardError::NotFound(_) => "Không tìm thấy.".to_owned(),
        WardError::Taken("login") => "Tên đăng nhập này đã có người dùng; chọn tên khác.".to_owned(),
        WardError::Taken(_) => "Đã có rồi; chọn tên khác.".to_owned(),
        WardError::NotAllowed(code) => code.label().to_owned(),
        WardError::NumberingPaused => {
            "Việc cấp số đang dừng sau khi phục hồi; chờ điện thoại đồng bộ, hoặc chạy: gandan-server resume-numbering".to_owned()
        }
        WardError::TooManyAttempts => "Thử sai quá nhiều lần; chờ nửa phút rồi thử lại.".to_owned(),
        WardError::Damaged => {
            "Dữ liệu bị hỏng; dừng máy chủ, phục hồi bản sao lưu gần nhất, điện thoại sẽ gửi lại phần còn thiếu.".to_owned()
        }
        // These speak both languages.
        WardError::Invalid(rule) => format!("Giá trị chưa đúng: {rule}"),
        WardError::Rescue(error) => error.to_string(),
        WardError::Open(error) => error.to_string(),
        WardError::Full => "Ổ đĩa đầy; dọn bớt rồi thử lại, những gì đã nhận vẫn còn.".to_owned(),
        WardError::Database(_) => "Kho dữ liệu gặp lỗi; chưa thay đổi gì.".to_owned(),
        WardError::File(_) => "Không đọc hoặc ghi được tệp trong thư mục dữ liệu.".to_owned(),
    }
}

pub(crate) fn listening(error: &ListenError) -> String {
    format!(
        "Không mở được {}: cổng đang có chương trình khác dùng, hoặc máy không có địa chỉ này.",
        error.address
    )
}

fn config(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable(_) => "Không đọc được tệp cấu hình gandan.toml.".to_owned(),
        ConfigError::NotUnderstood(_) => {
            "Tệp cấu hình gandan.toml có chỗ sai; các khóa được mô tả trong docs/operations.md."
                .to_owned()
        }
        ConfigError::Invalid { place, .. } => format!("Giá trị cấu hình chưa đúng: {place}."),
        ConfigError::CleartextHttp(_) => {
            "Trang tiếp nhận sẽ chạy không mã hóa ra ngoài máy này; hãy đặt proxy TLS phía trước, \
             hoặc ghi rõ allow_cleartext_http = true nếu mạng là của riêng phường."
                .to_owned()
        }
    }
}
