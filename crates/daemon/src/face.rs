//! Where a web face stands on the daemon: a listener on this machine, and the one door to the office.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::folder::Folder;
use crate::service::Service;

/// A port that somebody else has may be let go: another window of the program that is on its way out, above all.
const PORT_EVERY: Duration = Duration::from_secs(5);

/// What a face is given when the folder is open.
pub struct Stage {
    pub service: Service,
    pub listener: TcpListener,
    pub folder: Folder,
    /// A page that nobody has touched for so long asks for the PIN again.
    pub desk_lock: Duration,
}

/// Serves pages until dropped. Called anew each time the folder is opened again after a failure of the disk.
pub type Face = Arc<dyn Fn(Stage) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where the pages are, or the words for whoever waits for them.
pub type Console = Result<SocketAddr, String>;

/// A face at work.
pub(crate) struct Serving {
    task: JoinHandle<()>,
    pub(crate) console: Console,
}

impl Serving {
    /// Opens the pages at `addr`. Somebody else at that port stops nothing else: it is said, tried again, and the daemon goes on.
    pub(crate) async fn start(
        face: &Face,
        addr: SocketAddr,
        service: Service,
        folder: &Folder,
        desk_lock: Duration,
    ) -> Self {
        let (face, folder) = (face.clone(), folder.clone());
        let bound = TcpListener::bind(addr).await;
        let console = match &bound {
            Ok(listener) => listener.local_addr().map_err(|e| taken(addr, &e)),
            Err(error) => Err(taken(addr, error)),
        };
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
                desk_lock,
            };
            face(stage).await;
        });
        Self { task, console }
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
