//! Servers that are reached by https: whose certificates are trusted, and what is said of those that are not.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::common::{Run, text::unwrapped};

const SCENARIO: &str = "name: Encrypted\nsteps:\n  - get_config: {}\n";

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(file)
}

/// A server with this certificate that answers every request with an empty configuration; its address.
fn server(certificate: &str) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = vec![CertificateDer::from_pem_file(data(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(data("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client that hangs up is what some of these tests want.
            thread::spawn(move || answer(config, socket));
        }
    });
    format!("https://localhost:{}", address.port())
}

fn answer(config: Arc<ServerConfig>, mut socket: TcpStream) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            )?;
            stream.flush()?;
        }
    }
}

fn run(base_url: &str, trusted: &Path) -> Run {
    Run::new().file("a.yaml", SCENARIO).env("SSL_CERT_FILE", trusted.display().to_string()).args([
        "--base-url",
        base_url,
        "a.yaml",
    ])
}

#[test]
fn the_certificates_of_a_file_are_trusted() {
    let output = run(&server("server.pem"), &data("issuer.pem")).run().code_is(0);
    assert!(output.stdout.contains("PASS Encrypted"), "{}", output.stdout);
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let strangers = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(data("other.pem"), strangers.path()).unwrap();
    for (certificate, trusted, says) in [
        (
            "server.pem",
            strangers.path().to_owned(),
            "its certificate is of an issuer that this system does not trust",
        ),
        ("expired.pem", data("issuer.pem"), "its certificate has expired"),
        ("other.pem", data("issuer.pem"), "its certificate is of another host: agents.example.com"),
        ("server.pem", data("server.key"), "whom to trust is not known"),
    ] {
        let url = server(certificate);
        let output = run(&url, &trusted).run().code_is(3);
        let message = unwrapped(&output.stderr);
        assert!(message.contains(&format!("cannot trust {url}: {says}")), "{certificate}: {message}");
        assert!(message.contains("SSL_CERT_FILE=FILE names the certificates"), "{message}");
    }
}
