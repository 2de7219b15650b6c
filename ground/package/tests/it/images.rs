//! Images of a disc: written, read back by us, by `isoinfo` and by `xorriso`; a changed one is noticed.

use std::io::Cursor;
use std::process::Command;

use mimamori_kernel::clock::Instant;
use mimamori_package::*;
use sha2::Digest as _;

use crate::tools::needs;
use crate::world::{MADE, World, code};

type Files = Vec<(String, Vec<u8>)>;

fn listing(files: &Files) -> Vec<ImageFile> {
    let file = |(name, bytes): &(String, Vec<u8>)| ImageFile {
        name: name.clone(),
        bytes: bytes.len() as u64,
        sha256: hex::encode(sha2::Sha256::digest(bytes)),
    };
    files.iter().map(file).collect()
}

fn image(files: &Files) -> Result<Vec<u8>, PackageError> {
    let sources = listing(files).into_iter().zip(files);
    let sources = sources.map(|(listed, (name, bytes))| {
        let input = Box::new(bytes.as_slice());
        (
            listed,
            Source {
                name,
                input: input as _,
            },
        )
    });
    let mut out = Vec::new();
    let at = Instant(MADE * 1_000_000);
    write_image("TOWN_2025_0001", at, sources.collect(), &mut out)?;
    Ok(out)
}

fn files() -> Files {
    vec![
        (
            "package-0123456789abcdef.age".into(),
            World::new().package(300),
        ),
        ("readme.txt".into(), "開き方".as_bytes().to_vec()),
        ("empty.bin".into(), vec![]),
        ("sector.bin".into(), vec![7; 2048]),
    ]
}

#[test]
fn an_image_is_read_back_as_it_was_written_and_a_changed_one_is_noticed() {
    let files = files();
    let bytes = image(&files).unwrap();
    assert_eq!(bytes.len() % 2048, 0);
    compare_image(Cursor::new(&bytes), &listing(&files)).unwrap();
    let mut opened = Image::open(Cursor::new(&bytes)).unwrap();
    assert_eq!(opened.label(), "TOWN_2025_0001");
    assert_eq!(*opened.read("readme.txt").unwrap(), "開き方".as_bytes());
    assert_eq!(code(opened.read("other")), "PACKAGE-NO-SUCH-FILE");
    let mut broken = bytes.clone();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    assert_eq!(
        code(compare_image(Cursor::new(&broken), &listing(&files))),
        "PACKAGE-READ-BACK"
    );
    let short = &bytes[..bytes.len() - 2048];
    assert_eq!(
        code(compare_image(Cursor::new(short), &listing(&files))),
        "PACKAGE-READ-BACK"
    );
    let fewer = listing(&files)[1..].to_vec();
    assert_eq!(
        code(compare_image(Cursor::new(&bytes), &fewer)),
        "PACKAGE-READ-BACK"
    );
    assert_eq!(
        code(Image::open(Cursor::new(&bytes[..30_000])).map(|_| ())),
        "PACKAGE-IMAGE"
    );
}

#[test]
fn a_folder_of_many_files_keeps_them_all_and_what_does_not_fit_is_refused() {
    let many: Files = (0..200)
        .map(|n| {
            (
                format!("file-with-a-long-name-{n:03}.age"),
                vec![n as u8; 100],
            )
        })
        .collect();
    let bytes = image(&many).unwrap();
    compare_image(Cursor::new(&bytes), &listing(&many)).unwrap();
    let more: Files = (0..201).map(|n| (format!("f{n}"), vec![])).collect();
    assert_eq!(code(image(&more)), "PACKAGE-LIMIT");
    assert_eq!(code(image(&vec![])), "PACKAGE-LIMIT");
    let twice: Files = vec![("a".into(), vec![]), ("a".into(), vec![])];
    assert_eq!(code(image(&twice)), "PACKAGE-FIELD");
    let odd: Files = vec![("../a".into(), vec![])];
    assert_eq!(code(image(&odd)), "PACKAGE-FIELD");
    let large = ImageFile {
        name: "large".into(),
        bytes: 800_000_000,
        sha256: String::new(),
    };
    let input = Box::new(std::io::empty());
    let source = (
        large,
        Source {
            name: "large",
            input,
        },
    );
    let at = Instant(MADE * 1_000_000);
    let refused = write_image("LARGE", at, vec![source], &mut vec![]);
    assert_eq!(code(refused), "PACKAGE-LIMIT");
}

#[test]
fn no_bytes_make_the_reader_panic_or_read_without_end() {
    let bytes = image(&files()).unwrap();
    let random = mimamori_kernel::random::SeededRandom::new(9660);
    for _ in 0..3_000 {
        let mut broken = bytes.clone();
        // Descriptors and folders are where the reader believes what it reads.
        for _ in 0..random.below(4) + 1 {
            let at = 16 * 2048 + random.below(10 * 2048) as usize;
            broken[at] = random.below(256) as u8;
        }
        if let Ok(mut image) = Image::open(Cursor::new(&broken)) {
            let names: Vec<String> = image.files().map(|f| f.name.clone()).collect();
            for name in names {
                let _ = image.read(&name).map(|b| assert!(b.len() <= bytes.len()));
            }
        }
    }
}

#[test]
fn other_programs_read_the_image_with_both_kinds_of_names() {
    if !needs(&[("isoinfo", "genisoimage"), ("xorriso", "xorriso")]) {
        return;
    }
    let files = files();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.iso");
    std::fs::write(&path, image(&files).unwrap()).unwrap();
    let iso = |arguments: &[&str]| {
        let out = Command::new("isoinfo")
            .arg("-i")
            .arg(&path)
            .args(arguments)
            .output();
        let out = out.unwrap();
        assert!(out.status.success(), "{out:?}");
        out.stdout
    };
    for (name, bytes) in &files {
        assert_eq!(iso(&["-J", "-x", &format!("/{name}")]), *bytes, "{name}");
    }
    let level_1 = String::from_utf8(iso(&["-f"])).unwrap();
    for name in [
        "/README.TXT;1",
        "/FILE0000.AGE;1",
        "/SECTOR.BIN;1",
        "/EMPTY.BIN;1",
    ] {
        assert!(level_1.contains(name), "{level_1}");
    }
    assert_eq!(iso(&["-x", "/README.TXT;1"]), files[1].1);
    let out = Command::new("xorriso")
        .args(["-indev"])
        .arg(&path)
        .args(["-osirrox", "on", "-extract", "/"])
        .arg(dir.path().join("out"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    for (name, bytes) in &files {
        let read = std::fs::read(dir.path().join("out").join(name));
        let read = read.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read, *bytes);
    }
}
