//! The data directory: who may use it, and the few plain files in it that people read.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rand::Rng;
use rustix::fs::FlockOperation;
use server::data_dir::{LOCK, ROOT_CREDENTIALS};

/// A data directory, which need not exist yet.
#[derive(Debug, Clone)]
pub struct DataDir(Utf8PathBuf);

/// The right to be the one server on a data directory, for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The credentials that may do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCredentials {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl DataDir {
    pub fn at(path: Utf8PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Makes the directory if it is missing (mode 0700: it holds secrets) and takes the right to serve from it.
    pub fn open(&self) -> anyhow::Result<Lock> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .with_context(|| format!("cannot make the data directory {}", self.0))?;
        let path = self.0.join(LOCK);
        let file = File::create(&path).with_context(|| format!("cannot write {path}"))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => bail!(
                "another longshore serves from the data directory {}: stop it, or name another with --data-dir",
                self.0
            ),
            Err(error) => Err(error).with_context(|| format!("cannot lock {path}")),
        }
    }

    /// The root credentials: from the environment, else from the file made at the first start.
    pub fn root_credentials(&self) -> anyhow::Result<RootCredentials> {
        if let Some(given) = RootCredentials::from_environment()? {
            return Ok(given);
        }
        let path = self.root_credentials_path();
        match fs::read_to_string(&path) {
            Ok(text) => RootCredentials::parse(&text).with_context(|| format!("cannot use {path}")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = RootCredentials::make();
                write_secret(&path, &made.as_file())
                    .with_context(|| format!("cannot write {path}"))?;
                Ok(made)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
        }
    }

    fn root_credentials_path(&self) -> Utf8PathBuf {
        self.0.join(ROOT_CREDENTIALS)
    }

    /// Whether the root credentials are kept here.
    pub fn has_root_credentials(&self) -> bool {
        self.root_credentials_path().is_file()
    }

    /// Notes where the server answers, for `longshore credentials`.
    pub fn note_endpoint(&self, endpoint: &str, region: &str) -> anyhow::Result<()> {
        let path = self.0.join("endpoint");
        fs::write(&path, format!("{endpoint} {region}\n"))
            .with_context(|| format!("cannot write {path}"))
    }

    /// The root credentials as a credentials file, or as lines that a shell evaluates.
    pub fn credentials_text(&self, as_environment: bool) -> anyhow::Result<String> {
        let credentials = match RootCredentials::from_environment()? {
            Some(given) => given,
            None => {
                let path = self.root_credentials_path();
                let text = fs::read_to_string(&path).with_context(|| {
                    format!("cannot read {path}: has `longshore dev` or `longshore server` run with this data directory?")
                })?;
                RootCredentials::parse(&text).with_context(|| format!("cannot use {path}"))?
            }
        };
        if !as_environment {
            return Ok(credentials.as_file());
        }
        let path = self.0.join("endpoint");
        let endpoint = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {path}: has a server run with this data directory?")
        })?;
        let (endpoint, region) =
            endpoint.trim().split_once(' ').with_context(|| format!("{path} is damaged"))?;
        Ok(format!(
            "export AWS_ENDPOINT_URL={endpoint}\nexport AWS_DEFAULT_REGION={region}\n\
             export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nunset AWS_SESSION_TOKEN AWS_PROFILE\n",
            credentials.access_key_id, credentials.secret_access_key
        ))
    }
}

impl RootCredentials {
    fn from_environment() -> anyhow::Result<Option<Self>> {
        let id = std::env::var("LONGSHORE_ROOT_ACCESS_KEY_ID").ok();
        let secret = std::env::var("LONGSHORE_ROOT_SECRET_ACCESS_KEY").ok();
        match (id, secret) {
            (Some(access_key_id), Some(secret_access_key)) => {
                let given = Self { access_key_id, secret_access_key };
                given.check()?;
                Ok(Some(given))
            }
            (None, None) => Ok(None),
            _ => bail!(
                "set both LONGSHORE_ROOT_ACCESS_KEY_ID and LONGSHORE_ROOT_SECRET_ACCESS_KEY, or neither"
            ),
        }
    }

    /// Only characters that need no quoting in a shell or a header; long enough not to be guessed.
    fn check(&self) -> anyhow::Result<()> {
        let plain =
            |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
        if !(16..=128).contains(&self.access_key_id.len()) || !plain(&self.access_key_id) {
            bail!("the root access key id must have 16 to 128 letters, digits or + / = _ -");
        }
        if !(16..=128).contains(&self.secret_access_key.len()) || !plain(&self.secret_access_key) {
            bail!("the root secret access key must have 16 to 128 letters, digits or + / = _ -");
        }
        Ok(())
    }

    fn make() -> Self {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut random = rand::rng();
        let mut draw = |alphabet: &[u8], length: usize| -> String {
            (0..length)
                .map(|_| char::from(alphabet[random.random_range(0..alphabet.len())]))
                .collect()
        };
        Self {
            access_key_id: format!("AKIA{}", draw(UPPER, 16)),
            secret_access_key: draw(MIXED, 40),
        }
    }

    fn as_file(&self) -> String {
        format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            self.access_key_id, self.secret_access_key
        )
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim().to_owned())
                .with_context(|| format!("it has no `{key}`"))
        };
        let found = Self {
            access_key_id: value("aws_access_key_id")?,
            secret_access_key: value("aws_secret_access_key")?,
        };
        found.check()?;
        Ok(found)
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_secret(path: &Utf8Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn scratch() -> (tempfile::TempDir, DataDir) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("data")).unwrap();
        (dir, DataDir::at(path))
    }

    #[test]
    fn root_credentials_are_made_once_and_only_their_owner_reads_them() {
        let (_keep, data_dir) = scratch();
        let _lock = data_dir.open().unwrap();
        let made = data_dir.root_credentials().unwrap();
        assert_eq!(data_dir.root_credentials().unwrap(), made);
        let mode =
            fs::metadata(data_dir.path().join("root-credentials")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_one_server_uses_a_data_directory() {
        let (_keep, data_dir) = scratch();
        let lock = data_dir.open().unwrap();
        let refused = data_dir.open().unwrap_err().to_string();
        assert!(refused.contains("another longshore"), "{refused}");
        drop(lock);
        data_dir.open().unwrap();
    }

    #[test]
    fn credentials_are_printed_for_a_shell_with_the_endpoint() {
        let (_keep, data_dir) = scratch();
        assert!(data_dir.credentials_text(true).is_err(), "nothing has run here yet");
        let _lock = data_dir.open().unwrap();
        let made = data_dir.root_credentials().unwrap();
        data_dir.note_endpoint("http://127.0.0.1:7400", "us-east-1").unwrap();
        let text = data_dir.credentials_text(true).unwrap();
        assert!(text.contains("export AWS_ENDPOINT_URL=http://127.0.0.1:7400\n"), "{text}");
        assert!(text.contains(&made.secret_access_key), "{text}");
    }

    #[test]
    fn a_damaged_credentials_file_is_named() {
        let (_keep, data_dir) = scratch();
        let _lock = data_dir.open().unwrap();
        fs::write(data_dir.path().join("root-credentials"), "[default]\n").unwrap();
        let error = format!("{:#}", data_dir.root_credentials().unwrap_err());
        assert!(
            error.contains("root-credentials") && error.contains("aws_access_key_id"),
            "{error}"
        );
    }
}
