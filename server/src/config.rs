//! What an administrator decides about one ward's server: `DATA/gandan.toml`, over it the
//! environment, over it the command line. Owns names, defaults and their meaning; reads the one
//! file and knows nothing of the ward. Every key is described in `docs/operations.md`.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::console::{Entrance, Transport};
use crate::serving::CertificateFiles;
use crate::ward::{RetainedClass, RetentionRule};

/// Name of the file in the data directory; it need not exist.
pub const FILE_NAME: &str = "gandan.toml";

/// A short file of settings; more is not ours.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// An invite is handed over in person: three days cover a weekend.
const INVITE_HOURS_DEFAULT: u32 = 72;
/// Longer is a permission that nobody remembers.
const INVITE_HOURS_MAX: u32 = 24 * 30;

/// What the administrator decided, or its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where phones connect (UDP).
    pub quic: SocketAddr,
    /// Where browsers connect (TCP).
    pub http: SocketAddr,
    /// `host:port` for phones as seen from outside, in the order to try; written into invites.
    pub public_addresses: Vec<String>,
    /// The console may be served beyond loopback without TLS.
    pub is_cleartext_http_allowed: bool,
    /// A proxy in front of the console ends TLS.
    pub is_behind_tls_proxy: bool,
    /// The console's own certificate; `None`: it speaks in clear text.
    pub certificate: Option<CertificateFiles>,
    /// Nobody works at the console without a second factor.
    pub requires_second_factor: bool,
    /// How long an invite lives, in hours.
    pub invite_hours: u32,
    /// How long what is personal is kept.
    pub retention: [RetentionRule; 2],
    /// Where a backup is written every hour while it serves; `None`: nowhere.
    pub backup_to: Option<PathBuf>,
    /// Filter of the log, in the words of tracing: `info`, `gandan_server=debug`.
    pub log: String,
    /// How the log looks.
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            quic: SocketAddr::from(([127, 0, 0, 1], 4433)),
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_addresses: Vec::new(),
            is_cleartext_http_allowed: false,
            is_behind_tls_proxy: false,
            certificate: None,
            requires_second_factor: false,
            invite_hours: INVITE_HOURS_DEFAULT,
            retention: retention(None, None),
            backup_to: None,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
        }
    }
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For a person.
    Human,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// Why the configuration cannot be used. Nothing was started.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{FILE_NAME} cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// The file is no TOML, or has a key that we do not know.
    #[error("{FILE_NAME} is not understood; every key is described in docs/operations.md\n{0}")]
    NotUnderstood(#[source] Box<toml::de::Error>),
    /// A value breaks its rule.
    #[error("{place}: {rule}")]
    Invalid {
        /// Which key of the file or which variable.
        place: Place,
        /// What it should be.
        rule: &'static str,
    },
    /// The console would be open to the network in clear text.
    #[error(
        "the console would be served beyond this machine without TLS ({0}). Name console_certificate and \
         console_key, or put a TLS proxy in front and listen on 127.0.0.1, or say allow_cleartext_http = true if the network is your own"
    )]
    CleartextHttp(SocketAddr),
}

/// Where a value came from, so that a person finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A key of the file.
    File(&'static str),
    /// An environment variable.
    Variable(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(key) => write!(formatter, "{key} in {FILE_NAME}"),
            Self::Variable(name) => formatter.write_str(name),
        }
    }
}

/// The file's keys, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quic: Option<String>,
    http: Option<String>,
    public_addresses: Option<Vec<String>>,
    allow_cleartext_http: Option<bool>,
    behind_tls_proxy: Option<bool>,
    console_certificate: Option<PathBuf>,
    console_key: Option<PathBuf>,
    require_second_factor: Option<bool>,
    invite_hours: Option<u32>,
    retention_person_days: Option<u32>,
    retention_request_days: Option<u32>,
    backup_to: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<String>,
}

impl Config {
    /// Reads the file of `directory`, if there is one, and the process's environment.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        let path = directory.join(FILE_NAME);
        let text = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Unreadable(error)),
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                return Err(ConfigError::Unreadable(
                    std::io::ErrorKind::FileTooLarge.into(),
                ));
            }
            Ok(_) => std::fs::read_to_string(&path).map_err(ConfigError::Unreadable)?,
        };
        Self::from_parts(&text, &|name| std::env::var(name).ok())
    }

    /// Takes the file's text and a way to ask for environment variables.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn from_parts(
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let file: File =
            toml::from_str(text).map_err(|error| ConfigError::NotUnderstood(Box::new(error)))?;
        let mut config = Self::default();
        config.apply_file(file)?;
        config.apply_environment(variable)?;
        Ok(config)
    }

    /// How people come into the console.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        let is_tls = self.is_behind_tls_proxy || self.certificate.is_some();
        Entrance {
            transport: if is_tls {
                Transport::Tls
            } else {
                Transport::ClearText
            },
            requires_second_factor: self.requires_second_factor,
        }
    }

    /// Whether `http` may be served as configured.
    ///
    /// # Errors
    /// [`ConfigError::CleartextHttp`].
    pub fn check_http(&self, http: SocketAddr) -> Result<(), ConfigError> {
        if http.ip().is_loopback() || self.certificate.is_some() || self.is_cleartext_http_allowed {
            Ok(())
        } else {
            Err(ConfigError::CleartextHttp(http))
        }
    }

    fn apply_file(&mut self, file: File) -> Result<(), ConfigError> {
        if let Some(text) = file.quic {
            self.quic = address(&text, Place::File("quic"))?;
        }
        if let Some(text) = file.http {
            self.http = address(&text, Place::File("http"))?;
        }
        if let Some(addresses) = file.public_addresses {
            self.public_addresses = public_addresses(addresses, Place::File("public_addresses"))?;
        }
        self.is_cleartext_http_allowed = file.allow_cleartext_http.unwrap_or_default();
        self.is_behind_tls_proxy = file.behind_tls_proxy.unwrap_or_default();
        self.requires_second_factor = file.require_second_factor.unwrap_or_default();
        self.certificate = match (file.console_certificate, file.console_key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (has_certificate, _) => {
                let missing = if has_certificate.is_some() {
                    "console_key"
                } else {
                    "console_certificate"
                };
                return Err(ConfigError::Invalid {
                    place: Place::File(missing),
                    rule: "needed: a certificate and its key, both as PEM files",
                });
            }
        };
        if let Some(hours) = file.invite_hours {
            self.invite_hours = invite_hours(hours, Place::File("invite_hours"))?;
        }
        self.retention = retention(file.retention_person_days, file.retention_request_days);
        self.backup_to = file.backup_to;
        if let Some(log) = file.log {
            self.log = log;
        }
        if let Some(text) = file.log_format {
            self.log_format = log_format(&text, Place::File("log_format"))?;
        }
        Ok(())
    }

    fn apply_environment(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        // An empty variable is how a service file takes an override back.
        let value = |name: &'static str| {
            variable(name)
                .filter(|text| !text.is_empty())
                .map(|text| (text, Place::Variable(name)))
        };
        if let Some((text, place)) = value("GANDAN_QUIC") {
            self.quic = address(&text, place)?;
        }
        if let Some((text, place)) = value("GANDAN_HTTP") {
            self.http = address(&text, place)?;
        }
        if let Some((text, place)) = value("GANDAN_PUBLIC_ADDRESSES") {
            let addresses = text.split(',').map(|part| part.trim().to_owned()).collect();
            self.public_addresses = public_addresses(addresses, place)?;
        }
        if let Some((text, place)) = value("GANDAN_ALLOW_CLEARTEXT_HTTP") {
            self.is_cleartext_http_allowed = claim(&text, place)?;
        }
        if let Some((text, place)) = value("GANDAN_BEHIND_TLS_PROXY") {
            self.is_behind_tls_proxy = claim(&text, place)?;
        }
        if let Some((text, place)) = value("GANDAN_INVITE_HOURS") {
            // No number is as wrong as one out of range, and the rule names the range.
            self.invite_hours = invite_hours(text.parse().unwrap_or(0), place)?;
        }
        if let Some((text, _)) = value("GANDAN_BACKUP_TO") {
            self.backup_to = Some(text.into());
        }
        if let Some((text, _)) = value("GANDAN_LOG") {
            self.log = text;
        }
        if let Some((text, place)) = value("GANDAN_LOG_FORMAT") {
            self.log_format = log_format(&text, place)?;
        }
        Ok(())
    }
}

/// Whether `text` is a `host:port` that a phone can be given.
#[must_use]
pub fn is_public_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_host = host
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "-._:[]".contains(character));
    !host.is_empty()
        && host.len() <= 253
        && is_host
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn address(text: &str, place: Place) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| ConfigError::Invalid {
        place,
        rule: "an IP address and a port, such as 127.0.0.1:8080 or [::]:4433",
    })
}

fn public_addresses(addresses: Vec<String>, place: Place) -> Result<Vec<String>, ConfigError> {
    if addresses.len() <= 8 && addresses.iter().all(|text| is_public_address(text)) {
        Ok(addresses)
    } else {
        Err(ConfigError::Invalid {
            place,
            rule: "at most eight of host:port, such as phuong.example.vn:4433",
        })
    }
}

fn retention(person_days: Option<u32>, request_days: Option<u32>) -> [RetentionRule; 2] {
    let rule = |class, days| RetentionRule { class, days };
    [
        rule(RetainedClass::Person, person_days),
        rule(RetainedClass::CitizenRequest, request_days),
    ]
}

fn invite_hours(hours: u32, place: Place) -> Result<u32, ConfigError> {
    if (1..=INVITE_HOURS_MAX).contains(&hours) {
        Ok(hours)
    } else {
        Err(ConfigError::Invalid {
            place,
            rule: "hours from 1 to 720",
        })
    }
}

fn log_format(text: &str, place: Place) -> Result<LogFormat, ConfigError> {
    text.parse().map_err(|()| ConfigError::Invalid {
        place,
        rule: "auto, human or json",
    })
}

fn claim(text: &str, place: Place) -> Result<bool, ConfigError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ConfigError::Invalid {
            place,
            rule: "true or false",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(text: &str) -> Result<Config, ConfigError> {
        Config::from_parts(text, &|_| None)
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let config = from_file("").expect("an empty file is a file");
        assert_eq!(config, Config::default());
        assert!(config.check_http(config.http).is_ok());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "quic = '0.0.0.0:4433'\nhttp = '127.0.0.1:9000'\ninvite_hours = 24";
        let variable = |name: &str| match name {
            "GANDAN_HTTP" => Some("127.0.0.1:9001".to_owned()),
            "GANDAN_PUBLIC_ADDRESSES" => {
                Some("phuong.example.vn:4433, [2001:db8::1]:4433".to_owned())
            }
            "GANDAN_INVITE_HOURS" => Some(String::new()),
            _ => None,
        };
        let config = Config::from_parts(file, &variable).expect("all of it is valid");
        assert_eq!(config.quic.to_string(), "0.0.0.0:4433");
        assert_eq!(config.http.to_string(), "127.0.0.1:9001");
        assert_eq!(config.public_addresses.len(), 2);
        assert_eq!(
            config.invite_hours, 24,
            "an empty variable overrides nothing"
        );
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let error = from_file("pubilc_addresses = []").expect_err("the key is unknown");
        assert!(error.to_string().contains("pubilc_addresses"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_place_and_its_rule() {
        let error = from_file("quic = 'everywhere'").expect_err("no address");
        assert_eq!(
            error.to_string(),
            "quic in gandan.toml: an IP address and a port, such as 127.0.0.1:8080 or [::]:4433"
        );
        let variable = |name: &str| (name == "GANDAN_INVITE_HOURS").then(|| "soon".to_owned());
        let error = Config::from_parts("", &variable).expect_err("no number");
        assert_eq!(
            error.to_string(),
            "GANDAN_INVITE_HOURS: hours from 1 to 720"
        );
        for wrong in ["", "host", "host:0", "host:70000", ":4433", "ho st:1"] {
            assert!(!is_public_address(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn clear_text_beyond_loopback_must_be_asked_for() {
        let wide = "http = '0.0.0.0:8080'";
        let config = from_file(wide).expect("valid");
        assert!(matches!(
            config.check_http(config.http),
            Err(ConfigError::CleartextHttp(_))
        ));
        let asked = from_file("http = '0.0.0.0:8080'\nallow_cleartext_http = true").expect("valid");
        assert!(asked.check_http(asked.http).is_ok());
    }

    #[test]
    fn a_certificate_opens_the_console_to_the_network_and_needs_its_key() {
        let text = "http = '0.0.0.0:8080'\nconsole_certificate = 'a.pem'\n";
        assert!(matches!(
            from_file(text),
            Err(ConfigError::Invalid {
                place: Place::File("console_key"),
                ..
            })
        ));
        let config = from_file(&format!("{text}console_key = 'b.pem'")).expect("valid");
        assert!(config.check_http(config.http).is_ok());
        assert_eq!(config.entrance().transport, Transport::Tls);
    }
}
