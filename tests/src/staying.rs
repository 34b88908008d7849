//! A ward as a process of its own, and many devices that stay connected to it: what each of them costs the
//! ward while nothing happens, and how long one change takes to reach all that it concerns.

mod devices;
mod server;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use gandan_core::client;
use gandan_core::environment::SystemEnvironment;
use gandan_core::model::Role;
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::StoreKey;

use devices::Devices;
use server::Server;

/// How long nothing happens before memory is looked at: whatever a handshake needed is given back by then, and
/// every device has sent its PING once.
const REST: Duration = Duration::from_secs(20);

/// Connects many devices that stay, and says what each costs.
#[derive(Debug, Parser)]
#[command(name = "staying")]
pub struct Arguments {
    /// How many devices stay.
    #[arg(long, default_value_t = 5_000)]
    devices: usize,
    /// How many of them a change does not concern.
    #[arg(long, default_value_t = 0)]
    out_of_scope: usize,
    /// How many changes are made, one after the other.
    #[arg(long, default_value_t = 5)]
    changes: usize,
    /// What the driver starts: a ward that serves this folder.
    #[arg(long, hide = true, value_name = "DIR")]
    serve: Option<PathBuf>,
}

/// Runs it; gives what is to be printed.
///
/// # Errors
/// In words; the numbers would mean nothing.
pub fn run(arguments: Arguments) -> Result<String, Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    if let Some(folder) = &arguments.serve {
        runtime.block_on(server::serve(folder))?;
        return Ok(String::new());
    }
    runtime.block_on(measure(&arguments))
}

async fn measure(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut say = std::io::stderr();
    writeln!(say, "enrolling {} devices", arguments.devices)?;
    let ward = server::make(&folder.path().join("ward"))?;
    let keys = devices::enrol(&ward, arguments.devices, arguments.out_of_scope)?;
    let server = Server::start(&folder.path().join("ward"))?;

    let recorder = Replica::open(
        &folder.path().join("phone"),
        &StoreKey::new([7; 32]),
        std::sync::Arc::new(SystemEnvironment),
    )?;
    let officer = ward.officer("Lê Thị Hoa", Role::Leader, &[])?;
    let invite = ward.invite(officer, &[server.address.to_string()], devices::HOUR_MS)?;
    client::enrol(&recorder, &invite, "recorder").await?;
    change(&recorder, 0).await?;
    let before = server.resident_kib()?;

    let began = now();
    let mut devices = Devices::connect(&server, ward.key(), keys).await?;
    writeln!(
        say,
        "{} stay after {:.1} s",
        devices.count(),
        began.elapsed().as_secs_f64()
    )?;
    tokio::time::sleep(REST).await;
    let connected = server.resident_kib()?;

    let concerned = arguments.devices - arguments.out_of_scope;
    let mut lines = format!(
        "devices {}  concerned {concerned}  server before {before} KiB  resting {connected} KiB  each {:.1} KiB\n",
        arguments.devices,
        (connected as f64 - before as f64) / arguments.devices as f64,
    );
    for number in 1..=arguments.changes {
        let began = now();
        change(&recorder, number).await?;
        let admitted = began.elapsed();
        let heard = devices.all_hear(concerned, began).await?;
        lines += &format!(
            "change {number}: admitted {:.0} ms  half {:.0} ms  all {:.0} ms\n",
            milliseconds(admitted),
            milliseconds(heard[heard.len() / 2]),
            milliseconds(heard[heard.len() - 1]),
        );
    }
    tokio::time::sleep(REST).await;
    lines += &format!(
        "afterwards {} KiB  unconcerned devices that heard anything: {}\n",
        server.resident_kib()?,
        devices.wrongly_told(),
    );
    Ok(lines)
}

async fn change(recorder: &Replica, number: usize) -> Result<(), Box<dyn Error>> {
    recorder.record_case(NewCase {
        text: format!("Cống tắc lần {number}, nước tràn lên mặt hẻm"),
        ..NewCase::default()
    })?;
    client::sync(recorder, &mut |_| {}).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
