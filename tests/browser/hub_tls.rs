//! The certificate of a hub's pages: what is printed is what is served, made by the hub itself or given by the county.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use cunlian_tests::PlaceId;
use data_encoding::BASE64;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::hub::Centres;

/// Takes every certificate and remembers it, as a person does who compares it with a paper.
#[derive(Debug)]
struct Curious {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Curious {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().expect("free") = Some(end_entity.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate that is really served, proved by a whole handshake.
fn served(addr: SocketAddr) -> Vec<u8> {
    let provider = Arc::new(ring::default_provider());
    let curious = Arc::new(Curious {
        provider: provider.clone(),
        seen: Mutex::new(None),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(curious.clone())
        .with_no_client_auth();
    let name = ServerName::from(addr.ip());
    let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = TcpStream::connect(addr).expect("the console");
    while client.is_handshaking() {
        client.complete_io(&mut stream).expect("a handshake");
    }
    let seen = curious.seen.lock().expect("free").clone();
    seen.expect("a certificate")
}

fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der).iter().map(|b| format!("{b:02X}")).collect();
    pairs.join(":")
}

/// What `run` has printed for whoever started it.
fn printed(centres: &Centres, at: PlaceId) -> String {
    let out = centres.county[at].data().with_extension("out");
    let text = std::fs::read_to_string(out).expect("what it printed");
    let line: Value = serde_json::from_str(text.lines().next().unwrap_or_default()).expect("a line");
    line["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

fn start_again(centres: &mut Centres) -> SocketAddr {
    let hub = centres.hub;
    centres.county[hub].set_env("CUNLIAN_CONSOLE", "0.0.0.0:0");
    centres.county.start(hub).expect("it starts");
    SocketAddr::from(([127, 0, 0, 1], centres.addr(hub).port()))
}

#[test]
fn the_fingerprint_that_run_prints_is_that_of_the_certificate_that_is_served_own_or_given() {
    let mut centres = Centres::open();
    let hub = centres.hub;
    centres.county[hub].stop().expect("it stops");
    let addr = start_again(&mut centres);
    let made = served(addr);
    assert_eq!(printed(&centres, hub), fingerprint(&made));
    let said = centres.county[hub].log_tail();
    assert!(said.contains(&fingerprint(&made)), "for a person too: {said}");

    // The county's own, out of its configuration: here one that another hub had made.
    centres.county[hub].stop().expect("it stops");
    let data = centres.county[hub].data().to_owned();
    let (chain, key) = (centres.county.file("own.pem"), centres.county.file("own.key"));
    for (from, to) in [("console-cert.pem", &chain), ("console-key.pem", &key)] {
        std::fs::rename(data.join(from), to).expect("moved away");
    }
    let addr = start_again(&mut centres);
    let anew = served(addr);
    assert_ne!(anew, made, "without it the hub makes itself another");
    assert_eq!(printed(&centres, hub), fingerprint(&anew));
    centres.county[hub].stop().expect("it stops");
    let config = format!("console_cert = {chain:?}\nconsole_key = {key:?}\n");
    std::fs::write(data.join("config.toml"), config).expect("a configuration");
    let addr = start_again(&mut centres);
    let given = served(addr);
    assert_eq!(given, made, "the one of the configuration");
    assert_eq!(printed(&centres, hub), fingerprint(&given));
    let pem = std::fs::read_to_string(&chain).expect("the file");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(BASE64.decode(body.as_bytes()).expect("PEM"), given);
}
