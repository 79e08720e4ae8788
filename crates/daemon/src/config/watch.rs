//! What the configuration says of metrics and alerts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Kind;
use crate::failure::Failure;

/// The rooms are looked at once a minute: the history counts minutes.
const USUAL: Duration = Duration::from_secs(60);
const SECONDS_MAX: u64 = 600;

/// Metrics and alerts.
#[derive(Clone, Debug)]
pub struct Watching {
    /// Where figures are read by machines; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// How often a hub looks at its rooms.
    pub every: Duration,
    pub webhook: Option<Webhook>,
}

impl Default for Watching {
    fn default() -> Self {
        Self {
            metrics: None,
            every: USUAL,
            webhook: None,
        }
    }
}

/// Who is told of alerts.
#[derive(Clone)]
pub struct Webhook {
    /// `https://` or `http://`.
    pub url: String,
    /// Signs what is posted.
    pub secret: Option<String>,
    /// Further roots for `https`, PEM.
    pub ca: Option<PathBuf>,
}

// Written by hand: neither the secret nor a token in the address is for logs.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

/// The keys as the file has them.
pub(super) struct Said {
    pub(super) metrics: Option<String>,
    pub(super) watch_seconds: Option<u64>,
    pub(super) webhook: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) ca: Option<PathBuf>,
}

pub(super) fn watching(kind: Kind, said: Said) -> Result<Watching, Failure> {
    let mut watching = Watching::default();
    match said.metrics.as_deref().map(str::trim) {
        None | Some("off") => {}
        Some(text) => {
            let addr = text.parse().map_err(|_| {
                Failure::usage(format!(
                    "metrics 的写法“{text}”不对，请写 127.0.0.1:9464 这样的地址，或写 off 不打开。"
                ))
            })?;
            watching.metrics = Some(addr);
        }
    }
    if let Some(seconds) = said.watch_seconds {
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return Err(Failure::usage("watch_seconds 要写 1 至 600 的秒数，缺省是 60。"));
        }
        watching.every = Duration::from_secs(seconds);
    }
    let Some(url) = said.webhook else {
        if said.secret.is_some() || said.ca.is_some() {
            return Err(Failure::usage(
                "写了 alert_webhook_secret 或 alert_webhook_ca，就要写 alert_webhook。",
            ));
        }
        return Ok(watching);
    };
    let sound = ["https://", "http://"].iter().any(|s| url.starts_with(s))
        && url.parse::<hyper::Uri>().is_ok_and(|u| u.host().is_some());
    if !sound || kind == Kind::Node {
        return Err(Failure::usage(
            "alert_webhook 只有中心（cunlian-hub）能用，要写 https://主机/路径 这样的完整地址。",
        ));
    }
    watching.webhook = Some(Webhook {
        url,
        secret: said.secret,
        ca: said.ca,
    });
    Ok(watching)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn metrics_and_the_webhook_are_as_the_file_says_and_no_secret_is_printed() {
        let text = "metrics = \"127.0.0.1:9464\"\nalert_webhook = \"https://hooks.example/x?token=t0p\"\nalert_webhook_secret = \"s3cret\"\nwatch_seconds = 5\n";
        let config = Config::of_text(Kind::Hub, text).unwrap();
        assert_eq!(config.watching.every, Duration::from_secs(5));
        assert!(config.watching.metrics.is_some() && config.watching.webhook.is_some());
        let printed = format!("{config:?}");
        assert!(!printed.contains("s3cret") && !printed.contains("t0p"), "{printed}");
        for wrong in [
            "metrics = \"9464\"",
            "alert_webhook = \"hooks.example\"",
            "alert_webhook_secret = \"s\"",
            "watch_seconds = 0",
        ] {
            assert_eq!(Config::of_text(Kind::Hub, wrong).unwrap_err().exit, 2, "{wrong}");
        }
        assert!(Config::of_text(Kind::Node, "alert_webhook = \"http://h/\"").is_err());
    }
}
