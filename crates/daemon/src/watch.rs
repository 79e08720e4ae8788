//! The timer of a hub's watch over its rooms, and the webhook that is told of alerts.
//!
//! What is to be told lies in the office until it was taken, so a restart loses nothing and there is no queue here: each round asks what
//! nobody has taken yet, posts it, and says so. A receiver may hear the same news twice, and tells by its id.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use office::command::{AlertTold, Command};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::{info, warn};

use crate::config::Webhook;
use crate::service::Service;

/// A receiver that has not answered by then is asked again later.
const POST_WAIT: Duration = Duration::from_secs(10);
/// Pauses after a post that failed: doubling, up to the longest.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(600);
/// Of an answer, no more is read than is needed to end it well.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The timer at work.
pub(crate) struct Watch {
    task: JoinHandle<()>,
}

impl Watch {
    pub(crate) fn start(service: Service, every: Duration, webhook: Option<Webhook>) -> Self {
        Self {
            task: tokio::spawn(watch(service, every, webhook)),
        }
    }

    pub(crate) fn close(self) {
        self.task.abort();
    }
}

async fn watch(service: Service, every: Duration, webhook: Option<Webhook>) {
    let mut timer = tokio::time::interval(every);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut pause, mut not_before) = (RETRY_FIRST, Instant::now());
    loop {
        timer.tick().await;
        let watched = match service.command(Command::HealthWatch).await {
            Ok(watched) => watched,
            Err(failure) => {
                warn!(code = failure.code, "the rooms could not be looked at");
                continue;
            }
        };
        let Some(webhook) = webhook.as_ref().filter(|_| Instant::now() >= not_before) else {
            continue;
        };
        match tell_all(&service, webhook, &watched["untold"]).await {
            Ok(()) => pause = RETRY_FIRST,
            Err(error) => {
                warn!(error = format!("{error:#}"), "alerts were not taken; tried again later");
                not_before = Instant::now() + pause;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}

/// Posts one by one, in order; what was taken is not told again.
async fn tell_all(service: &Service, webhook: &Webhook, untold: &Value) -> anyhow::Result<()> {
    for news in untold.as_array().into_iter().flatten() {
        let id = news["id"].as_str().unwrap_or_default().to_owned();
        timeout(POST_WAIT, post(webhook, &id, news))
            .await
            .context("no answer in time")??;
        info!(id, "an alert was taken");
        let told = Command::AlertTold(AlertTold { ids: vec![id] });
        service.command(told).await.map_err(|f| anyhow!(f.message))?;
    }
    Ok(())
}

/// What is signed and sent: figures and names of units, never of people.
fn body(news: &Value) -> Vec<u8> {
    let keys = [
        "id",
        "event",
        "rule",
        "label",
        "text",
        "unit",
        "name",
        "raised_ms",
        "cleared_ms",
    ];
    let mut body = json!({"version": 1});
    for key in keys {
        body[key] = news[key].clone();
    }
    body.to_string().into_bytes()
}

/// `sha256=` and the HMAC-SHA-256 of the body under the secret.
fn signature(secret: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(body);
    Ok(format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes())))
}

async fn post(webhook: &Webhook, id: &str, news: &Value) -> anyhow::Result<()> {
    let uri: Uri = webhook.url.parse().context("alert_webhook")?;
    let host = uri.host().context("alert_webhook without a host")?.to_owned();
    let encrypted = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let body = body(news);
    let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::post(path)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .header("x-cunlian-event-id", id);
    if let Some(secret) = &webhook.secret {
        request = request.header("x-cunlian-signature", signature(secret, &body)?);
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let bare = host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((bare, port)).await.context("connecting")?;
    if !encrypted {
        return send(stream, request).await;
    }
    let name = ServerName::try_from(bare.to_owned())?;
    let tls = TlsConnector::from(Arc::new(roots(webhook)?));
    send(tls.connect(name, stream).await.context("TLS")?, request).await
}

/// Whom we believe: the machine's own roots, and the county's where the configuration names a file.
fn roots(webhook: &Webhook) -> anyhow::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &webhook.ca {
        for certificate in CertificateDer::pem_file_iter(file).context("alert_webhook_ca")? {
            store.add(certificate.context("alert_webhook_ca")?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<()> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        // An answer that is cut off or too long changes nothing about its status.
        let _ = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        if !status.is_success() {
            bail!("the receiver answered {status}");
        }
        Ok(())
    };
    let answered = answer.await;
    driving.abort();
    answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_posted_holds_no_more_than_its_fields_and_is_signed() {
        let news = json!({"id": "silent-1-2-raised", "event": "raised", "rule": "silent", "unit": "511603104201", "muted": {"by": "王主任"}});
        let body = body(&news);
        let read: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&read["version"], &read["rule"]), (&json!(1), &json!("silent")));
        assert!(!read.to_string().contains("王主任"));
        // RFC 4231, test case 2.
        let known = signature("Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(
            known,
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    /// A receiver of the county with a certificate signed by `ca`; it answers 204 to whatever comes.
    async fn receiver(ca: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>) -> anyhow::Result<u16> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let key = rcgen::KeyPair::generate()?;
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, ca)?;
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| anyhow!(e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not believe us goes.
                    let Ok(mut tls) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut asked = Vec::new();
                    let mut part = [0; 1024];
                    while !asked.ends_with(b"}") {
                        match tls.read(&mut part).await {
                            Ok(n) if n > 0 => asked.extend_from_slice(&part[..n]),
                            _ => return,
                        }
                    }
                    let _ = tls
                        .write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
                        .await;
                });
            }
        });
        Ok(port)
    }

    fn issuer(name: &str) -> rcgen::CertifiedIssuer<'static, rcgen::KeyPair> {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn over_https_only_a_receiver_whose_issuer_is_believed_is_told() {
        let (ours, theirs) = (issuer("县里的"), issuer("别人的"));
        let port = receiver(&ours).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let news = json!({"id": "silent-1-2-raised", "event": "raised", "rule": "silent", "unit": "511603104201"});
        let told = async |name: &str, pem: Option<String>| {
            let ca = pem.map(|pem| {
                let file = dir.path().join(name);
                std::fs::write(&file, pem).unwrap();
                file
            });
            let webhook = Webhook {
                url: format!("https://localhost:{port}/alerts"),
                secret: Some("geheim".to_owned()),
                ca,
            };
            post(&webhook, "silent-1-2-raised", &news).await
        };
        told("ours.pem", Some(ours.pem())).await.unwrap();
        for (name, pem) in [("theirs.pem", Some(theirs.pem())), ("none.pem", None)] {
            let refused = format!("{:#}", told(name, pem).await.unwrap_err());
            assert!(
                refused.contains("TLS") && refused.contains("UnknownIssuer"),
                "{refused}"
            );
        }
        // A file that is none is said, not passed over.
        let webhook = Webhook {
            url: format!("https://localhost:{port}/alerts"),
            secret: None,
            ca: Some(dir.path().join("missing.pem")),
        };
        let missing = format!("{:#}", post(&webhook, "x", &news).await.unwrap_err());
        assert!(missing.contains("alert_webhook_ca"), "{missing}");
    }
}
