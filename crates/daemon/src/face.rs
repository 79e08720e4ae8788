//! Where a web face stands on the daemon: a listener on this machine, and the one door to the office.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::certificate::Certificate;
use crate::config::Config;
use crate::folder::Folder;
use crate::service::Service;

/// A port that somebody else has may be let go: another window of the program that is on its way out, above all.
const PORT_EVERY: Duration = Duration::from_secs(5);

/// What a face is given when the folder is open.
pub struct Stage {
    pub service: Service,
    pub listener: TcpListener,
    pub folder: Folder,
    pub config: Config,
    /// What browsers are shown where the pages are encrypted: always beyond this machine.
    pub certificate: Option<Certificate>,
}

/// Where pages can be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pages {
    pub addr: SocketAddr,
    /// Of the certificate; `None` where they are not encrypted.
    pub fingerprint: Option<String>,
}

impl Pages {
    /// What people type into a browser.
    pub fn url(&self) -> String {
        let scheme = if self.fingerprint.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }
}

/// Serves pages until dropped. Called anew each time the folder is opened again after a failure of the disk.
pub type Face = Arc<dyn Fn(Stage) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where the pages are, or the words for whoever waits for them.
pub type Console = Result<Pages, String>;

/// A face at work.
pub(crate) struct Serving {
    task: JoinHandle<()>,
    pub(crate) console: Console,
}

impl Serving {
    /// Opens the pages at `addr`. Somebody else at that port, or a certificate that is none, stops nothing else: it is said, and the
    /// daemon goes on; a port is tried again.
    pub(crate) async fn start(
        face: &Face,
        addr: SocketAddr,
        service: Service,
        folder: &Folder,
        config: &Config,
    ) -> Self {
        let certificate = match Self::certificate(addr, folder, config).await {
            Ok(certificate) => certificate,
            Err(words) => {
                warn!(error = words, "the pages cannot be opened; everything else goes on");
                return Self {
                    task: tokio::spawn(async {}),
                    console: Err(words),
                };
            }
        };
        let (face, folder, config) = (face.clone(), folder.clone(), config.clone());
        let bound = TcpListener::bind(addr).await;
        let at = bound.as_ref().map_err(|e| taken(addr, e)).and_then(|listener| {
            let addr = listener.local_addr().map_err(|e| taken(addr, &e))?;
            let fingerprint = certificate.as_ref().map(|c| c.fingerprint.clone());
            Ok(Pages { addr, fingerprint })
        });
        let task = tokio::spawn(async move {
            let listener = match bound {
                Ok(listener) => listener,
                Err(error) => {
                    warn!(%addr, %error, "the pages cannot be opened; everything else goes on");
                    patiently(addr).await
                }
            };
            match listener
                .local_addr()
                .and_then(|at| folder.write_console(at).map(|()| at))
            {
                Ok(at) => info!(%at, "pages open"),
                Err(error) => warn!(%error, "the address of the pages was not noted"),
            }
            let stage = Stage {
                service,
                listener,
                folder,
                config,
                certificate,
            };
            face(stage).await;
        });
        Self { task, console: at }
    }

    /// Pages for this machine alone need none, unless the county gave one.
    async fn certificate(addr: SocketAddr, folder: &Folder, config: &Config) -> Result<Option<Certificate>, String> {
        if !config.is_encrypted(addr) {
            return Ok(None);
        }
        let (config, folder) = (config.clone(), folder.clone());
        let made = tokio::task::spawn_blocking(move || Certificate::of(&config, &folder, addr.ip()));
        let made = made.await.map_err(|e| e.to_string())?;
        made.map(Some).map_err(|failure| failure.message)
    }

    pub(crate) fn close(self) {
        self.task.abort();
    }
}

async fn patiently(addr: SocketAddr) -> TcpListener {
    loop {
        tokio::time::sleep(PORT_EVERY).await;
        if let Ok(listener) = TcpListener::bind(addr).await {
            return listener;
        }
    }
}

fn taken(addr: SocketAddr, error: &std::io::Error) -> String {
    format!(
        "办事页面打不开：{addr} 被别的程序占用（{error}）。同步照常进行；请关掉那个程序，或在 config.toml 里写 console = \"127.0.0.1:8802\" 换一个端口。"
    )
}
