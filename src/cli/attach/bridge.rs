//! `noctty attach --stdio`: what runs on the other side of `noctty attach ssh://…`, between SSH and the engine there.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::Result;

use super::nobody;
use crate::attach;
use crate::ssh::CHUNK;

/// Passes bytes between this program's own input and output and the engine's socket; nothing is read into them.
pub fn run(sockets: &[PathBuf]) -> Result<ExitCode> {
    let mut looked = Vec::new();
    let connected = sockets.iter().find_map(|socket| match attach::connect(socket) {
        Ok(stream) => Some(stream),
        Err(error) => {
            looked.push((socket.as_path(), error));
            None
        }
    });
    let Some(mut stream) = connected else { return Err(nobody(&looked)) };
    let mut inward = stream.try_clone()?;
    std::thread::spawn(move || {
        // Either end that closes ends it.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut inward);
        let _ = inward.shutdown(std::net::Shutdown::Both);
    });
    let mut output = std::io::stdout().lock();
    let mut bytes = vec![0; CHUNK];
    loop {
        match stream.read(&mut bytes) {
            Ok(length @ 1..) => {
                if output.write_all(&bytes[..length]).and_then(|()| output.flush()).is_err() {
                    break;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    Ok(ExitCode::SUCCESS)
}
