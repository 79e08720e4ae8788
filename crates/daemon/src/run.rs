//! The daemon: listens, dials, answers people, until it is asked to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use net::{Clock, DialOptions, Server};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::api::Api;
use crate::config::{Config, Kind};
use crate::face::{Console, Face, Serving};
use crate::folder::Folder;
use crate::metrics::Metrics;
use crate::office_home::{self, NotOpened, Opened, Opening};
use crate::progress;
use crate::service::Service;
use crate::watch::Watch;

/// A single command that has the folder open is done within this time; a daemon is not.
const FOLDER_PATIENCE: Duration = Duration::from_secs(3);
/// A closed socket lingers no longer than this.
const PORT_PATIENCE: Duration = Duration::from_secs(3);
/// After the disk failed: long enough for a loose cable or a full quota, short enough for a clerk.
const REOPEN_AFTER: Duration = Duration::from_secs(2);

/// What a daemon says once it can be used.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where QUIC listens; `None` for a node.
    pub listen: Option<SocketAddr>,
    /// Where the pages are, or why they are not; `None` where none are wanted.
    pub console: Option<Console>,
}

/// The program and version, as peers and operators see it.
pub fn software(kind: Kind) -> String {
    format!("{}/{}", kind.program(), env!("CARGO_PKG_VERSION"))
}

/// Runs a daemon until `shutdown` completes. After a failure of the disk it closes every connection, acknowledges nothing,
/// and opens the folder again.
///
/// # Errors
/// When the folder cannot be opened, is in use, holds no life yet, or the address cannot be bound.
pub async fn run(
    mut config: Config,
    face: Option<Face>,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Ready),
) -> anyhow::Result<()> {
    tokio::pin!(shutdown);
    let folder = Folder::existing(&config.data).map_err(|f| anyhow!(f.message))?;
    let clock = Clock::start();
    let metrics = match config.watching.metrics {
        Some(addr) => Metrics::start(addr).await,
        None => None,
    };
    let mut ready = Some(ready);
    let mut listen = config.listen;
    loop {
        let daemon = match Daemon::start(&config, face.as_ref(), &folder, clock, listen).await {
            Ok(daemon) => daemon,
            Err(error) if ready.is_some() => return Err(error),
            Err(error) => {
                // It ran before, so what is wrong with the disk may pass; nothing is acknowledged until it does.
                error!(error = format!("{error:#}"), "the folder cannot be opened yet");
                tokio::select! {
                    () = &mut shutdown => return Ok(()),
                    () = tokio::time::sleep(REOPEN_AFTER) => continue,
                }
            }
        };
        if let Some(metrics) = &metrics {
            metrics.open(daemon.service(config.kind), &folder);
        }
        // A port that the system chose stays the same after reopening: peers know it by now.
        listen = daemon.server.as_ref().map(Server::addr).or(listen);
        let console = daemon.serving.as_ref().map(|s| s.console.clone());
        // So does that of the pages, which stand open in a browser.
        if let Some(Ok(pages)) = &console {
            config.console = Some(pages.addr);
        }
        if let Some(ready) = ready.take() {
            ready(&Ready {
                listen: daemon.server.as_ref().map(Server::addr),
                console,
            });
        }
        let ended = daemon.until(&mut shutdown, &folder).await;
        if let Some(metrics) = &metrics {
            metrics.close();
        }
        match ended {
            Ended::Asked => return Ok(()),
            Ended::Disk(reason) => error!(reason, "the folder is opened again"),
        }
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = tokio::time::sleep(REOPEN_AFTER) => {}
        }
    }
}

/// Listens, waiting a moment for a socket that a daemon before us (or we ourselves) has not let go yet.
async fn listen_at(opened: &Opened, addr: SocketAddr, idle: Duration) -> anyhow::Result<Server> {
    let began = Instant::now();
    loop {
        match net::serve_for(opened.keeper.clone(), &opened.identity, addr, idle) {
            Ok(server) => return Ok(server),
            Err(_) if began.elapsed() < PORT_PATIENCE => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => {
                return Err(error).with_context(|| format!("不能在 {addr} 上监听，请检查 --listen，或端口是否被占用"));
            }
        }
    }
}

enum Ended {
    Asked,
    Disk(String),
}

struct Daemon {
    opened: Opened,
    server: Option<Server>,
    dialling: net::Dialling,
    api: Api,
    serving: Option<Serving>,
    watch: Option<Watch>,
}

impl Daemon {
    async fn start(
        config: &Config,
        face: Option<&Face>,
        folder: &Folder,
        clock: Clock,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let say = |p| info!(progress = progress::words(p), "opening");
        let opening = Opening {
            clock,
            software: software(config.kind),
            lock_after: config.lock_after,
        };
        let opened = office_home::open_patiently(folder, &opening, FOLDER_PATIENCE, say).await;
        let opened = opened.map_err(|not| match not {
            NotOpened::InUse => anyhow!(
                "数据文件夹 {} 已有后台程序在运行，不用再启动；要重新启动，请先停止正在运行的那个。",
                folder.path().display()
            ),
            NotOpened::Failed(failure) => anyhow!(failure.message),
        })?;
        let parts = Self::parts(config, folder, &opened, listen).await;
        match parts {
            Ok((server, dialling, api)) => {
                let Opened { keeper, identity, .. } = &opened;
                let serving = match (face, config.console) {
                    (Some(face), Some(addr)) => {
                        let service = Service::new(keeper.clone(), identity.clone(), config.kind);
                        Some(Serving::start(face, addr, service, folder, config).await)
                    }
                    _ => None,
                };
                let watching = &config.watching;
                // A room watches nobody.
                let watch = (config.kind == Kind::Hub).then(|| {
                    let service = Service::new(keeper.clone(), identity.clone(), config.kind);
                    Watch::start(service, watching.every, watching.webhook.clone())
                });
                Ok(Self {
                    opened,
                    server,
                    dialling,
                    api,
                    serving,
                    watch,
                })
            }
            Err(error) => {
                stop_keeper(opened).await;
                Err(error)
            }
        }
    }

    async fn parts(
        config: &Config,
        folder: &Folder,
        opened: &Opened,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<(Option<Server>, net::Dialling, Api)> {
        let Opened { keeper, identity, .. } = opened;
        if !keeper.standing().await.placed {
            let (program, shown) = (config.kind.program(), folder.path().display());
            return Err(anyhow!(
                "数据文件夹 {shown} 还没有启用，请先执行 {program} --data {shown} init 或 join。"
            ));
        }
        let server = match listen {
            Some(addr) => Some(listen_at(opened, addr, config.line_idle).await?),
            None => None,
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| anyhow!("系统随机数不可用：{e}"))?;
        let options = DialOptions::new(config.hubs.clone(), config.retry_max, seed);
        let dialling = net::dial(keeper.clone(), identity.clone(), options);
        let service = Service::new(keeper.clone(), identity.clone(), config.kind);
        let api = Api::open(service).await.context("本机接口打不开")?;
        if let Some(server) = &server {
            folder.write_listen(server.addr()).context("写 listen 文件")?;
        }
        folder.write_api(api.door()).context("写 api 文件")?;
        info!(device = %identity.device().short(), data = %folder.path().display(), "running");
        Ok((server, dialling, api))
    }

    fn service(&self, kind: Kind) -> Service {
        Service::new(self.opened.keeper.clone(), self.opened.identity.clone(), kind)
    }

    async fn until(self, shutdown: &mut (impl Future<Output = ()> + Unpin), folder: &Folder) -> Ended {
        let Self {
            opened,
            server,
            dialling,
            api,
            serving,
            watch,
        } = self;
        let Opened { keeper, running, .. } = opened;
        let (ended, mut thread) = oneshot::channel();
        // The thread's end is awaited without holding up the runtime.
        tokio::task::spawn_blocking(move || ended.send(running.join()));
        let early = tokio::select! {
            () = shutdown => None,
            result = &mut thread => Some(result),
        };
        info!("stopping");
        folder.forget_daemon();
        api.close();
        if let Some(serving) = serving {
            serving.close();
        }
        if let Some(watch) = watch {
            watch.close();
        }
        dialling.stop();
        keeper.stop().await;
        let result = match early {
            Some(result) => result,
            None => thread.await,
        };
        if let Some(server) = server {
            server.stop().await;
        }
        match result {
            Ok(Ok(Ok(()))) => Ended::Asked,
            Ok(Ok(Err(error))) => Ended::Disk(error.to_string()),
            // A panic of the keeper is a fault of ours; what is on disk is sound, so opening it again is right.
            Ok(Err(_)) | Err(_) => Ended::Disk("the keeper's thread ended unexpectedly".to_owned()),
        }
    }
}

/// Ends a keeper and waits for its thread, so that the folder is free again.
pub(crate) async fn stop_keeper(opened: Opened) {
    let Opened { keeper, running, .. } = opened;
    keeper.stop().await;
    drop(keeper);
    match tokio::task::spawn_blocking(move || running.join()).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => warn!(%error, "closing the folder"),
        Ok(Err(_)) | Err(_) => warn!("the keeper's thread ended unexpectedly"),
    }
}
