//! Files from a browser form (multipart/form-data), streamed into the staging folder.

use std::io;
use std::path::Path;

use axum::body::Body;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::store::FileInfo;
use crate::import::Sheet;

/// Bytes of the head of one part.
const HEAD_LIMIT: usize = 8 << 10;

/// Why files did not come in.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// Not a form with files, or cut off.
    #[error("ファイルの送信が途中で切れました。もう一度送ってください。")]
    Broken,
    /// More bytes than the limit.
    #[error("ファイルが大きすぎます（512MiBまで）。大きいファイルは受入フォルダに置いてください。")]
    TooLarge,
    /// No file of residents.
    #[error("住民のファイルを選んでください。")]
    Missing,
    /// The staging folder cannot be written.
    #[error("ファイルを保存できません。空き容量を確かめてください。")]
    Io(#[from] io::Error),
}

/// One file on its way to the disk.
struct Sink {
    sheet: Sheet,
    file: tokio::fs::File,
    sum: Sha256,
    bytes: u64,
}

impl Sink {
    async fn open(folder: &Path, sheet: Sheet) -> Result<Self, UploadError> {
        let file = tokio::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(super::file(folder, sheet))
            .await?;
        Ok(Self {
            sheet,
            file,
            sum: Sha256::new(),
            bytes: 0,
        })
    }

    async fn write(&mut self, bytes: &[u8], limit: u64) -> Result<(), UploadError> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.bytes > limit {
            return Err(UploadError::TooLarge);
        }
        self.sum.update(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    /// Nothing for an empty file: a browser sends one for a field that was left alone.
    async fn close(mut self, folder: &Path) -> Result<Option<FileInfo>, UploadError> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        if self.bytes == 0 {
            tokio::fs::remove_file(super::file(folder, self.sheet)).await?;
            return Ok(None);
        }
        Ok(Some(FileInfo {
            sheet: self.sheet.name().to_owned(),
            bytes: self.bytes,
            sha256: hex::encode(self.sum.finalize()),
        }))
    }
}

/// Makes the folder of an import, for the service's own eyes.
pub(super) async fn make(folder: &Path) -> Result<(), UploadError> {
    tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .await?;
    Ok(())
}

fn whole(files: Vec<FileInfo>) -> Result<Vec<FileInfo>, UploadError> {
    match files.iter().any(|f| f.sheet == Sheet::Residents.name()) {
        true => Ok(files),
        false => Err(UploadError::Missing),
    }
}

/// Reads the parts `residents` and `households` into files of `folder`; other parts are dropped.
pub(super) async fn receive(
    content_type: &str,
    body: Body,
    folder: &Path,
    limit: u64,
) -> Result<Vec<FileInfo>, UploadError> {
    let boundary = content_type
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("boundary="))
        .map(|b| b.trim_matches('"'))
        .find(|b| (1..=70).contains(&b.len()))
        .ok_or(UploadError::Broken)?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    make(folder).await?;
    let (mut files, mut sink) = (vec![], None);
    // The first delimiter has no line before it.
    let mut buffer = b"\r\n".to_vec();
    let mut body = body;
    let mut in_part = false;
    loop {
        loop {
            let found = buffer
                .windows(delimiter.len())
                .position(|w| w == delimiter.as_slice());
            if let Some(at) = found {
                if let Some(mut open) = sink.take() {
                    Sink::write(&mut open, &buffer[..at], limit).await?;
                    files.extend(open.close(folder).await?);
                }
                // The head of the next part, or the end.
                let rest = &buffer[at + delimiter.len()..];
                if rest.starts_with(b"--") {
                    return whole(files);
                }
                let Some(end) = rest.windows(4).position(|w| w == b"\r\n\r\n") else {
                    if rest.len() > HEAD_LIMIT {
                        return Err(UploadError::Broken);
                    }
                    buffer.drain(..at);
                    break;
                };
                let head = String::from_utf8_lossy(&rest[..end]).into_owned();
                let sheet = [Sheet::Residents, Sheet::Households]
                    .into_iter()
                    .find(|s| head.contains(&format!("name=\"{}\"", field(*s))));
                buffer.drain(..at + delimiter.len() + end + 4);
                in_part = true;
                if let Some(sheet) = sheet {
                    sink = Some(Sink::open(folder, sheet).await?);
                }
            } else {
                let safe = buffer.len().saturating_sub(delimiter.len());
                if in_part && let Some(open) = &mut sink {
                    open.write(&buffer[..safe], limit).await?;
                }
                buffer.drain(..safe);
                break;
            }
        }
        let frame = body.frame().await.ok_or(UploadError::Broken)?;
        let data = frame.map_err(|_| UploadError::Broken)?.into_data();
        buffer.extend_from_slice(&data.unwrap_or_default());
    }
}

/// The form's name for the file of a sheet.
pub(super) fn field(sheet: Sheet) -> &'static str {
    match sheet {
        Sheet::Residents => "residents",
        Sheet::Households => "households",
    }
}

/// Copies the files of a folder of the inbox.
pub(super) async fn copy(from: &Path, folder: &Path) -> Result<Vec<FileInfo>, UploadError> {
    make(folder).await?;
    let mut files = vec![];
    for sheet in [Sheet::Residents, Sheet::Households] {
        let Ok(mut source) = tokio::fs::File::open(super::file(from, sheet)).await else {
            continue;
        };
        let mut sink = Sink::open(folder, sheet).await?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match source.read(&mut buffer).await? {
                0 => break,
                n => sink.write(&buffer[..n], 2 << 30).await?,
            }
        }
        files.extend(sink.close(folder).await?);
    }
    whole(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"residents\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n\
        a,b\r\n--X\r\n1,2\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"households\"; filename=\"\"\r\n\r\n\r\n--XX--\r\n";

    async fn sent(
        form: &str,
        size: usize,
        limit: u64,
    ) -> (Result<Vec<FileInfo>, UploadError>, Option<String>) {
        let chunks: Vec<Result<Vec<u8>, io::Error>> = form
            .as_bytes()
            .chunks(size)
            .map(|c| Ok(c.to_vec()))
            .collect();
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        let dir = tempfile::tempdir().unwrap();
        let kind = "multipart/form-data; boundary=XX";
        let files = receive(kind, body, dir.path(), limit).await;
        (
            files,
            std::fs::read_to_string(dir.path().join("residents.csv")).ok(),
        )
    }

    #[tokio::test]
    async fn a_file_arrives_as_it_was_however_the_network_cuts_it() {
        for size in [1, 2, 7, 64, 10_000] {
            let (files, text) = sent(FORM, size, 1000).await;
            let files = files.unwrap();
            assert_eq!((files.len(), files[0].bytes), (1, 15), "{size}");
            assert_eq!(text.as_deref(), Some("a,b\r\n--X\r\n1,2\r\n"));
        }
    }

    #[tokio::test]
    async fn what_is_cut_off_too_large_or_without_residents_is_refused() {
        let cut = &FORM[..FORM.len() - 40];
        assert!(matches!(
            sent(cut, 9, 1000).await.0,
            Err(UploadError::Broken)
        ));
        assert!(matches!(
            sent(FORM, 9, 10).await.0,
            Err(UploadError::TooLarge)
        ));
        let other = FORM.replace("\"residents\"", "\"other\"");
        assert!(matches!(
            sent(&other, 9, 1000).await.0,
            Err(UploadError::Missing)
        ));
        let endless = format!("--XX\r\n{}", "x".repeat(20 << 10));
        assert!(matches!(
            sent(&endless, 900, 1000).await.0,
            Err(UploadError::Broken)
        ));
    }
}
