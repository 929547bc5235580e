use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::bundle::fetch::Object;
use crate::http::Client;

/// How the storage answers a request; whole where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    /// It breaks off after this much of the body.
    bytes_max: Option<usize>,
    /// It knows no ranges.
    without_ranges: bool,
    /// Somebody replaces the object when this has been answered.
    then_replaced: bool,
    wrong_checksum: bool,
}

#[derive(Default)]
struct Storage {
    content: Vec<u8>,
    replacement: Vec<u8>,
    manners: VecDeque<Manner>,
    /// The range and condition of each request.
    asked: Vec<String>,
}

fn etag(content: &[u8]) -> String {
    digest_of(content)[..32].to_owned()
}

fn digest_of(content: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Storage {
    fn answer(&mut self, range: Option<usize>, conditions: &[(String, String)]) -> Vec<u8> {
        let manner = self.manners.pop_front().unwrap_or_default();
        let etag = etag(&self.content);
        let unmet = conditions.iter().any(|(name, value)| match name.as_str() {
            "if-match" => *value != etag,
            _ => *value == etag,
        });
        if unmet {
            let status =
                if range.is_some() { "412 Precondition Failed" } else { "304 Not Modified" };
            return format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes();
        }
        let from = range.filter(|_| !manner.without_ranges).unwrap_or(0);
        let body = &self.content[from..];
        let mut crc = flate2::Crc::new();
        crc.update(if manner.wrong_checksum { b"other" } else { &self.content });
        let crc = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            crc.sum().to_be_bytes(),
        );
        let head = match from {
            0 => format!("200 OK\r\nx-amz-checksum-crc32: {crc}"),
            _ => format!("206 Partial Content\r\nContent-Range: bytes {from}-9/9"),
        };
        let mut answer = format!(
            "HTTP/1.1 {head}\r\nETag: \"{etag}\"\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend(&body[..manner.bytes_max.unwrap_or(body.len()).min(body.len())]);
        if manner.then_replaced {
            self.content.clone_from(&self.replacement);
        }
        answer
    }
}

/// One request a connection.
fn serve(stream: &TcpStream, storage: &Mutex<Storage>) {
    let mut reader = BufReader::new(stream);
    let (mut range, mut conditions) = (None, Vec::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        let value = value.trim_matches('"').to_owned();
        match name.to_lowercase().as_str() {
            "range" => {
                range = value.trim_start_matches("bytes=").trim_end_matches('-').parse().ok();
            }
            name @ ("if-match" | "if-none-match") => conditions.push((name.to_owned(), value)),
            _ => {}
        }
    }
    let mut storage = storage.lock().unwrap();
    let asked = conditions.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
    storage.asked.push(format!("{range:?} {asked}"));
    let answer = storage.answer(range, &conditions);
    let mut out = stream;
    let _ = out.write_all(&answer);
}

struct Bench {
    dir: tempfile::TempDir,
    storage: Arc<Mutex<Storage>>,
    sources: Sources,
    etag: Option<String>,
}

impl Bench {
    fn new(content: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let storage = Storage { content: content.to_vec(), ..Storage::default() };
        let storage = Arc::new(Mutex::new(storage));
        let shared = Arc::clone(&storage);
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| serve(&stream, &shared));
        });
        let sources = Sources {
            client: Client::default(),
            region: "us-east-1".to_owned(),
            domain: "amazonaws.com".to_owned(),
            s3_endpoint: Some(address),
            path_style: None,
            github: String::new(),
            credentials: None,
        };
        // In the sources' directory: labels need a file system with attributes, which /tmp may not have.
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        Self { dir, storage, sources, etag: Some(etag(content)) }
    }

    fn manners(&self, manners: &[Manner]) {
        self.storage.lock().unwrap().manners = manners.to_vec().into();
    }

    fn place(&self, deployment: &str) -> Place {
        let group = Utf8Path::from_path(self.dir.path()).unwrap().to_owned();
        let deployment = group.join(deployment);
        fs::create_dir_all(&deployment).unwrap();
        Place { group, deployment, unpacked_bytes_max: 1 << 30 }
    }

    fn get_as(&self, deployment: &str, kind: ArchiveType) -> Result<(), String> {
        let place = self.place(deployment);
        let object = Object { bucket: "b", key: "k", version: None, etag: self.etag.as_deref() };
        let remote = Remote::S3(object);
        let start = place.take(&remote, None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = runtime.block_on(place.get(&self.sources, &remote, kind, start));
        done.map_err(|error| error.to_string())
    }

    fn get(&self, deployment: &str) -> Result<(), String> {
        self.get_as(deployment, ArchiveType::Tgz)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.storage.lock().unwrap().asked)
    }

    /// What is in a deployment's directory.
    fn names(&self, deployment: &str) -> Vec<String> {
        let entries = self.place(deployment).deployment.read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.flatten().map(|e| e.file_name().to_owned()).collect();
        names.sort();
        names
    }

    fn unpacked(&self, deployment: &str) -> String {
        let path = self.place(deployment).deployment.join(ARCHIVE).join("text");
        fs::read_to_string(path).unwrap()
    }

    fn has_labels(&self, deployment: &str) -> bool {
        let bundle = self.place(deployment).deployment.join(BUNDLE);
        let mut label = [0; 4096];
        rustix::fs::getxattr(bundle.as_std_path(), "user.longshore.bundle", &mut label).is_ok()
    }
}

/// An archive that does not compress, with one file `text`.
fn tgz(seed: u64, bytes: usize) -> (Vec<u8>, String) {
    let mut state = seed;
    let text: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + ((state >> 33) % 95) as u8)
    })
    .take(bytes)
    .collect();
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, "text", text.as_bytes()).unwrap();
    (builder.into_inner().unwrap().finish().unwrap(), text)
}

fn breaking(bytes: usize) -> Manner {
    Manner { bytes_max: Some(bytes), ..Manner::default() }
}

#[test]
fn a_download_goes_on_where_the_connection_broke() {
    let (archive, text) = tgz(1, 400_000);
    let bench = Bench::new(&archive);
    bench.manners(&[breaking(100_000), breaking(0), breaking(50_000)]);
    bench.get("d-1").unwrap();
    let from = |bytes: usize| format!("Some({bytes}) if-match");
    assert_eq!(bench.asked(), ["None ".to_owned(), from(100_000), from(100_000), from(150_000)]);
    assert_eq!(bench.unpacked("d-1"), text);
    assert_eq!(bench.names("d-1"), [BUNDLE, ARCHIVE]);
    assert_eq!(fs::read(bench.place("d-1").deployment.join(BUNDLE)).unwrap(), archive);
}

#[test]
fn a_storage_without_ranges_is_heard_again() {
    let (archive, text) = tgz(2, 300_000);
    let bench = Bench::new(&archive);
    bench.manners(&[breaking(90_000), Manner { without_ranges: true, ..Manner::default() }]);
    bench.get("d-1").unwrap();
    assert_eq!((bench.asked().len(), bench.unpacked("d-1")), (2, text));
}

#[test]
fn an_object_that_is_replaced_meanwhile_is_begun_anew_or_refused() {
    let (archive, _) = tgz(3, 300_000);
    let (replacement, text) = tgz(4, 200_000);
    let mut bench = Bench::new(&archive);
    bench.storage.lock().unwrap().replacement.clone_from(&replacement);
    let manners = [Manner { then_replaced: true, ..breaking(90_000) }];
    bench.manners(&manners);
    // The deployment is of the old object.
    let fault = bench.get("d-1").unwrap_err();
    assert!(fault.starts_with("Expected deployment artifact bundle etag"), "{fault}");
    assert!(bench.names("d-1").is_empty(), "{:?}", bench.names("d-1"));
    // The deployment is of whatever is there.
    bench.etag = None;
    bench.storage.lock().unwrap().content = archive;
    bench.manners(&manners);
    bench.get("d-2").unwrap();
    assert_eq!(bench.unpacked("d-2"), text);
}

#[test]
fn a_storage_that_breaks_off_for_ever_is_given_up_and_gone_on_with_later() {
    let (archive, text) = tgz(5, 300_000);
    let bench = Bench::new(&archive);
    bench.get("d-0").unwrap();
    if !bench.has_labels("d-0") {
        println!("skipped: this file system has no extended attributes");
        return;
    }
    fs::remove_dir_all(bench.place("d-0").deployment).unwrap();
    let old = bench.place("d-1").deployment.join(ARCHIVE);
    fs::create_dir(&old).unwrap();
    fs::write(old.join("text"), "old").unwrap();
    bench.asked();
    bench.manners(&[breaking(90_000), breaking(0), breaking(0), breaking(0)]);
    let fault = bench.get("d-1").unwrap_err();
    let says = format!("(given up after 4 tries, with 90000 of {} bytes)", archive.len());
    assert!(fault.starts_with("could not get s3://b/k: ") && fault.ends_with(&says), "{fault}");
    assert_eq!(bench.unpacked("d-1"), "old");
    assert_eq!(bench.names("d-1"), [PART, ARCHIVE]);
    // Another deployment, maybe of another agent process, takes what is there.
    bench.asked();
    bench.get("d-2").unwrap();
    assert_eq!(bench.asked(), ["Some(90000) if-match"]);
    assert_eq!(
        (bench.unpacked("d-2"), bench.names("d-1")),
        (text.clone(), vec![ARCHIVE.to_owned()])
    );
    // What is there may have been damaged by a power cut: then it is of no use.
    fs::remove_dir_all(bench.place("d-2").deployment).unwrap();
    bench.manners(&[breaking(90_000), breaking(0), breaking(0), breaking(0)]);
    bench.get("d-3").unwrap_err();
    let part = File::options().write(true).open(bench.place("d-3").deployment.join(PART)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&part, &[0; 4096], 40_000).unwrap();
    drop(part);
    bench.asked();
    bench.get("d-3").unwrap();
    assert_eq!(bench.asked(), ["Some(90000) if-match", "None "]);
    assert_eq!(bench.unpacked("d-3"), text);
}

#[test]
fn content_that_is_not_what_the_storage_says_is_refused() {
    let bench = Bench::new(&tgz(6, 50_000).0);
    bench.manners(&[Manner { wrong_checksum: true, ..Manner::default() }]);
    let fault = bench.get("d-1").unwrap_err();
    assert!(fault.contains("is damaged: its CRC-32 is "), "{fault}");
    assert!(bench.names("d-1").is_empty());
}

#[test]
fn what_is_on_the_host_is_not_fetched_again_unless_it_is_damaged() {
    let (archive, text) = tgz(7, 50_000);
    let mut bench = Bench::new(&archive);
    bench.get("d-1").unwrap();
    if !bench.has_labels("d-1") {
        println!("skipped: this file system has no extended attributes");
        return;
    }
    bench.asked();
    bench.get("d-2").unwrap();
    assert!(bench.asked().is_empty());
    let inode = |bench: &Bench, deployment: &str| {
        let bundle = bench.place(deployment).deployment.join(BUNDLE);
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(bundle).unwrap())
    };
    assert_eq!(inode(&bench, "d-1"), inode(&bench, "d-2"), "the archive is there once");
    // A deployment that does not say which object it means asks whether it is still the one.
    bench.etag = None;
    bench.get("d-3").unwrap();
    assert_eq!(bench.asked(), ["None if-none-match"]);
    assert_eq!((bench.unpacked("d-3"), inode(&bench, "d-3")), (text.clone(), inode(&bench, "d-1")));
    // Other bytes, with the size and time that the file had.
    bench.etag = Some(etag(&archive));
    let bundle =
        File::options().write(true).open(bench.place("d-1").deployment.join(BUNDLE)).unwrap();
    let time = bundle.metadata().unwrap().modified().unwrap();
    std::os::unix::fs::FileExt::write_all_at(&bundle, &[0; 64], 20_000).unwrap();
    bundle.set_modified(time).unwrap();
    bench.get("d-4").unwrap();
    assert_eq!((bench.asked(), bench.unpacked("d-4")), (vec!["None ".to_owned()], text));
}

#[test]
fn a_zip_is_unpacked_when_it_is_there() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("text", zip::write::SimpleFileOptions::default()).unwrap();
    let text = tgz(8, 200_000).1;
    writer.write_all(text.as_bytes()).unwrap();
    let bench = Bench::new(&writer.finish().unwrap().into_inner());
    bench.manners(&[breaking(60_000)]);
    bench.get_as("d-1", ArchiveType::Zip).unwrap();
    assert_eq!((bench.asked().len(), bench.unpacked("d-1")), (2, text));
}

#[test]
fn a_disk_that_fills_while_a_bundle_comes_is_called_full_and_nothing_is_left() {
    let (archive, _) = tgz(9, 600_000);
    let bench = Bench::new(&archive);
    // Too small for the archive; for the archive but not for its content.
    for (size, says) in [("200k", "could not write "), ("900k", "could not write ")] {
        let place = bench.place("d-1");
        let mounted = std::process::Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size}"),
                "tmpfs",
                place.deployment.as_str(),
            ])
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: mounting a small file system needs root");
            return;
        }
        let done = bench.get("d-1");
        let left = bench.names("d-1");
        let unmounted =
            std::process::Command::new("umount").arg(place.deployment.as_str()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
        let fault = done.unwrap_err();
        assert!(fault.starts_with(says) && fault.contains("the disk is (or was) full"), "{fault}");
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn what_is_no_archive_leaves_nothing() {
    let bench = Bench::new(b"this is no archive");
    let fault = bench.get("d-1").unwrap_err();
    assert_eq!(fault, "Error extracting tar archive: it is not in gzip format");
    assert!(bench.names("d-1").is_empty());
}
