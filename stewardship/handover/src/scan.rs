//! The virus scanner (clamd): INSTREAM over a local socket; a file is sent, never a path (PROTECTION T17, S1-52, S2-70).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Longest piece that is sent at once, bytes; clamd's own limit for a stream is 25 MiB unless the town raised it.
const PIECE: usize = 64 * 1024;
/// Longest answer, bytes.
const ANSWER: u64 = 4096;
/// How long the scanner may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Where the scanner listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanner {
    /// A socket of this machine.
    Socket(PathBuf),
    /// An address of this machine, `127.0.0.1:3310`.
    Address(std::net::SocketAddr),
}

/// What the scanner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was; its name.
    Found(String),
}

/// Has the bytes examined.
///
/// # Errors
/// When the scanner is not there, is silent, or answers something else: then nothing is known.
pub fn scan(scanner: &Scanner, bytes: &[u8]) -> io::Result<Verdict> {
    match scanner {
        Scanner::Socket(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            talk(stream, bytes)
        }
        Scanner::Address(address) => {
            let stream = TcpStream::connect_timeout(address, SILENCE)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_write_timeout(Some(SILENCE))?;
            talk(stream, bytes)
        }
    }
}

fn talk(mut stream: impl Read + Write, bytes: &[u8]) -> io::Result<Verdict> {
    stream.write_all(b"zINSTREAM\0")?;
    for piece in bytes.chunks(PIECE) {
        let length = u32::try_from(piece.len()).unwrap_or_default();
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(piece)?;
    }
    stream.write_all(&[0; 4])?;
    stream.flush()?;
    let mut answer = Vec::new();
    let mut byte = [0u8; 1];
    while (answer.len() as u64) < ANSWER && stream.read(&mut byte)? == 1 && byte[0] != 0 {
        answer.push(byte[0]);
    }
    verdict(&answer)
}

/// `stream: OK`, or `stream: NAME FOUND`; anything else is no verdict.
fn verdict(answer: &[u8]) -> io::Result<Verdict> {
    let text = String::from_utf8_lossy(answer);
    let said = text.trim().strip_prefix("stream: ");
    match said {
        Some("OK") => Ok(Verdict::Clean),
        Some(other) => match other.strip_suffix(" FOUND") {
            Some(name) => Ok(Verdict::Found(name.chars().take(100).collect())),
            None => Err(io::Error::other("the scanner gave no verdict")),
        },
        None => Err(io::Error::other("the scanner gave no verdict")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixListener;
    use std::process::{Command, Stdio};

    /// The harmless test file of the European Institute for Computer Antivirus Research, in two parts so that no scanner
    /// takes this source for it.
    fn eicar() -> Vec<u8> {
        let text = concat!(
            "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-",
            "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
        );
        text.as_bytes().to_vec()
    }

    #[test]
    fn only_a_clear_answer_is_a_verdict() {
        assert_eq!(verdict(b"stream: OK").unwrap(), Verdict::Clean);
        let found = verdict(b"stream: Eicar-Test FOUND\n").unwrap();
        assert_eq!(found, Verdict::Found("Eicar-Test".into()));
        for other in [
            "",
            "OK",
            "stream: ",
            "stream: OK FOUND?",
            "INSTREAM size limit exceeded. ERROR",
        ] {
            assert!(verdict(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn what_is_sent_is_the_file_in_counted_pieces_and_a_silent_scanner_gives_no_verdict() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clamd");
        let listener = UnixListener::bind(&path).unwrap();
        let heard = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = Vec::new();
            reader.read_until(0, &mut head).unwrap();
            assert_eq!(head, b"zINSTREAM\0");
            let mut all = Vec::new();
            loop {
                let mut length = [0; 4];
                reader.read_exact(&mut length).unwrap();
                let length = u32::from_be_bytes(length) as usize;
                if length == 0 {
                    break;
                }
                let mut piece = vec![0; length];
                reader.read_exact(&mut piece).unwrap();
                all.extend(piece);
            }
            (&stream).write_all(b"stream: OK\0").unwrap();
            // The second one hangs up.
            drop(listener.accept().unwrap());
            all
        });
        let bytes: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        let scanner = Scanner::Socket(path.clone());
        assert_eq!(scan(&scanner, &bytes).unwrap(), Verdict::Clean);
        assert!(scan(&scanner, &bytes).is_err());
        assert_eq!(heard.join().unwrap(), bytes);
        assert!(scan(&Scanner::Socket(dir.path().join("nobody")), &bytes).is_err());
    }

    #[test]
    fn clamd_itself_finds_the_test_file_and_nothing_in_another() {
        if Command::new("clamd").arg("--version").output().is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "clamd is missing (Debian: clamav-daemon)"
            );
            eprintln!("NOT RUN: clamd is not here (Debian: clamav-daemon)");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("db")).unwrap();
        // MD5 and length of the test file: signatures of the world need the network.
        let signature = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n";
        std::fs::write(at("db").join("test.hdb"), signature).unwrap();
        let config = format!(
            "LocalSocket {}\nDatabaseDirectory {}\nForeground yes\nLogFile {}\nUser root\nPidFile {}\n",
            at("socket").display(),
            at("db").display(),
            at("log").display(),
            at("pid").display()
        );
        let config = match std::env::var("USER") {
            Ok(user) if user != "root" => config.replace("User root\n", ""),
            _ => config,
        };
        std::fs::write(at("conf"), config).unwrap();
        let mut clamd = Command::new("clamd")
            .arg("--config-file")
            .arg(at("conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let scanner = Scanner::Socket(at("socket"));
        let mut found = None;
        for _ in 0..300 {
            match scan(&scanner, &eicar()) {
                Ok(verdict) => {
                    found = Some(verdict);
                    break;
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        let clean = scan(&scanner, b"a,b\r\n1,2\r\n");
        clamd.kill().unwrap();
        clamd.wait().unwrap();
        let log = std::fs::read_to_string(at("log")).unwrap_or_default();
        let name = match found {
            Some(Verdict::Found(name)) => name,
            other => panic!("{other:?}: {log}"),
        };
        assert!(name.starts_with("Eicar-Test-Signature"), "{name}");
        assert_eq!(clean.unwrap(), Verdict::Clean);
    }
}
