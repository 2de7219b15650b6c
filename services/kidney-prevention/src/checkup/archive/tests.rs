use super::*;
use jiff::civil::date;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

const SMALL: Limits = Limits {
    entries: 6,
    bytes: 4 << 20,
    ratio: 50,
    depth: 2,
};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(bytes: &[u8]) -> Result<(Archive, Vec<Read>), ArchiveError> {
    let mut all = vec![];
    let archive = read_archive(
        Cursor::new(bytes),
        SMALL,
        Codes::standard(),
        date(2025, 12, 1),
        |r| all.push(r),
    )?;
    Ok((archive, all))
}

#[test]
fn documents_index_summary_and_the_rest_are_told_apart() {
    let bytes = zip(&[
        (
            "A/ix08_V08.xml",
            br#"<index xmlns="x"><totalRecordCount value="2"/></index>"#,
        ),
        (
            "A/su08_V08.xml",
            br#"<summary xmlns="x"><totalSubjectCount value="3"/></summary>"#,
        ),
        ("A/DATA/h0001.xml", b"<a/>"),
        ("A/DATA/h0002.xml", b"broken"),
        ("A/CLAIMS/c0001.xml", b"<a/>"),
        ("A/readme.txt", b"?"),
    ]);
    let (archive, all) = read(&bytes).unwrap();
    assert_eq!(
        (archive.documents, archive.announced, archive.summed),
        (2, Some(2), Some(3))
    );
    assert!(!archive.agrees());
    assert_eq!(all[1].place, "h0002.xml");
    assert_eq!(
        archive.others.into_iter().collect::<Vec<_>>(),
        [("CLAIMS（決済情報）", 1), ("その他", 1)]
    );
}

#[test]
fn limits_hold_before_a_document_is_unpacked() {
    let data: (&str, &[u8]) = ("DATA/h1.xml", b"<a/>");
    let many = zip(&["a", "b", "c", "d", "e", "f", "g"].map(|n| (n, &b"x"[..])));
    assert!(matches!(read(&many), Err(ArchiveError::Entries)));
    let bomb = vec![b'a'; 1 << 20];
    assert!(matches!(
        read(&zip(&[data, ("DATA/h2.xml", &bomb)])),
        Err(ArchiveError::Ratio)
    ));
    let noise: Vec<u8> = (0..5u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert!(matches!(
        read(&zip(&[data, ("b", &noise)])),
        Err(ArchiveError::Bytes)
    ));
    for path in [
        "../DATA/h1.xml",
        "/DATA/h1.xml",
        "a/b/c/h1.xml",
        "DATA\\..\\h1.xml",
        "C:/h1.xml",
        "a//h1.xml",
    ] {
        assert!(
            matches!(read(&zip(&[(path, b"<a/>")])), Err(ArchiveError::Path)),
            "{path}"
        );
    }
    assert!(matches!(
        read(&zip(&[("h1.xml", b"<a/>")])),
        Err(ArchiveError::Nothing)
    ));
    assert!(matches!(read(b"not a zip"), Err(ArchiveError::Zip(_))));
}

#[test]
fn an_archive_with_a_password_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file(
        "DATA/h1.xml",
        options.with_aes_encryption(AesMode::Aes256, "secret"),
    )
    .unwrap();
    zip.write_all(b"<a/>").unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(matches!(read(&bytes), Err(ArchiveError::Encrypted)));
}

#[test]
fn a_damaged_archive_is_an_error_and_never_a_panic() {
    let bytes = zip(&[("DATA/h1.xml", &b"<a>text</a>".repeat(20))]);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x21;
        let _ = read(&flipped);
        let _ = read(&bytes[..at]);
    }
}
