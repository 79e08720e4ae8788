//! TLS identity: both sides prove an Ed25519 key (raw public keys, RFC 7250), nothing else. No certificate, so nothing expires.
//!
//! TLS proves only *which* key a peer has. Whether the key is a member's is the session's business; a key known to be
//! revoked is refused here already, before it costs more than its handshake.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::{SigningKey, VerifyingKey};
use ledger::id::DeviceId;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme, version,
};

/// The protocol's name in the handshake. A peer that speaks another is refused before anything is exchanged.
pub const ALPN: &[u8] = b"cunlian/1";

/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// `OneAsymmetricKey` version 2 up to the seed, and between seed and public key (RFC 8410 §7).
const PKCS8_SEED: [u8; 16] = [
    0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const PKCS8_PUBLIC: [u8; 3] = [0x81, 0x21, 0x00];

/// Keys that are refused in the handshake. Shared by all connections of an endpoint; a revoked key stays revoked, so it only grows.
#[derive(Clone, Default, Debug)]
pub struct Revoked(Arc<RwLock<HashSet<DeviceId>>>);

impl Revoked {
    /// Refuses this key from now on.
    pub fn add(&self, device: DeviceId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(device);
    }

    /// Whether the key is refused.
    pub fn contains(&self, device: &DeviceId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(device)
    }
}

/// The device's key in the form that TLS wants.
fn certified(key: &SigningKey, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, Error> {
    let public = key.verifying_key().to_bytes();
    let mut pkcs8 = Vec::with_capacity(83);
    pkcs8.extend_from_slice(&PKCS8_SEED);
    pkcs8.extend_from_slice(key.as_bytes());
    pkcs8.extend_from_slice(&PKCS8_PUBLIC);
    pkcs8.extend_from_slice(&public);
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
    let signer = provider.key_provider.load_private_key(private)?;
    let spki = [&SPKI_PREFIX[..], &public].concat();
    Ok(Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signer)))
}

/// Reads the key out of the bytes that stand where a certificate would.
fn device_of(spki: &[u8]) -> Result<DeviceId, Error> {
    let key = spki
        .strip_prefix(&SPKI_PREFIX)
        .and_then(DeviceId::from_slice)
        .ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    // A weak key verifies signatures that nobody made: it would be everybody's identity.
    match VerifyingKey::from_bytes(&key.0) {
        Ok(point) if !point.is_weak() => Ok(key),
        _ => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
    }
}

/// The key a connected peer has proved.
pub(crate) fn peer_of(connection: &quinn::Connection) -> Option<DeviceId> {
    let identity = connection
        .peer_identity()?
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    device_of(identity.first()?).ok()
}

#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    revoked: Revoked,
    /// The only key that is let in, when it is known beforehand.
    expected: Option<DeviceId>,
}

impl Verifier {
    fn admit(&self, spki: &[u8], chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        let device = device_of(spki)?;
        if !chain.is_empty() {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        }
        if self.revoked.contains(&device) {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        match self.expected {
            Some(expected) if expected != device => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            _ => Ok(()),
        }
    }

    fn signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(cert.as_ref()),
            dss,
            &self.algorithms,
        )
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.admit(end_entity, intermediates)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.admit(end_entity, intermediates)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn verifier(provider: &CryptoProvider, revoked: &Revoked, expected: Option<DeviceId>) -> Arc<Verifier> {
    Arc::new(Verifier {
        algorithms: provider.signature_verification_algorithms,
        revoked: revoked.clone(),
        expected,
    })
}

/// TLS for the side that listens: asks the other for its key, keeps no session, gives no ticket, takes no early data.
pub(crate) fn server(key: &SigningKey, revoked: &Revoked, alpn: &[u8]) -> Result<QuicServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(verifier(&provider, revoked, None))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(
            key, &provider,
        )?)));
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    QuicServerConfig::try_from(config).map_err(|e| Error::General(e.to_string()))
}

/// TLS for the side that dials. With `expected` only that key is accepted.
pub(crate) fn client(
    key: &SigningKey,
    revoked: &Revoked,
    expected: Option<DeviceId>,
    alpn: &[u8],
) -> Result<QuicClientConfig, Error> {
    let config = client_config(key, revoked, expected, alpn)?;
    QuicClientConfig::try_from(config).map_err(|e| Error::General(e.to_string()))
}

pub(crate) fn client_config(
    key: &SigningKey,
    revoked: &Revoked,
    expected: Option<DeviceId>,
    alpn: &[u8],
) -> Result<rustls::ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier(&provider, revoked, expected))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(
            key, &provider,
        )?)));
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}
