//! Unpacking and installing, beside `tar` and `cp` of the same data on the same disk.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::report::Row;
use super::super::samples::{Samples, shown};
use super::super::{Effort, memory};
use super::configure;
use crate::process;

/// What is measured; one more goes before it and is not: a virtual machine is given memory for its page cache at the first touch.
const RUNS: usize = 3;
/// Runs of what takes a tenth of a second.
const SHORT_RUNS: usize = 9;
/// The small files of a bundle, in thousands, and how many are in a directory. Half of each does not compress.
const SMALL_THOUSANDS: usize = 20;
const A_DIRECTORY: usize = 200;
const SMALL_BYTES: u64 = 4096;
const LARGE_MIB: u64 = 1024;
/// The files and the entries of the bundle with permissions.
const PERMITTED_FILES: usize = 2000;
const PERMISSIONS: usize = 20;
/// What is measured: a local deployment does no more than this.
const EVENTS: &str = "DownloadBundle,Install";

pub fn measure(agent: &Path, home: &Path, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let (thousands, mib) = (effort.of(SMALL_THOUSANDS, 1), effort.of(LARGE_MIB, 16));
    let mut place = Place { agent, home, config: configure(home, "")?, aside: 0 };
    // First the file whose many bytes are removed, then the many files, of which none is removed before the end: see `clear`.
    let large = place.bundle("large", "", |files| random(&files.join("large"), mib << 20))?;
    let large = place.beside_tar(
        &format!("agent: unpack and install one file of {mib} MiB from tgz"),
        "≤ 0.5 ×, ≤ 32 MiB resident",
        &large,
        "does not compress; near: writing it twice, with `sync` the disk",
    )?;
    place.remove_all()?;
    let small = place.bundle("small", "", |files| small_files(files, thousands * 1000))?;
    let small = place.beside_tar(
        &format!("agent: unpack and install {thousands},000 files of 4 KiB from tgz"),
        "≤ 0.8 ×",
        &small,
        "near: creating files, and with `sync` the disk",
    )?;
    Ok(vec![small, large, place.permissions()?])
}

struct Place<'a> {
    agent: &'a Path,
    home: &'a Path,
    config: PathBuf,
    /// How much was put aside.
    aside: usize,
}

impl Place<'_> {
    /// A tgz with an AppSpec that installs `files`.
    fn bundle(
        &self,
        name: &str,
        more: &str,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let source = self.home.join(name);
        fs::create_dir_all(source.join("files"))?;
        let destination = self.home.join("installed");
        let appspec = format!(
            "version: 0.0\nos: linux\nfiles:\n  - source: files\n    destination: {}\n{more}",
            destination.display()
        );
        fs::write(source.join("appspec.yml"), appspec)?;
        fill(&source.join("files"))?;
        let archive = self.home.join(format!("{name}.tgz"));
        // The lowest level: what does not compress takes long enough.
        process::run(
            Command::new("tar")
                .args(["-I", "gzip -1", "-C"])
                .arg(&source)
                .arg("-cf")
                .arg(&archive)
                .arg("."),
        )?;
        Ok(archive)
    }

    /// Puts aside what earlier runs made, and waits until the disk is at rest. Nothing is removed: ext4 without a journal does not give
    /// out the numbers of files that were removed in the last minutes, looks past them one by one, and would be all that is measured.
    fn clear(&mut self) -> anyhow::Result<()> {
        for name in ["root", "installed", "unpacked", "copied"] {
            self.aside += 1;
            match fs::rename(self.home.join(name), self.home.join(format!("aside-{}", self.aside)))
            {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        self.sync()
    }

    /// Removes all that was made and put aside so far.
    fn remove_all(&mut self) -> anyhow::Result<()> {
        self.clear()?;
        for entry in fs::read_dir(self.home)? {
            let entry = entry?;
            let is_ours = entry.file_name().to_string_lossy().starts_with("aside-");
            if is_ours || entry.file_name() == "large" {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(fs::remove_file(self.home.join("large.tgz"))?)
    }

    fn sync(&self) -> anyhow::Result<()> {
        process::run(Command::new("sync").arg("--file-system").arg(self.home))
    }

    /// The time of a local deployment of a bundle, and the most memory it had.
    fn deploy(&self, bundle: &Path) -> anyhow::Result<(Duration, u64)> {
        let begun = Instant::now();
        let mut agent = Command::new(self.agent)
            .args(["local", "--type", "tgz", "--bundle-location"])
            .arg(bundle)
            .arg("--agent-configuration-file")
            .arg(&self.config)
            .args(["--events", EVENTS])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut peak = 0;
        let status = loop {
            peak = memory::peak_kib(agent.id()).unwrap_or(peak);
            match agent.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        ensure!(status.success(), "the deployment of {} failed", bundle.display());
        Ok((begun.elapsed(), peak))
    }

    fn beside_tar(
        &mut self,
        what: &str,
        aim: &str,
        bundle: &Path,
        note: &str,
    ) -> anyhow::Result<Row> {
        let (mut ours, mut bare, mut synced) =
            (Samples::default(), Samples::default(), Samples::default());
        let mut peak = 0;
        for run in 0..=RUNS {
            self.clear()?;
            let (unpacked, copied) = (self.home.join("unpacked"), self.home.join("copied"));
            fs::create_dir_all(&unpacked)?;
            let begun = Instant::now();
            process::run(Command::new("tar").arg("-C").arg(&unpacked).arg("-xzf").arg(bundle))?;
            process::run(Command::new("cp").arg("-a").arg(unpacked.join("files")).arg(&copied))?;
            let bare_time = begun.elapsed();
            self.sync()?;
            let synced_time = begun.elapsed();
            self.clear()?;
            let (time, memory) = self.deploy(bundle)?;
            peak = peak.max(memory);
            if run > 0 {
                bare.push(bare_time);
                synced.push(synced_time);
                ours.push(time);
            }
        }
        let [ours, bare, synced] = [ours, bare, synced].map(|samples| samples.percentile(50));
        let ratio = |of: Duration| ours.as_secs_f64() / of.as_secs_f64();
        Ok(Row::new(what, format!("{}, {} resident", shown(ours), memory::shown(peak)))
            .beside(format!(
                "aim {aim}; `tar -xz` and `cp -a`: {} ({:.2} ×), with `sync`: {} ({:.2} ×)",
                shown(bare),
                ratio(bare),
                shown(synced),
                ratio(synced)
            ))
            .note(format!(
                "median of {RUNS} side by side, after one that does not count; the agent waits until the disk has everything, `tar` and `cp` do not; {note}"
            )))
    }

    fn permissions(&mut self) -> anyhow::Result<Row> {
        let entries: String = (0..PERMISSIONS)
            .map(|entry| {
                let object = self.home.join(format!("installed/d{entry:03}"));
                format!(
                    "  - object: {}\n    mode: \"0640\"\n    owner: daemon\n    group: daemon\n    type: [file]\n",
                    object.display()
                )
            })
            .collect();
        let fill = |files: &Path| {
            (0..PERMISSIONS).try_for_each(|entry| {
                small_files_in(&files.join(format!("d{entry:03}")), PERMITTED_FILES / PERMISSIONS)
            })
        };
        let without = self.bundle("plain", "", fill)?;
        let with = self.bundle("permitted", &format!("permissions:\n{entries}"), fill)?;
        let (mut plain, mut permitted) = (Samples::default(), Samples::default());
        for _ in 0..SHORT_RUNS {
            for (bundle, samples) in [(&without, &mut plain), (&with, &mut permitted)] {
                self.clear()?;
                samples.push(self.deploy(bundle)?.0);
            }
        }
        let (plain, permitted) = (plain.percentile(50), permitted.percentile(50));
        let ratio = permitted.as_secs_f64() / plain.as_secs_f64();
        Ok(Row::new("agent: 2,000 files under 20 permission entries", shown(permitted))
            .beside(format!("aim ≤ 1.5 ×; without them: {} ({ratio:.2} ×)", shown(plain)))
            .note(format!("mode, owner and group; median of {SHORT_RUNS} side by side")))
    }
}

fn small_files(files: &Path, count: usize) -> anyhow::Result<()> {
    (0..count / A_DIRECTORY).try_for_each(|directory| {
        small_files_in(&files.join(format!("d{directory:03}")), A_DIRECTORY)
    })
}

fn small_files_in(directory: &Path, count: usize) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    (0..count).try_for_each(|number| {
        let path = directory.join(format!("f{number:05}"));
        random(&path, SMALL_BYTES / 2)?;
        let mut file = File::options().append(true).open(path)?;
        Ok(file.write_all(&[b'a'; SMALL_BYTES as usize / 2])?)
    })
}

/// A file that does not compress.
fn random(path: &Path, bytes: u64) -> anyhow::Result<()> {
    std::io::copy(&mut File::open("/dev/urandom")?.take(bytes), &mut File::create(path)?)?;
    Ok(())
}
