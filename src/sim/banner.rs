//! Servers that say an SSH version line and nothing more: enough for checks that never log in. One listener each on
//! loopback; a dead one refuses, as a stopped sshd does.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const VERSION_LINE: &[u8] = b"SSH-2.0-OpenSSH_9.6 noctty-demo\r\n";
/// A caller that says nothing is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server's address, and its task while it lives.
type Running = HashMap<usize, (SocketAddr, Option<JoinHandle<()>>)>;

/// The listeners by host; each on a port of its own of 127.0.0.1.
#[derive(Debug, Default)]
pub struct Banners {
    running: Mutex<Running>,
}

impl Banners {
    /// Starts a server for a host; its address.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(self: &Arc<Self>, host: usize) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((IpAddr::from(Ipv4Addr::LOCALHOST), 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener));
        self.lock().insert(host, (address, Some(task)));
        Ok(address)
    }

    /// Stops or restarts a host's server on its own port.
    pub async fn set_alive(self: &Arc<Self>, host: usize, alive: bool) {
        let Some((address, task)) = self.lock().remove(&host) else { return };
        let task = match (task, alive) {
            (Some(task), false) => {
                task.abort();
                None
            }
            (None, true) => TcpListener::bind(address).await.ok().map(|listener| tokio::spawn(serve(listener))),
            (task, _) => task,
        };
        self.lock().insert(host, (address, task));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Banners {
    fn drop(&mut self) {
        for (_, task) in self.lock().values() {
            if let Some(task) = task {
                task.abort();
            }
        }
    }
}

async fn serve(listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(greet(stream));
    }
}

async fn greet(mut stream: TcpStream) {
    if stream.write_all(VERSION_LINE).await.is_ok() {
        // Until the caller hangs up; what it says is not understood.
        let mut ignored = [0u8; 64];
        let _ = tokio::time::timeout(PATIENCE, stream.read(&mut ignored)).await;
    }
}
