//! The console behind its own certificate, asked by a real TLS client.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::fixture::Town;

const NAME: &str = "phuong.example.vn";

/// Puts a new certificate and its key where the configuration says.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("certificate.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

fn behind_tls(town: &mut Town) -> CertificateDer<'static> {
    let folder = town.path("tls");
    fs::create_dir(&folder).unwrap();
    let certificate = renew(&folder);
    let config = format!(
        "console_certificate = {:?}\nconsole_key = {:?}\n",
        folder.join("certificate.pem"),
        folder.join("key.pem")
    );
    town.server.stop();
    fs::write(town.server.data().join("gandan.toml"), config).unwrap();
    town.server.serve();
    certificate
}

/// The answer to a request, by a client that trusts this certificate alone.
async fn ask(
    town: &Town,
    trusted: &CertificateDer<'static>,
    request: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(town.server.console()).await?;
    let name = ServerName::try_from(NAME).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn the_console_speaks_tls_itself_and_binds_its_cookies_to_it() {
    let mut town = Town::new();
    let certificate = behind_tls(&mut town);
    let add = ["staff", "add", "--login", "thu", "--role", "triage"];
    let _ = town.server.run_with(&add, "mật khẩu dài\n").expect(0);

    let page = ask(&town, &certificate, &get("/login")).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=31536000"));
    let form = "login=thu&password=m%E1%BA%ADt+kh%E1%BA%A9u+d%C3%A0i";
    let sign_in = format!(
        "POST /login HTTP/1.1\r\nhost: {NAME}\r\norigin: https://{NAME}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    let signed_in = ask(&town, &certificate, &sign_in).await.unwrap();
    assert!(signed_in.starts_with("HTTP/1.1 303"), "{signed_in}");
    assert!(signed_in.contains("set-cookie: __Host-gandan=") && signed_in.contains("; Secure"));

    // Whoever does not speak TLS is told nothing.
    let mut plain = TcpStream::connect(town.server.console()).await.unwrap();
    plain.write_all(get("/login").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"));
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_new_start() {
    let mut town = Town::new();
    let old = behind_tls(&mut town);
    assert!(ask(&town, &old, &get("/healthz")).await.is_ok());
    let new = renew(&town.path("tls"));
    assert!(ask(&town, &old, &get("/healthz")).await.is_err());
    assert!(ask(&town, &new, &get("/healthz")).await.is_ok());

    // Half a pair is no reason to turn anybody away.
    fs::write(town.path("tls").join("key.pem"), "not a key").unwrap();
    assert!(ask(&town, &new, &get("/healthz")).await.is_ok());
}
