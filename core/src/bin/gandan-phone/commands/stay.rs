//! Stays connected and says what happens, a line each.

use gandan_core::client::{Client, Stay, StayEvent};
use gandan_core::model::Status;
use gandan_core::protocol::initiator::Progress;
use gandan_core::replica::{Change, Recorded, Replica};
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::record;
use super::ward::runtime;
use crate::Outcome;
use crate::arguments::Sync;
use crate::failure::Failure;
use crate::output::Output;
use crate::store;

/// What happens, as one JSON object.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    /// The ward answered.
    Welcomed,
    /// Both sides have said everything; what is new from now on comes by itself.
    CaughtUp,
    /// The ward's word on what was sent.
    Verdicts {
        accepted: usize,
        rejected: usize,
        waiting: usize,
    },
    /// Changes of others arrived.
    Received { edits: usize },
    /// A line of standard input was recorded.
    Recorded { id: Uuid, code: String },
    /// A case has changed, or what is known of its way.
    Case {
        id: Uuid,
        code: Option<String>,
        status: Option<&'static str>,
        official_number: Option<String>,
    },
    /// A visit has changed.
    Visit { id: Uuid },
    /// The reference data has changed.
    Directory,
    /// A file is on the ward's disk.
    File { hash: String },
    /// The connection is lost, and tried again after so long.
    Waiting { ms: u64 },
}

/// What wakes the printer.
enum News {
    Event(StayEvent),
    Change(Change),
    Recorded(Recorded),
}

/// Stays until the system asks it to end.
pub(super) fn stay(arguments: &Sync) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let stay = Stay::default();
    let (tell, mut news) = mpsc::unbounded_channel();
    let change = tell.clone();
    replica.observe(Box::new(move |changed| {
        // Nobody listens any more when it is time to go.
        let _ = change.send(News::Change(changed.clone()));
    }));
    listen(&replica, &stay, tell.clone());
    let client = Client::new(replica.clone());
    let mut output = Output::new();
    runtime()?.block_on(async {
        let mut told = move |event| {
            let _ = tell.send(News::Event(event));
        };
        let staying = client.stay(&stay, &mut told);
        let asked = asked_to_end();
        tokio::pin!(staying, asked);
        loop {
            tokio::select! {
                ended = &mut staying => {
                    ended?;
                    break;
                }
                Some(happened) = news.recv() => {
                    print(&mut output, &replica, happened, arguments.json)?;
                }
                () = &mut asked, if !stay.is_leaving() => stay.leave(),
            }
        }
        while let Ok(happened) = news.try_recv() {
            print(&mut output, &replica, happened, arguments.json)?;
        }
        Ok::<_, Failure>(())
    })?;
    let is_complete = replica.pending()?.is_empty() && replica.rejected()?.is_empty();
    Ok(if is_complete {
        Outcome::Complete
    } else {
        Outcome::Partial
    })
}

/// Records what comes on standard input, as `record` does: the store is open to one program only. The thread
/// ends with the process.
fn listen(replica: &Replica, stay: &Stay, tell: mpsc::UnboundedSender<News>) {
    let (replica, stay) = (replica.clone(), stay.clone());
    std::thread::spawn(move || {
        let recorded = record::record_lines(&replica, None, &mut |recorded| {
            // Nobody listens any more when it is time to go.
            let _ = tell.send(News::Recorded(recorded));
            stay.recorded();
            Ok(())
        });
        if let Err(failure) = recorded {
            eprintln!("{failure}");
        }
    });
}

async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without it, only killing ends the program.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn print(
    output: &mut Output,
    replica: &Replica,
    happened: News,
    is_json: bool,
) -> Result<(), Failure> {
    if let News::Event(StayEvent::Waiting { error, .. }) = &happened {
        eprintln!("{error}");
    }
    let Some(line) = line_of(replica, happened)? else {
        return Ok(());
    };
    if is_json {
        output.object(&line)?;
    } else {
        output.line(&words(&line))?;
    }
    output.flush()
}

fn line_of(replica: &Replica, happened: News) -> Result<Option<Line>, Failure> {
    Ok(Some(match happened {
        News::Event(StayEvent::Waiting { milliseconds, .. }) => Line::Waiting { ms: milliseconds },
        News::Event(StayEvent::Progress(progress)) => match progress {
            Progress::Welcomed => Line::Welcomed,
            Progress::CaughtUp => Line::CaughtUp,
            Progress::Verdicts {
                accepted,
                rejected,
                waiting,
            } => Line::Verdicts {
                accepted,
                rejected,
                waiting,
            },
            Progress::Received { edits } => Line::Received { edits },
            Progress::AttachmentStored(hash) => Line::File {
                hash: hash.to_string(),
            },
            _ => return Ok(None),
        },
        News::Recorded(Recorded { id, code }) => Line::Recorded { id, code },
        News::Change(Change::Directory) => Line::Directory,
        News::Change(Change::Visit(id)) => Line::Visit { id },
        News::Change(Change::Case(id)) => {
            let case = replica.case(id)?.map(|detail| detail.case);
            Line::Case {
                id,
                code: case.as_ref().map(|case| case.code.clone()),
                status: case.as_ref().map(|case| case.status.code()),
                official_number: case.and_then(|case| case.official_number),
            }
        }
    }))
}

fn words(line: &Line) -> String {
    match line {
        Line::Welcomed => "Đã kết nối (connected)".to_owned(),
        Line::CaughtUp => "Đã cập nhật, đang chờ tin mới (up to date, waiting for news)".to_owned(),
        Line::Verdicts {
            accepted, rejected, ..
        } => format!("Phường nhận {accepted}, từ chối {rejected} (accepted, refused)"),
        Line::Received { edits } => format!("Nhận về {edits} thay đổi (changes received)"),
        Line::Recorded { code, .. } => format!("Đã ghi {code} (recorded)"),
        Line::Case { code: None, .. } => {
            "Một vụ việc không còn trên máy này (a case is not on this phone any more)".to_owned()
        }
        Line::Case {
            code: Some(code),
            status,
            official_number,
            ..
        } => {
            let status = status.and_then(Status::from_code).map_or("", Status::label);
            let number = official_number.as_deref().unwrap_or_default();
            format!("Vụ việc {code} {number}: {status} (case)")
        }
        Line::Visit { .. } => "Một chuyến đi thay đổi (a visit changed)".to_owned(),
        Line::Directory => "Danh mục của phường thay đổi (reference data changed)".to_owned(),
        Line::File { .. } => "Một tệp đã ở máy chủ (a file is on the server)".to_owned(),
        Line::Waiting { ms } => {
            format!(
                "Mất kết nối, thử lại sau {} giây (tried again)",
                ms.div_ceil(1_000)
            )
        }
    }
}
