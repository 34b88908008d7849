//! The core's log, handed to the app. Nobody but the app decides where it goes. Report text,
//! names, phones and places are never in it.

use std::fmt::Write;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// A bug to investigate.
    Error,
    /// A degraded or misbehaving peer.
    Warn,
    /// Lifecycle.
    Info,
}

/// Implemented by the app.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// One line.
    fn log(&self, level: LogLevel, line: String);
}

struct SinkLayer(Arc<dyn LogSink>);

impl<S: Subscriber> Layer<S> for SinkLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            _ => return,
        };
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.0.log(level, line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.0, ": {value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
        written.expect("writing to a string cannot fail");
    }
}

/// Sends the core's log to the app from now on; `false` if a process-wide sink is set already.
#[uniffi::export]
pub fn set_log_sink(sink: Arc<dyn LogSink>) -> bool {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(SinkLayer(sink)))
        .is_ok()
}
