//! The socket between the web process and the room, both ends.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mimamori_kernel::error::Coded as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use crate::NumbersError;
use crate::port::{Answered, Asked, Call, LONGEST, Reply};
use crate::room::Room;

/// How long the web process waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One line, without its end; none at the end of the stream or for a line that is too long.
async fn line<R: tokio::io::AsyncBufRead + Unpin>(reader: &mut R) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut limited = reader.take(LONGEST as u64);
    match limited.read_until(b'\n', &mut out).await {
        Ok(n) if n > 0 && out.last() == Some(&b'\n') => {
            out.pop();
            Some(out)
        }
        _ => None,
    }
}

fn text<T: serde::Serialize>(what: &T) -> Option<Vec<u8>> {
    let mut out = serde_json::to_vec(what).ok()?;
    out.push(b'\n');
    Some(out)
}

/// Binds the socket for its owner alone; one that was left behind is replaced.
///
/// # Errors
/// [`NumbersError::File`].
pub fn bind(path: &Path) -> Result<UnixListener, NumbersError> {
    use std::os::unix::fs::PermissionsExt as _;
    if path.exists() {
        std::fs::remove_file(path).map_err(NumbersError::file(path))?;
    }
    let listener = UnixListener::bind(path).map_err(NumbersError::file(path))?;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).map_err(NumbersError::file(path))?;
    Ok(listener)
}

/// Answers the web process for ever. Only a process of the same user, or root, is answered.
pub async fn answer(listener: UnixListener, room: Room) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(%error, "the control socket of the numbers room does not accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let own = rustix::process::getuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == own || peer.uid() == 0 => {}
            _ => continue,
        }
        tokio::spawn(conversation(stream, room.clone()));
    }
}

async fn conversation(stream: UnixStream, room: Room) {
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    let (send, mut receive) = mpsc::channel::<Answered>(64);
    let writing = tokio::spawn(async move {
        while let Some(answer) = receive.recv().await {
            let Some(bytes) = text(&answer) else { break };
            if write.write_all(&bytes).await.is_err() {
                break;
            }
        }
    });
    while let Some(bytes) = line(&mut reader).await {
        let Ok(asked) = serde_json::from_slice::<Asked>(&bytes) else {
            break;
        };
        let (room, send) = (room.clone(), send.clone());
        tokio::spawn(async move {
            let reply = match room.call(asked.call).await {
                Ok(reply) => reply,
                Err(error) => {
                    tracing::error!(code = error.code(), error = ?error, "a call of the web process failed");
                    Reply::Failed(error.code().to_owned())
                }
            };
            drop(
                send.send(Answered {
                    id: asked.id,
                    reply,
                })
                .await,
            );
        });
    }
    drop(send);
    drop(writing.await);
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Reply>>>>;

struct Line {
    send: mpsc::Sender<Vec<u8>>,
    waiting: Waiting,
}

/// The web process's end. Cheap to clone; connects again by itself.
#[derive(Clone)]
pub struct Client {
    path: PathBuf,
    next: Arc<AtomicU64>,
    line: Arc<tokio::sync::Mutex<Option<Arc<Line>>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// A client of the room behind this socket.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            next: Arc::default(),
            line: Arc::default(),
        }
    }

    async fn connected(&self) -> Result<Arc<Line>, NumbersError> {
        let mut held = self.line.lock().await;
        if let Some(line) = held.as_ref().filter(|l| !l.send.is_closed()) {
            return Ok(line.clone());
        }
        let stream = UnixStream::connect(&self.path)
            .await
            .map_err(|_| NumbersError::Away)?;
        let (read, mut write) = stream.into_split();
        let (send, mut receive) = mpsc::channel::<Vec<u8>>(64);
        let waiting = Waiting::default();
        let line = Arc::new(Line {
            send,
            waiting: waiting.clone(),
        });
        // Whichever end stops, everybody who waits is told.
        tokio::spawn(async move {
            let listening = async {
                let mut reader = BufReader::new(read);
                while let Some(bytes) = self::line(&mut reader).await {
                    let Ok(answer) = serde_json::from_slice::<Answered>(&bytes) else {
                        break;
                    };
                    let waits = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .remove(&answer.id);
                    if let Some(waits) = waits {
                        drop(waits.send(answer.reply));
                    }
                }
            };
            let speaking = async {
                while let Some(bytes) = receive.recv().await {
                    if write.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
            };
            tokio::select! { () = listening => {}, () = speaking => {} }
            receive.close();
            waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        });
        *held = Some(line.clone());
        Ok(line)
    }

    /// Asks the room.
    ///
    /// # Errors
    /// [`NumbersError::Away`] when it does not answer, [`NumbersError::Speech`] when it could not do it.
    pub async fn call(&self, call: Call) -> Result<Reply, NumbersError> {
        let line = self.connected().await?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (send, receive) = oneshot::channel();
        line.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, send);
        let bytes = text(&Asked { id, call }).ok_or(NumbersError::Speech)?;
        line.send
            .send(bytes)
            .await
            .map_err(|_| NumbersError::Away)?;
        let answer = tokio::time::timeout(PATIENCE, receive).await;
        match answer {
            Ok(Ok(Reply::Failed(code))) => {
                tracing::error!(code, "the numbers room could not do what was asked");
                Err(NumbersError::Speech)
            }
            Ok(Ok(reply)) => Ok(reply),
            _ => Err(NumbersError::Away),
        }
    }
}
