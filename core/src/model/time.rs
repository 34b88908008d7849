//! Moments. The core never asks what time it is; whoever calls it says.

use thiserror::Error;

/// Việt Nam has kept UTC+7, without summer time, since 1975.
pub const VIETNAM_OFFSET_HOURS: i8 = 7;

/// Milliseconds since 1970-01-01T00:00:00Z. A device's time is a claim and may be years off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a time such as 2026-03-02T08:00:00+07:00")]
pub struct ParseTimeError;

impl Timestamp {
    /// The moment in RFC 3339, UTC, to the millisecond.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| self.0.to_string(), |moment| format!("{moment:.3}"))
    }

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// [`ParseTimeError`].
    pub fn parse_rfc3339(text: &str) -> Result<Self, ParseTimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Self(moment.as_millisecond()))
            .map_err(|_| ParseTimeError)
    }

    /// `dd/mm/yyyy HH:MM` in Việt Nam.
    #[must_use]
    pub fn to_vietnamese(self) -> String {
        let offset = jiff::tz::Offset::constant(VIETNAM_OFFSET_HOURS);
        jiff::Timestamp::from_millisecond(self.0).map_or_else(
            |_| self.0.to_string(),
            |moment| {
                offset
                    .to_datetime(moment)
                    .strftime("%d/%m/%Y %H:%M")
                    .to_string()
            },
        )
    }
}
