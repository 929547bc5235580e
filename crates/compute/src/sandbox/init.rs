//! Process 1 of an instance: it makes the instance's root, puts the files in, and then runs the boot services.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::supervisor::instance;
use super::{READY, SandboxError, UP, boot, capabilities, let_go, root, say, step};
use crate::disk::Boot;
use crate::namespaces::leave_mounts;

pub(super) fn run(arguments: &[OsString]) -> Result<i32, SandboxError> {
    // If the supervisor died before the kernel knew that we die with it, nobody hears this, and we end here.
    say(READY)?;
    // Nobody in the instance gets at this executable, a file of the machine, through `/proc/1/exe`.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(step("shut `/proc/1` to the instance"))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let (dir, settings) = instance(arguments)?;
    let files = open_files(&settings)?;
    let user_data = read_user_data(&settings)?;

    leave_mounts().map_err(step("make the instance's mount name space"))?;
    root::enter(&dir, &settings.hidden)?;
    set_identity(&settings)?;
    for file in files {
        file.install()?;
    }
    capabilities::drop_those_of_the_machine()?;
    say(UP)?;
    let_go()?;
    boot::run(&settings, user_data.as_deref())
}

/// A provisioned file, opened while the machine's files can still be seen.
struct OpenFile<'a> {
    path: &'a Utf8Path,
    mode: u32,
    from: File,
}

fn open_files(settings: &Boot) -> Result<Vec<OpenFile<'_>>, SandboxError> {
    let open = |file: &'_ crate::disk::BootFile| -> Result<File, SandboxError> {
        File::open(&file.from).map_err(step(format!("open `{}`", file.from)))
    };
    settings
        .files
        .iter()
        .map(|file| Ok(OpenFile { path: &file.path, mode: file.mode, from: open(file)? }))
        .collect()
}

fn read_user_data(settings: &Boot) -> Result<Option<Vec<u8>>, SandboxError> {
    let read = |path: &Utf8PathBuf| fs::read(path).map_err(step("read the user data"));
    settings.user_data.as_ref().map(read).transpose()
}

impl OpenFile<'_> {
    fn install(mut self) -> Result<(), SandboxError> {
        let path = self.path;
        put_file(path, self.mode, &mut self.from).map_err(step(format!("write `{path}`")))
    }
}

/// Replaces the file at `path`; a link there is replaced, not followed.
pub(super) fn put_file(path: &Utf8Path, mode: u32, contents: &mut impl Read) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let fresh = Utf8PathBuf::from(format!("{path}.longshore-new"));
    let mut file = File::create(&fresh)?;
    io::copy(contents, &mut file)?;
    file.set_permissions(Permissions::from_mode(mode & 0o7777))?;
    drop(file);
    fs::rename(fresh, path)
}

/// The instance's name, to itself and in its files.
fn set_identity(settings: &Boot) -> Result<(), SandboxError> {
    let Boot { address, hostname, .. } = settings;
    rustix::system::sethostname(hostname.as_bytes()).map_err(step("set the host name"))?;
    let short = hostname.split('.').next().unwrap_or(hostname);
    let names = if short == hostname { short.to_owned() } else { format!("{hostname} {short}") };
    let hosts = format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {names}\n"
    );
    // The machine's name servers cannot be reached from here; asking none is quicker than waiting for them.
    let resolver =
        "# no name server: an instance reaches its machine and other instances by address\n";
    for (path, text) in [
        ("/etc/hostname", format!("{hostname}\n")),
        ("/etc/hosts", hosts),
        ("/etc/resolv.conf", resolver.to_owned()),
    ] {
        put_file(path.into(), 0o644, &mut text.as_bytes())
            .map_err(step(format!("write `{path}`")))?;
    }
    Ok(())
}
