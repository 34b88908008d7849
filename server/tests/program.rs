//! The program from outside: its words, its exit codes and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gandan-server");

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    for (name, _) in std::env::vars() {
        if name.starts_with("GANDAN_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program runs")
}

fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = program(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    child
        .stdin
        .take()
        .expect("its input is a pipe")
        .write_all(input.as_bytes())
        .expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it speaks UTF-8")
}

/// A folder with a fresh ward.
fn ward() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = run(&["init", "--data", path(&folder), "--ward", "26995"]);
    assert_eq!(code(&made), 0, "{}", text(&made.stderr));
    assert!(text(&made.stdout).contains("Phường Tân Hòa"));
    folder
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().expect("a temporary path is text")
}

/// A serving program; ended with the value.
struct Serving {
    child: Child,
    output: BufReader<ChildStdout>,
    ready: String,
}

impl Serving {
    fn start(data: &str) -> Self {
        let arguments = [
            "serve",
            "--data",
            data,
            "--quic",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ];
        let mut child = program(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut ready = String::new();
        output
            .read_line(&mut ready)
            .expect("it says that it is ready");
        Self {
            child,
            output,
            ready,
        }
    }

    fn address(&self, name: &str) -> String {
        self.ready
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .expect("the address is in the ready line")
            .to_owned()
    }

    fn get(&self, page: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.address("http")).expect("it listens");
        write!(
            stream,
            "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_demo_that_ends_at_once_leaves_everything_on_the_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..2 {
        // The second replaces what the first one left.
        let played = run(&["demo", "--once", "--json", "--data", path(&folder)]);
        let story = text(&played.stderr);
        assert_eq!(code(&played), 0, "{story}");
        let summary: Value = serde_json::from_slice(&played.stdout).expect("the summary is JSON");
        assert_eq!(summary["all_on_server"], true, "{summary}");
        assert_eq!(summary["digests_equal"], true, "{summary}");
        assert_eq!(summary["pending"], 0);
        assert_eq!(summary["rejected"], 0);
        assert!(summary["cases"].as_u64() >= Some(40));
        assert!(summary["accepted"].as_u64() >= Some(20));
        assert_eq!(summary["delivered"], 2);
        assert_eq!(
            summary["conflicts"], 1,
            "one case has two urgencies at once"
        );
        assert!(summary["photos"].as_u64() >= Some(10));
        assert!(summary["bytes_up"].as_u64() > summary["payload_up"].as_u64());
        let numbers = summary["official_numbers"].as_array().expect("a list");
        for (index, number) in numbers.iter().enumerate() {
            let number = number.as_str().expect("text");
            assert!(
                number.contains(&format!("-{:06}/P26995", index + 1)),
                "gapless: {number}"
            );
        }
    }
}

#[test]
fn a_demo_does_not_touch_a_real_ward() {
    let folder = ward();
    let refused = run(&["demo", "--once", "--data", path(&folder)]);
    assert_eq!(code(&refused), 2);
    let listed = run(&["area", "list", "--data", path(&folder)]);
    assert_eq!(code(&listed), 0);
}

#[test]
fn serve_says_when_both_doors_are_open_and_ends_in_order_when_asked() {
    let folder = ward();
    let mut serving = Serving::start(path(&folder));
    assert!(
        serving.ready.starts_with("ready quic=127.0.0.1:"),
        "{}",
        serving.ready
    );
    assert!(serving.ready.trim_end().ends_with(" ward=26995"));
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    terminate(&serving.child);
    let ended = serving.child.wait().expect("it ends");
    assert_eq!(ended.code(), Some(0));
    let mut rest = String::new();
    serving.output.read_to_string(&mut rest).expect("readable");
    assert_eq!(rest, "", "one line and no more");
}

#[test]
fn a_folder_is_served_by_one_process() {
    let folder = ward();
    let serving = Serving::start(path(&folder));
    let second = run(&[
        "serve",
        "--data",
        path(&folder),
        "--quic",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
    ]);
    assert_eq!(code(&second), 3, "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("Đã có gandan-server khác"));
    assert_eq!(text(&second.stdout), "");
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn commands_work_while_it_serves_and_an_invite_knows_where() {
    let folder = ward();
    let serving = Serving::start(path(&folder));
    let added = run_with_input(
        &[
            "staff",
            "add",
            "--data",
            path(&folder),
            "--login",
            "thu",
            "--role",
            "triage",
        ],
        "mật khẩu dài\n",
    );
    assert_eq!(code(&added), 0, "{}", text(&added.stderr));
    let invited = run(&[
        "invite",
        "--data",
        path(&folder),
        "--officer",
        "Hương",
        "--role",
        "officer",
    ]);
    assert_eq!(code(&invited), 0, "{}", text(&invited.stderr));
    let line = text(&invited.stdout);
    assert_eq!(line.lines().count(), 1, "no QR code into a pipe");
    let invite: gandan_core::protocol::invite::Invite = line.trim().parse().expect("an invite");
    assert_eq!(invite.addresses, [serving.address("quic")]);
}

#[test]
fn an_officer_gets_other_areas_while_it_serves() {
    let folder = ward();
    let _serving = Serving::start(path(&folder));
    let data = path(&folder);
    let invited = [
        "invite",
        "--data",
        data,
        "--officer",
        "Hương",
        "--role",
        "officer",
    ];
    assert_eq!(code(&run(&invited)), 0);
    let give = |officer, rest: &[&str]| {
        let mut arguments = vec!["officer", "areas", "--data", data, "--officer", officer];
        arguments.extend_from_slice(rest);
        run(&arguments)
    };
    let given = give("Hương", &["--areas", "26998,27001"]);
    assert_eq!(code(&given), 0, "{}", text(&given.stderr));
    assert_eq!(code(&give("Hương", &["--whole-ward"])), 0);
    // Which of the two must be said, of somebody who is there, with areas that are.
    assert_eq!(code(&give("Hương", &[])), 2);
    assert_eq!(
        code(&give("Hương", &["--areas", "26998", "--whole-ward"])),
        2
    );
    assert_eq!(code(&give("Ai đó", &["--areas", "26998"])), 2);
    assert_eq!(code(&give("Hương", &["--areas", "không có"])), 2);
}

#[test]
fn wrong_usage_says_what_to_do_in_both_languages() {
    let folder = ward();
    let data = path(&folder);
    let nobody = tempfile::tempdir().expect("a temporary folder");
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (
            &["init", "--data", data, "--ward", "26995"],
            2,
            "đã có một phường",
            "holds a ward",
        ),
        (
            &["init", "--data", path(&nobody), "--ward", "00000"],
            2,
            "năm chữ số",
            "five digits",
        ),
        (
            &["serve", "--data", path(&nobody)],
            3,
            "chưa có phường",
            "gandan-server init",
        ),
        (
            &["serve", "--data", data, "--http", "0.0.0.0:0"],
            2,
            "không mã hóa",
            "without TLS",
        ),
        (
            &["export", "--data", data, "ABC-DEFG"],
            2,
            "Không có hồ sơ",
            "no such case",
        ),
        (
            &["device", "revoke", "--data", data, "ff"],
            2,
            "Không có máy nào",
            "no device",
        ),
        (
            &["import-rescue", "--data", data, "no-such-file"],
            2,
            "Không đọc được tệp",
            "cannot be read",
        ),
        (
            &[
                "invite",
                "--data",
                data,
                "--officer",
                "H",
                "--role",
                "officer",
                "--address",
                "x",
            ],
            2,
            "tên-máy:cổng",
            "host:port",
        ),
    ];
    for (arguments, expected, vietnamese, english) in cases {
        let output = run(arguments);
        let said = text(&output.stderr);
        assert_eq!(code(&output), *expected, "{arguments:?}: {said}");
        assert!(said.contains(vietnamese), "{arguments:?}: {said}");
        assert!(said.contains(english), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(code(&run(&["serve"])), 2, "clap's own");
}

#[test]
fn the_rules_are_printed_for_readers_and_for_programs() {
    let table = text(&run(&["policy"]).stdout);
    let row = |start: &str| {
        let found = table.lines().find(|line| line.starts_with(start));
        found
            .unwrap_or_else(|| panic!("no {start:?} in {table}"))
            .to_owned()
    };
    assert_eq!(row("case\tofficial_number").split('\t').nth(5), Some("no"));
    assert_eq!(row("case\tlegal_kind").split('\t').nth(5), Some("yes"));
    assert!(row("closed\t").contains("reopened"));

    let rules: Value =
        serde_json::from_str(&text(&run(&["policy", "--json"]).stdout)).expect("JSON");
    let fields = rules["fields"].as_array().expect("a list");
    let delivered = fields
        .iter()
        .find(|rule| rule["field"] == "delivered_at")
        .expect("a rule");
    assert_eq!(delivered["in_scope"], "while answered,closed");
    assert_eq!(rules["transitions"].as_array().map(Vec::len), Some(11));
}

#[test]
fn a_password_comes_on_standard_input_only() {
    let folder = ward();
    let arguments = [
        "staff",
        "add",
        "--data",
        path(&folder),
        "--login",
        "thu",
        "--role",
        "chair",
    ];
    assert_eq!(code(&run_with_input(&arguments, "")), 2);
    assert_eq!(code(&run_with_input(&arguments, "ngắn\n")), 2);
    assert_eq!(code(&run_with_input(&arguments, "đủ dài rồi\n")), 0);
    assert_eq!(
        code(&run_with_input(&arguments, "đủ dài rồi\n")),
        2,
        "the login is taken"
    );
}

#[test]
fn a_misspelt_key_in_the_configuration_stops_the_start() {
    let folder = ward();
    std::fs::write(folder.path().join("gandan.toml"), "htpp = '127.0.0.1:1'\n").expect("writable");
    let output = run(&["serve", "--data", path(&folder)]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("htpp"));
}

#[test]
fn areas_go_out_as_they_came_in() {
    let folder = ward();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample-areas-26995.csv");
    let sample = sample.to_str().expect("text");
    let imported = run(&["area", "import", "--data", path(&folder), sample]);
    assert_eq!(code(&imported), 0, "{}", text(&imported.stderr));
    let listed = run(&["area", "list", "--data", path(&folder)]);
    let again = run_with_input(
        &["area", "import", "--data", path(&folder), "-"],
        &text(&listed.stdout),
    );
    assert_eq!(code(&again), 0, "{}", text(&again.stderr));
    assert_eq!(
        run(&["area", "list", "--data", path(&folder)]).stdout,
        listed.stdout
    );
}

/// Asks as systemd does; the standard library can only kill.
fn terminate(child: &Child) {
    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("the system has kill");
    assert!(asked.success());
}

/// The recovery key that `init` printed.
fn recovery_key(made: &Output) -> String {
    text(&made.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("recovery-key "))
        .expect("init prints the recovery key")
        .to_owned()
}

#[test]
fn a_ward_is_backed_up_while_it_serves_and_comes_back_from_the_paper_key_alone() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| {
        let path = root.path().join(name);
        path.to_str().expect("a temporary path is text").to_owned()
    };
    let (data, backups, back) = (place("ward"), place("backups"), place("back"));
    let made = run(&["init", "--data", &data, "--ward", "26995"]);
    assert_eq!(code(&made), 0);
    let key = recovery_key(&made);
    assert!(text(&made.stderr).contains("KHÓA KHÔI PHỤC"));
    let serving = Serving::start(&data);
    for file in ["", "/one.backup"] {
        let to = format!("{backups}{file}");
        let to = if file.is_empty() {
            to
        } else {
            place("one.backup")
        };
        let backup = run(&["backup", "--data", &data, "--to", &to]);
        assert_eq!(code(&backup), 0, "{}", text(&backup.stderr));
        let found = run(&["backup", "verify", &to]);
        assert_eq!(code(&found), 0, "{}", text(&found.stderr));
        assert_eq!(text(&found.stdout), text(&backup.stdout));
        let opened = run_with_input(&["backup", "verify", &to, "--with-key"], &key);
        assert_eq!(code(&opened), 0, "{}", text(&opened.stderr));
    }
    drop(serving);
    std::fs::remove_dir_all(&data).expect("the disk is gone");

    for (typed, expected) in [
        ("", 2),
        ("GDKP-AAAA", 2),
        (key.as_str(), 0),
        (key.as_str(), 2),
    ] {
        let restored = run_with_input(
            &["restore", "--from", &backups, "--data", &back],
            &typed.to_lowercase(),
        );
        assert_eq!(code(&restored), expected, "{}", text(&restored.stderr));
    }
    // A key in a file, together with whatever `init` printed beside it.
    let paper = place("paper.txt");
    std::fs::write(&paper, &made.stdout).expect("own folder");
    let again = place("again");
    let one = place("one.backup");
    let restored = run(&[
        "restore",
        "--from",
        &one,
        "--data",
        &again,
        "--key-file",
        &paper,
    ]);
    assert_eq!(code(&restored), 0, "{}", text(&restored.stderr));
    let checked = run(&["check", "--data", &back]);
    assert_eq!(code(&checked), 0, "{}", text(&checked.stdout));
    assert!(text(&checked.stdout).starts_with("sound "));
    let verified = run(&["audit", "verify", "--data", &back]);
    assert_eq!(code(&verified), 0, "{}", text(&verified.stdout));
    let listed = run(&["audit", "list", "--data", &back, "--kind", "restored"]);
    assert_eq!(text(&listed.stdout).lines().count(), 1);
    let serving = Serving::start(&back);
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_backup_that_is_killed_leaves_the_one_before() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let data = ward();
    let backups = root.path().join("backups");
    let backups = backups.to_str().expect("a temporary path is text");
    let back_up = ["backup", "--data", path(&data), "--to", backups, "--full"];
    assert_eq!(code(&run(&back_up)), 0);
    for _ in 0..5 {
        let mut child = program(&back_up)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        // As soon as it has begun to write: the first file that is not whole yet.
        while child.try_wait().expect("a child can be asked").is_none() {
            let has_begun = std::fs::read_dir(backups)
                .expect("the folder is there")
                .filter_map(Result::ok)
                .any(|entry| {
                    entry
                        .path()
                        .extension()
                        .is_some_and(|end| end == "unfinished")
                });
            if has_begun {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        let found = run(&["backup", "verify", backups]);
        assert_eq!(code(&found), 0, "{}", text(&found.stderr));
    }
    assert_eq!(code(&run(&back_up)), 0);
    assert_eq!(code(&run(&["check", "--data", path(&data)])), 0);
}

#[test]
fn a_store_key_that_others_can_read_is_refused_and_may_come_from_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = ward();
    let key = data.path().join("store.key");
    let rights = |mode| {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("own file");
    };
    rights(0o640);
    let refused = run(&["check", "--data", path(&data)]);
    assert_eq!(code(&refused), 3);
    assert!(text(&refused.stderr).contains("chmod 600"));
    rights(0o600);
    assert_eq!(code(&run(&["check", "--data", path(&data)])), 0);

    let digits = std::fs::read_to_string(&key).expect("own file");
    std::fs::remove_file(&key).expect("own file");
    let without = run(&["check", "--data", path(&data)]);
    assert_eq!(code(&without), 3, "{}", text(&without.stderr));
    let with = |name: &str, value: &str| {
        program(&["check", "--data", path(&data)])
            .env(name, value)
            .output()
            .expect("the program runs")
    };
    assert_eq!(code(&with("GANDAN_STORE_KEY", digits.trim())), 0);
    assert_eq!(code(&with("GANDAN_STORE_KEY", "ffff")), 3);
    let credentials = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(credentials.path().join("gandan-store-key"), digits).expect("own folder");
    assert_eq!(code(&with("CREDENTIALS_DIRECTORY", path(&credentials))), 0);
}

#[test]
fn a_server_that_was_told_where_backs_itself_up() {
    let data = ward();
    let root = tempfile::tempdir().expect("a temporary folder");
    let backups = root.path().join("backups");
    let to = backups.to_str().expect("a temporary path is text");
    std::fs::write(
        data.path().join("gandan.toml"),
        format!("backup_to = {to:?}\n"),
    )
    .expect("own folder");
    let serving = Serving::start(path(&data));
    // The first one is written at once; its entry of the trail comes last.
    let list = [
        "audit",
        "list",
        "--data",
        path(&data),
        "--kind",
        "backup_made",
    ];
    let is_told = (0..200).any(|_| text(&run(&list).stdout).contains("\tward\t"));
    assert!(is_told);
    drop(serving);
    assert_eq!(code(&run(&["backup", "verify", to])), 0);
}
