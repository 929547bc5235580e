//! Databases for tests, and the few nouns that every test needs.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use model::{
    ApplicationId, BundleType, Creator, DeploymentGroupId, DeploymentId, MinimumHealthyHosts,
    Revision, Timestamp,
};
use store::{
    Application, Create, CreateDeployment, CreateGroup, Database, NewDeployment, NewGroup, Store,
};

/// Makes a test of the name for each engine from a function that takes a fresh store.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {$(
            #[tokio::test]
            async fn $name() {
                let place = crate::support::sqlite();
                super::$name(crate::support::open(&place.database).await).await;
            }
        )+}
        mod on_postgres {$(
            #[tokio::test]
            async fn $name() {
                let Some(database) = crate::support::postgres().await else { return };
                super::$name(crate::support::open(&database).await).await;
            }
        )+}
    };
}
pub(crate) use on_both_engines;

pub async fn open(database: &Database) -> Store {
    Store::open(database).await.unwrap()
}

/// A place for an SQLite file; gone when dropped.
pub struct Place {
    pub database: Database,
    pub file: PathBuf,
    _directory: tempfile::TempDir,
}

pub fn sqlite() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("longshore.db");
    Place { database: Database::Sqlite(file.clone()), file, _directory: directory }
}

/// A fresh database on the server that `LONGSHORE_TEST_POSTGRES_URL` names, or on one that is started for this
/// process; nothing, said so, where PostgreSQL is not installed.
pub async fn postgres() -> Option<Database> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let base = match std::env::var("LONGSHORE_TEST_POSTGRES_URL") {
        Ok(url) => url,
        Err(_) => match SERVER.get_or_init(Server::start) {
            Ok(server) => server.url(),
            Err(reason) => {
                println!("skipped: {reason}");
                return None;
            }
        },
    };
    let client = connect(&base).await;
    let name = format!("longshore_{:016x}", RandomState::new().hash_one(std::process::id()));
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Some(Database::Postgres(with_database(&base, &name)))
}

/// A connection of the tests' own.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match tokio_postgres::connect(url, tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) if Instant::now() > deadline => panic!("{url}: {error}"),
            // It is still starting.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn with_database(base: &str, name: &str) -> String {
    let Some(address) = base.strip_prefix("postgres://").or(base.strip_prefix("postgresql://"))
    else {
        return format!("{base} dbname={name}");
    };
    let (address, options) = address.split_once('?').unwrap_or((address, ""));
    let authority = address.split_once('/').map_or(address, |(authority, _)| authority);
    format!("postgres://{authority}/{name}?{options}")
}

/// A PostgreSQL server that ends, and removes its files, when this process ends, however it does.
struct Server {
    directory: PathBuf,
    /// Closed by the end of this process, which the server's shell takes as its own.
    _lifeline: ChildStdin,
}

impl Server {
    fn start() -> Result<Self, String> {
        let programs =
            programs().ok_or("PostgreSQL's `initdb` and `postgres` are not installed")?;
        Self::try_start(&programs).map_err(|error| format!("PostgreSQL does not start: {error}"))
    }

    fn try_start(programs: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("longshore-store-").tempdir()?.keep();
        let mut shell = Command::new("sh");
        if std::fs::metadata("/proc/self")?.uid() == 0 {
            // PostgreSQL refuses to run as root.
            let uid = uid_of("postgres").or_else(|| uid_of("nobody")).unwrap_or(65534);
            chown(&directory, Some(uid), None)?;
            shell.uid(uid);
        }
        let mut child = shell
            .arg("-c")
            .arg(
                "PATH=$1:$PATH; cd \"$2\" || exit 1; exec 2>log; \
                 initdb -D data -U longshore -A trust -E UTF8 --locale=C -N >/dev/null && \
                 { postgres -D data -k \"$2\" -c listen_addresses= -c fsync=off \
                   -c max_connections=300 -c shared_buffers=32MB >&2 & \
                   server=$!; cat >/dev/null; kill -INT $server; wait $server; }; \
                 cd /; rm -rf \"$2\"",
            )
            .args([Path::new("sh"), programs, &directory])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take().ok_or_else(|| io::Error::other("no pipe"))?;
        Ok(Self { directory, _lifeline: lifeline })
    }

    fn url(&self) -> String {
        format!("host={} user=longshore dbname=postgres", self.directory.display())
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    folders.into_iter().next()
}

fn uid_of(user: &str) -> Option<u32> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let entry = passwd.lines().find_map(|line| line.strip_prefix(&format!("{user}:")))?;
    entry.split(':').nth(1)?.parse().ok()
}

pub const REGION: &str = "us-east-1";

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub fn application(name: &str) -> Application {
    Application {
        id: ApplicationId::new(format!("id-of-{name}")),
        region: REGION.to_owned(),
        name: name.parse().unwrap(),
        platform: "Server".to_owned(),
        body: "{}".to_owned(),
        created: at(1_000),
    }
}

pub fn group(application: &str, name: &str) -> NewGroup {
    NewGroup {
        id: DeploymentGroupId::new(format!("id-of-{application}-{name}")),
        application_id: ApplicationId::new(format!("id-of-{application}")),
        region: REGION.to_owned(),
        name: name.parse().unwrap(),
        config_name: "CodeDeployDefault.OneAtATime".parse().unwrap(),
        body: "{}".to_owned(),
        created: at(2_000),
    }
}

pub fn revision(key: &str) -> Revision {
    Revision::S3 {
        bucket: "bundles".to_owned(),
        key: key.to_owned(),
        bundle_type: BundleType::Zip,
        version: None,
        etag: None,
    }
}

/// The `number`-th deployment of `v1` to the group `Prod` of the application `Demo`.
pub fn deployment(number: u32) -> NewDeployment {
    NewDeployment {
        id: deployment_id(number),
        region: REGION.to_owned(),
        application_id: ApplicationId::new("id-of-Demo"),
        application_name: "Demo".parse().unwrap(),
        group_id: DeploymentGroupId::new("id-of-Demo-Prod"),
        group_name: "Prod".parse().unwrap(),
        config_name: "CodeDeployDefault.OneAtATime".parse().unwrap(),
        minimum_healthy: MinimumHealthyHosts::MostConcurrency(1),
        zonal: None,
        messages: std::collections::BTreeSet::new(),
        revision: revision("v1"),
        queue: None,
        sequence: None,
        creator: Creator::User,
        description: Some("as \"asked\"".to_owned()),
        ignore_application_stop_failures: false,
        roll_back_on: std::collections::BTreeSet::new(),
        alarms: None,
        rolls_back: None,
        options: "{\"fileExistsBehavior\":\"DISALLOW\"}".to_owned(),
        created: at(10_000 + i64::from(number)),
    }
}

pub fn deployment_id(number: u32) -> DeploymentId {
    format!("d-{number:09}").parse().unwrap()
}

/// The application `Demo` with the group `Prod`.
pub async fn demo(store: &Store) {
    assert_eq!(store.create_application(&application("Demo")).await.unwrap(), Create::Created);
    assert_eq!(store.create_group(&group("Demo", "Prod")).await.unwrap(), CreateGroup::Created);
}

/// Makes the deployment, which must be possible.
pub async fn create(store: &Store, new: &NewDeployment) {
    assert_eq!(store.create_deployment(new).await.unwrap(), CreateDeployment::Created);
}
