//! The S3 service in process: what a stock client cannot show. Those judge it in `tests/api/test_s3.py`.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use longshore_server::clock::Clock;
use longshore_server::s3::{self, Credentials, HeadError, Key, NothingPublished, S3Service};
use model::Timestamp;
use model::arn::Scope;
use store::{Database, Store};
use wire::sigv4;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Three access keys: root's, one of a session, and one of a session that has ended. And `AKIAREADER`, who may
/// do nothing to what is called `secret`.
struct Keys;

#[async_trait::async_trait]
impl Credentials for Keys {
    async fn find(&self, access_key: &str) -> Result<Option<Key>, Fault> {
        let key = |session_token: Option<&str>, expires| {
            let session_token = session_token.map(str::to_owned);
            Some(Key { secret: "wonderland".to_owned(), session_token, expires })
        };
        Ok(match access_key {
            "AKIAROOT" | "AKIAREADER" => key(None, None),
            "ASIASESSION" => key(Some("token"), None),
            "ASIAENDED" => key(Some("token"), Some(Timestamp::from_millis(0))),
            _ => None,
        })
    }

    async fn allows(&self, access_key: &str, _: &str, resource: &str) -> Result<bool, Fault> {
        Ok(access_key == "AKIAROOT" || !resource.ends_with("secret"))
    }
}

struct Bench {
    directory: PathBuf,
    service: S3Service,
    key: &'static str,
    token: Option<&'static str>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The status, and the error's code if it is one.
    fn outcome(&self) -> (u16, &str) {
        (self.status.as_u16(), element(&self.body, "Code").unwrap_or_default())
    }
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

async fn bench(directory: &Path) -> Bench {
    let store = Store::open(&Database::Sqlite(directory.join("longshore.db"))).await.unwrap();
    bench_on(store, directory)
}

/// Rows here, bytes there.
fn bench_on(store: Store, data_dir: &Path) -> Bench {
    let config = s3::Config {
        store,
        data_dir: data_dir.to_owned(),
        clock: Clock::system(),
        scope: Scope { account: "123456789012".to_owned(), region: "us-east-1".to_owned() },
        host_names: Vec::new(),
        credentials: Arc::new(Keys),
        published: Arc::new(NothingPublished),
    };
    let service = s3::service(config).unwrap();
    Bench { directory: data_dir.to_owned(), service, key: "AKIAROOT", token: None }
}

impl Bench {
    fn with_key(&self, key: &'static str, token: Option<&'static str>) -> Self {
        Self { directory: self.directory.clone(), service: self.service.clone(), key, token }
    }

    /// A signed request without its body.
    fn signed(
        &self,
        method: &str,
        target: &str,
        extra: &[(&str, &str)],
        hash: &str,
    ) -> http::request::Builder {
        let mut headers: Vec<(&str, &[u8])> = vec![("host", b"127.0.0.1:7400")];
        headers.extend(extra.iter().map(|(name, value)| (*name, value.as_bytes())));
        let request = sigv4::Request { method, target, headers: &headers };
        let credentials =
            sigv4::Credentials::new(self.key, "wonderland", self.token.map(str::to_owned));
        let scope = sigv4::Scope { region: "us-east-1", service: "s3" };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let added = sigv4::sign(&request, &credentials, scope, now.cast_signed(), hash);
        let builder = Request::builder().method(method).uri(target);
        let builder =
            headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        added.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value))
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        extra: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let length = body.len().to_string();
        let extra: Vec<_> =
            extra.iter().copied().chain([("content-length", length.as_str())]).collect();
        let request = self.signed(method, target, &extra, &sigv4::payload_hash(body));
        self.answer(request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()).await
    }

    async fn answer<B>(&self, request: Request<B>) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Fault>,
    {
        let (head, body) = self.service.handle(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn ok(&self, method: &str, target: &str, body: &[u8]) -> Answer {
        let answer = self.send(method, target, &[], body).await;
        assert!(answer.status.is_success(), "{method} {target}: {} {}", answer.status, answer.body);
        answer
    }

    /// How many files hold bytes.
    fn files(&self) -> usize {
        fn count(directory: &Path) -> usize {
            let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.directory.join("objects"))
    }
}

#[tokio::test]
async fn temporary_credentials_need_their_token() {
    let directory = tempfile::tempdir().unwrap();
    let root = bench(directory.path()).await;
    let outcome = async |key, token| {
        let answer = root.with_key(key, token).send("GET", "/", &[], b"").await;
        format!("{} {}", answer.status.as_u16(), answer.outcome().1)
    };
    assert_eq!(outcome("ASIASESSION", Some("token")).await, "200 ");
    assert_eq!(outcome("ASIASESSION", Some("other")).await, "400 InvalidToken");
    assert_eq!(outcome("ASIASESSION", None).await, "400 InvalidToken");
    assert_eq!(outcome("AKIAROOT", Some("token")).await, "400 InvalidToken");
    assert_eq!(outcome("ASIAENDED", Some("token")).await, "400 ExpiredToken");
    assert_eq!(outcome("AKIANOBODY", None).await, "403 InvalidAccessKeyId");
}

#[tokio::test]
async fn who_may_not_is_refused_whichever_way_is_tried() {
    let directory = tempfile::tempdir().unwrap();
    let root = bench(directory.path()).await;
    root.ok("PUT", "/bucket", b"").await;
    for key in ["secret", "open"] {
        root.ok("PUT", &format!("/bucket/{key}"), b"v").await;
    }
    let reader = root.with_key("AKIAREADER", None);
    assert_eq!(reader.send("GET", "/bucket/open", &[], b"").await.status, 200);
    assert_eq!(
        reader.send("GET", "/bucket/secret", &[], b"").await.outcome(),
        (403, "AccessDenied")
    );
    for source in ["bucket/secret", "/bucket/secre%74"] {
        let copy = reader.send("PUT", "/bucket/copy", &[("x-amz-copy-source", source)], b"").await;
        assert_eq!(copy.outcome(), (403, "AccessDenied"), "{source}");
    }
    let both =
        b"<Delete><Object><Key>secret</Key></Object><Object><Key>open</Key></Object></Delete>";
    let md5 = BASE64_STANDARD.encode(md5_of(both));
    let deleted = reader.send("POST", "/bucket?delete", &[("content-md5", &md5)], both).await;
    assert!(deleted.body.contains("<Deleted><Key>open</Key></Deleted>"), "{}", deleted.body);
    assert!(
        deleted.body.contains("<Code>AccessDenied</Code><Key>secret</Key>"),
        "{}",
        deleted.body
    );
    assert_eq!(root.send("GET", "/bucket/secret", &[], b"").await.status, 200);
}

fn md5_of(bytes: &[u8]) -> [u8; 16] {
    use s3s::crypto::Checksum as _;
    s3s::crypto::Md5::checksum(bytes)
}

/// A body as current SDKs send it over TLS: in chunks, with a checksum at the end.
async fn put_with_trailer(bench: &Bench, target: &str, framed: String, decoded: usize) -> Answer {
    let decoded = decoded.to_string();
    let extra = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", decoded.as_str()),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let request = bench.signed("PUT", target, &extra, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    bench.answer(request.body(Full::new(Bytes::from(framed))).unwrap()).await
}

#[tokio::test]
async fn a_checksum_may_follow_the_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    let framed = |sum: &str| format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n");
    let put = put_with_trailer(&bench, "/bucket/k", framed("y/Q5Jg=="), 9).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.headers["x-amz-checksum-crc32"], "y/Q5Jg==");
    let got = bench.send("GET", "/bucket/k", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
    assert_eq!(
        (got.body.as_str(), &got.headers["x-amz-checksum-crc32"]),
        ("123456789", &put.headers["x-amz-checksum-crc32"])
    );
    // How the body travelled is not part of the object.
    assert!(!got.headers.contains_key("content-encoding"));

    let wrong = put_with_trailer(&bench, "/bucket/wrong", framed("AAAAAA=="), 9).await;
    assert_eq!(wrong.outcome(), (400, "BadDigest"));
    let short = put_with_trailer(&bench, "/bucket/short", framed("y/Q5Jg=="), 10).await;
    assert_eq!(short.outcome(), (400, "IncompleteBody"));
    let cut = "9\r\n123456789\r\n".to_owned();
    let cut = put_with_trailer(&bench, "/bucket/cut", cut, 9).await;
    assert_eq!(cut.outcome(), (400, "IncompleteBody"));
    assert_eq!(bench.files(), 1);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    let pieces: [Result<Frame<Bytes>, Fault>; 2] =
        [Ok(Frame::data(Bytes::from_static(b"half"))), Err("connection reset".into())];
    let request =
        bench.signed("PUT", "/bucket/k", &[("content-length", "8")], sigv4::UNSIGNED_PAYLOAD);
    let broken = bench.answer(request.body(StreamBody::new(stream::iter(pieces))).unwrap()).await;
    assert_eq!(broken.outcome(), (400, "IncompleteBody"));
    assert_eq!(bench.files(), 0);

    // One that hangs is dropped with its connection.
    let first = futures::StreamExt::chain(
        stream::iter([Ok::<_, Fault>(Frame::data(Bytes::from_static(b"half")))]),
        stream::pending(),
    );
    let request =
        bench.signed("PUT", "/bucket/k", &[("content-length", "8")], sigv4::UNSIGNED_PAYLOAD);
    let hanging = bench.service.handle(request.body(StreamBody::new(first)).unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(200), hanging).await.is_err());
    wait_for(|| bench.files() == 0).await;
    assert_eq!(bench.send("GET", "/bucket/k", &[], b"").await.outcome(), (404, "NoSuchKey"));
}

async fn wait_for(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not come true within 5 s");
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    let length = (5_u64 * 1024 * 1024 * 1024 + 1).to_string();
    let request =
        bench.signed("PUT", "/bucket/k", &[("content-length", &length)], sigv4::UNSIGNED_PAYLOAD);
    // Nobody reads this body: it would never end.
    let body: Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, Fault>> + Send>> =
        Box::pin(stream::pending());
    let answer = bench.answer(request.body(StreamBody::new(body)).unwrap()).await;
    assert_eq!(answer.outcome(), (400, "EntityTooLarge"));
    // The client may keep the body back now; then what comes next on this connection is not it.
    assert_eq!(answer.headers["connection"], "close");
    assert!(!bench.ok("PUT", "/bucket/k", b"small").await.headers.contains_key("connection"));
    let form = [("content-type", "multipart/form-data; boundary=x")];
    assert_eq!(
        bench.send("POST", "/bucket", &form, b"--x--").await.outcome(),
        (501, "NotImplemented")
    );
}

#[tokio::test]
async fn of_many_creators_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    let absent = [("if-none-match", "*")];
    let bodies: Vec<_> = (0..8).map(|number| format!("creator {number}")).collect();
    let puts = bodies.iter().map(|body| bench.send("PUT", "/bucket/k", &absent, body.as_bytes()));
    let answers = futures::future::join_all(puts).await;
    let winners: Vec<_> = answers
        .iter()
        .zip(&bodies)
        .filter(|(answer, _)| answer.status == 200)
        .map(|(_, body)| body)
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(bench.send("GET", "/bucket/k", &[], b"").await.body, **winners[0]);
    assert_eq!(bench.files(), 1);
}

#[tokio::test]
async fn files_go_with_their_objects() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    for body in [b"one".as_slice(), b"two"] {
        bench.ok("PUT", "/bucket/k", body).await;
    }
    assert_eq!(bench.files(), 1);
    bench.ok("DELETE", "/bucket/k", b"").await;
    assert_eq!(bench.files(), 0);

    let upload = begin_upload(&bench).await;
    let etag = put_part(&bench, &upload, 1, b"kept").await;
    put_part(&bench, &upload, 2, b"left over").await;
    complete(&bench, &upload, &etag).await;
    assert_eq!(bench.files(), 1);
    assert_eq!(bench.send("GET", "/bucket/large", &[], b"").await.body, "kept");
    bench.ok("DELETE", "/bucket/large", b"").await;

    let upload = begin_upload(&bench).await;
    put_part(&bench, &upload, 1, b"given up").await;
    bench.ok("DELETE", &format!("/bucket/large?uploadId={upload}"), b"").await;
    assert_eq!(bench.files(), 0);

    let upload = begin_upload(&bench).await;
    put_part(&bench, &upload, 1, b"forgotten").await;
    bench.ok("DELETE", "/bucket", b"").await;
    assert_eq!(bench.files(), 0);
}

async fn begin_upload(bench: &Bench) -> String {
    let begun = bench.ok("POST", "/bucket/large?uploads", b"").await;
    element(&begun.body, "UploadId").unwrap().to_owned()
}

async fn put_part(bench: &Bench, upload: &str, number: u32, body: &[u8]) -> String {
    let target = format!("/bucket/large?partNumber={number}&uploadId={upload}");
    let answer = bench.ok("PUT", &target, body).await;
    answer.headers["etag"].to_str().unwrap().to_owned()
}

async fn complete(bench: &Bench, upload: &str, etag: &str) {
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    bench.ok("POST", &format!("/bucket/large?uploadId={upload}"), parts.as_bytes()).await;
}

#[tokio::test]
async fn the_next_start_removes_what_a_crash_left() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::open(&Database::Sqlite(directory.path().join("longshore.db"))).await.unwrap();
    let first = bench_on(store.clone(), directory.path());
    first.ok("PUT", "/bucket", b"").await;
    first.ok("PUT", "/bucket/k", b"kept").await;
    let done = begin_upload(&first).await;
    let etag = put_part(&first, &done, 1, b"done").await;
    complete(&first, &done, &etag).await;
    let open = begin_upload(&first).await;
    put_part(&first, &open, 1, b"goes on").await;
    // What a crash leaves: bytes whose row was never written, in the two places where bytes lie.
    let lost = directory.path().join("objects/ab/abandoned");
    let lost_part = directory.path().join("objects/ac/acute/part");
    for path in [&lost, &lost_part] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"lost").unwrap();
    }
    assert_eq!(first.files(), 5);

    let second = bench_on(store, directory.path());
    assert_eq!(second.service.sweep(SystemTime::UNIX_EPOCH).await.unwrap(), 0);
    let later = SystemTime::now() + Duration::from_secs(5);
    assert_eq!(second.service.sweep(later).await.unwrap(), 2);
    assert!(!lost.exists() && !lost_part.exists());
    assert_eq!(second.send("GET", "/bucket/k", &[], b"").await.body, "kept");
    assert_eq!(second.send("GET", "/bucket/large", &[], b"").await.body, "done");
    let parts = second.ok("GET", &format!("/bucket/large?uploadId={open}"), b"").await;
    assert!(parts.body.contains("<PartNumber>1</PartNumber>"), "{}", parts.body);
    assert_eq!(second.files(), 3);
}

#[tokio::test]
async fn the_control_plane_looks_without_a_signature() {
    let directory = tempfile::tempdir().unwrap();
    let bench = bench(directory.path()).await;
    bench.ok("PUT", "/bucket", b"").await;
    bench.ok("PUT", "/bucket/k", b"hello").await;
    let head = bench.service.head("bucket", "k", None).await.unwrap();
    assert_eq!(
        (head.etag.as_str(), head.size, head.version),
        ("5d41402abc4b2a76b9719d911017c592", 5, None)
    );
    let missing = bench.service.head("bucket", "none", None).await;
    assert!(matches!(missing, Err(HeadError::NoSuchKey { .. })), "{missing:?}");
    let missing = bench.service.head("nowhere", "k", None).await;
    assert!(matches!(missing, Err(HeadError::NoSuchBucket(_))), "{missing:?}");
    let missing = bench.service.head("bucket", "k", Some("v1")).await;
    assert!(matches!(missing, Err(HeadError::NoSuchVersion { .. })), "{missing:?}");
}

/// A file system of one mebibyte; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(at)
            .output()
            .ok()?;
        mounted.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let rows = tempfile::tempdir().unwrap();
    let bytes = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(bytes.path()) else {
        println!("skipped: mounting a small file system takes root");
        return;
    };
    let store = Store::open(&Database::Sqlite(rows.path().join("longshore.db"))).await.unwrap();
    let bench = bench_on(store, bytes.path());
    bench.ok("PUT", "/bucket", b"").await;
    bench.ok("PUT", "/bucket/k", b"old").await;
    let large = vec![7; 2 * 1024 * 1024];
    let full = bench.send("PUT", "/bucket/k", &[], &large).await;
    assert_eq!(full.outcome(), (503, "ServiceUnavailable"));
    assert!(full.body.contains("no space left"), "{}", full.body);
    assert_eq!(bench.send("GET", "/bucket/k", &[], b"").await.body, "old");
    assert_eq!(bench.files(), 1);
    // What was half written is gone, so there is room again.
    bench.ok("PUT", "/bucket/k", b"new").await;
    assert_eq!(bench.send("GET", "/bucket/k", &[], b"").await.body, "new");
    drop(disk);
}
