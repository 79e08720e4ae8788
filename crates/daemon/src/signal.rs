//! The system's wish that we stop.

/// Returns when the process is asked to stop: Ctrl-C, or SIGTERM from the service manager.
///
/// # Errors
/// When the system does not let us listen for it.
#[cfg(unix)]
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Returns when the process is asked to stop: Ctrl-C or Ctrl-Break, a closed window, the machine going down.
///
/// # Errors
/// When the system does not let us listen for it.
#[cfg(windows)]
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut c, mut brk, mut close, mut down) = (ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_shutdown()?);
    tokio::select! {
        _ = c.recv() => {}
        _ = brk.recv() => {}
        _ = close.recv() => {}
        _ = down.recv() => {}
    }
    Ok(())
}
