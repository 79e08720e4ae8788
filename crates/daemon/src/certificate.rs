//! The certificate of a hub's pages: the county's own, or one made at first start that people know by its fingerprint.
//!
//! One made here never expires: no outage may lock anybody out. It says nothing about who runs the hub, so a browser warns once, and
//! the operator compares the fingerprint with the one printed at the hub.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::failure::Failure;
use crate::folder::Folder;

/// In the data folder.
const CHAIN_FILE: &str = "console-cert.pem";
const KEY_FILE: &str = "console-key.pem";

/// What browsers are shown, ready for use.
#[derive(Clone)]
pub struct Certificate {
    pub tls: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers print it.
    pub fingerprint: String,
}

impl Certificate {
    /// The one that a hub's configuration names, or its own, made now if there is none yet.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds no certificate and key that belong together.
    pub fn of(config: &Config, folder: &Folder, at: IpAddr) -> Result<Self, Failure> {
        if let Some(pem) = &config.console_pem {
            let (chain, key) = (read(&pem.chain, "console_cert")?, read(&pem.key, "console_key")?);
            return Self::from_pem(&chain, &key).map_err(|why| {
                let (chain, key) = (pem.chain.display(), pem.key.display());
                Failure::usage(format!(
                    "证书 {chain} 和私钥 {key} 用不了（{why}），请检查 console_cert、console_key。"
                ))
            });
        }
        let kept = |name| folder.kept(name).map_err(|e| unreadable(name, &e));
        let (chain, key) = match (kept(CHAIN_FILE)?, kept(KEY_FILE)?) {
            (Some(chain), Some(key)) => (chain, key),
            _ => make(config, folder, at)?,
        };
        Self::from_pem(&chain, &key)
            .map_err(|why| Failure::failed(format!("数据目录里的 {CHAIN_FILE}、{KEY_FILE} 用不了（{why}）。删去这两个文件后重新启动，会另做一张，浏览器要重新核对指纹。")))
    }

    fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|e| e.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| e.to_string())?;
        let own = chain.first().ok_or_else(|| "文件里没有证书".to_owned())?;
        let digest = Sha256::digest(own);
        let pairs: Vec<String> = digest.iter().map(|b| format!("{b:02X}")).collect();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|e| e.to_string())?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            fingerprint: pairs.join(":"),
        })
    }
}

/// A certificate for the names and addresses by which this hub is known, kept in the data folder.
fn make(config: &Config, folder: &Folder, at: IpAddr) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(config.console_names.iter().cloned());
    if !at.is_unspecified() && !at.is_loopback() {
        names.push(at.to_string());
    }
    let made = || -> Result<_, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.self_signed(&key)?;
        Ok((certificate.pem().into_bytes(), key.serialize_pem().into_bytes()))
    };
    let (chain, key) = made().map_err(|e| Failure::failed(format!("做不出页面的证书（{e}），请联系系统维护人员。")))?;
    // The key first: a certificate whose key never reached the disk is made anew.
    folder.keep(KEY_FILE, &key).map_err(|e| unreadable(KEY_FILE, &e))?;
    folder
        .keep(CHAIN_FILE, &chain)
        .map_err(|e| unreadable(CHAIN_FILE, &e))?;
    Ok((chain, key))
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let unread =
        |e: std::io::Error| Failure::failed(format!("读不到 {shown}（{e}），请检查 config.toml 里的 {name}。"));
    // A chain of certificates has a few kilobytes.
    const BYTES_MAX: u64 = 1 << 20;
    if std::fs::metadata(path).map_err(unread)?.len() > BYTES_MAX {
        return Err(Failure::usage(format!("{shown} 太大，不像证书或私钥，请检查 {name}。")));
    }
    std::fs::read(path).map_err(unread)
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::failed(format!("数据目录里的 {name} 读写不了（{error}），请检查磁盘和权限。"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, Pem};

    #[test]
    fn a_hub_keeps_the_certificate_it_made_and_takes_the_countys_own_instead() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(&dir.path().join("hub")).unwrap();
        let mut config = Config::new(Kind::Hub, folder.path().to_owned());
        let at = IpAddr::from([0, 0, 0, 0]);
        let first = Certificate::of(&config, &folder, at).unwrap().fingerprint;
        assert_eq!(first.len(), 32 * 3 - 1, "{first}");
        assert_eq!(
            Certificate::of(&config, &folder, at).unwrap().fingerprint,
            first,
            "kept over a restart"
        );

        let other = Folder::create(&dir.path().join("other")).unwrap();
        let theirs = Certificate::of(&Config::new(Kind::Hub, other.path().to_owned()), &other, at).unwrap();
        config.console_pem = Some(Box::new(Pem {
            chain: other.path().join(CHAIN_FILE),
            key: other.path().join(KEY_FILE),
        }));
        assert_eq!(
            Certificate::of(&config, &folder, at).unwrap().fingerprint,
            theirs.fingerprint
        );

        // A key of somebody else's, no certificate, no file: each is said with what to look at.
        for (chain, key) in [
            (other.path().join(CHAIN_FILE), folder.path().join(KEY_FILE)),
            (other.path().join(KEY_FILE), other.path().join(KEY_FILE)),
            (dir.path().join("none"), other.path().join(KEY_FILE)),
        ] {
            config.console_pem = Some(Box::new(Pem { chain, key }));
            let failure = Certificate::of(&config, &folder, at)
                .map(|c| c.fingerprint)
                .unwrap_err();
            assert!(failure.message.contains("console_"), "{}", failure.message);
        }
    }
}
