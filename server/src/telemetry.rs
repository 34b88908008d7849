//! Where the program's own words go: tracing events to standard error, for a person or as JSON.
//! The only subscriber of the process is installed here. Events carry ids, counts and codes; never
//! what people said, their names or their numbers.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Libraries are quiet unless they are asked for: a QUIC library tells of every lost packet.
const LIBRARIES: &str = "quinn=warn,quinn_proto=warn,rustls=warn,hyper=warn,h2=warn,automerge=warn";

/// Installs the subscriber. A filter that is not understood falls back to `info` and says so.
/// A second call changes nothing, so that tests may call it too.
pub fn install(filter: &str, format: LogFormat) {
    let (directives, is_understood) = match EnvFilter::try_new(format!("{LIBRARIES},{filter}")) {
        Ok(directives) => (directives, true),
        Err(_) => (EnvFilter::new(format!("{LIBRARIES},info")), false),
    };
    let is_human = match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let base = tracing_subscriber::fmt()
        .with_env_filter(directives)
        .with_writer(std::io::stderr);
    let installed = if is_human {
        base.with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init()
    } else {
        base.json().flatten_event(true).try_init()
    };
    if installed.is_ok() && !is_understood {
        tracing::warn!("the log filter is not understood; info is used instead");
    }
}
