//! A disk that is full at any point of a deployment: the old revision is there, or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A small file system in memory, for as long as this lives.
struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Nothing where this process may not mount.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"], at).then(|| Self { at: at.to_owned() })
    }

    /// Leaves room for so many pages of 4 KiB.
    fn leave(&self, pages: u64) {
        let found = rustix::fs::statvfs(&self.at).unwrap();
        let size = (found.f_blocks - found.f_bfree + pages) * found.f_frsize;
        assert!(mount(&["-o", &format!("remount,size={size}")], &self.at));
    }

    fn widen(&self) {
        assert!(mount(&["-o", "remount,size=4m"], &self.at));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.at).status();
    }
}

fn mount(options: &[&str], at: &Path) -> bool {
    let done = Command::new("mount").args(options).arg(at).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// A revision of a few files, whose script says which it is.
fn revision(at: &Path, destination: &Path, version: &str, names: &[&str]) {
    let appspec = format!(
        "version: 0.0\nos: linux\nfiles:\n  - source: files\n    destination: {}\nhooks:\n  AfterInstall:\n    - location: h.sh\n",
        destination.display()
    );
    let mut builder = tar::Builder::new(fs::File::create(at).unwrap());
    let content = version.repeat(5000);
    let files = names.iter().map(|name| (format!("files/{name}"), content.as_str()));
    let fixed =
        [("appspec.yml".to_owned(), appspec.as_str()), ("h.sh".to_owned(), "echo installed\n")];
    for (name, text) in fixed.into_iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.finish().unwrap();
}

/// Each file below a directory, with the first character of its content and how much of it there is.
fn files(below: &Path) -> BTreeMap<String, (char, usize)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let inner = files(&entry.path());
            found.extend(inner.into_iter().map(|(inner, what)| (format!("{name}/{inner}"), what)));
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            found.insert(name, (text.chars().next().unwrap_or(' '), text.len()));
        }
    }
    found
}

#[test]
fn wherever_the_disk_is_full_the_old_revision_is_there_or_the_new() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let Some(disk) = Disk::mount(&here.join("disk")) else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    let destination = disk.at.join("dest/app");
    let config = format!(
        ":root_dir: '{0}/disk/root'\n:log_dir: '{0}/log'\n:pid_dir: '{0}/pid'\n:max_revisions: 2\n",
        here.display()
    );
    fs::write(here.join("agent.yml"), config).unwrap();
    revision(&here.join("a.tar"), &destination, "a", &["one", "two", "going/three"]);
    revision(&here.join("b.tar"), &destination, "b", &["one", "two/sub", "coming/four"]);
    let deploy = |name: &str| -> Output {
        Command::new(env!("CARGO_BIN_EXE_longshore-agent"))
            .args(["local", "--type", "tar", "--bundle-location"])
            .arg(here.join(name))
            .arg("--agent-configuration-file")
            .arg(here.join("agent.yml"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let done = |output: &Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    done(&deploy("a.tar"));
    let old = files(&destination);
    done(&deploy("b.tar"));
    let new = files(&destination);
    assert!(old["one"].0 == 'a' && new["one"].0 == 'b' && !new.contains_key("going/three"));
    for pages in 0.. {
        done(&deploy("a.tar"));
        assert_eq!(files(&destination), old);
        disk.leave(pages);
        let output = deploy("b.tar");
        let after = files(&destination);
        if after != new {
            assert_eq!(after, old, "a mix with {pages} pages left");
        }
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if output.status.success() {
            assert_eq!(after, new);
            assert!(pages > 5, "only {pages} deployments failed");
            return;
        }
        assert!(
            said.contains("disk is") || said.contains("No space left on device"),
            "{pages} pages: {said}"
        );
        disk.widen();
    }
}
