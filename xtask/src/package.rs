//! `cargo xtask package`: Debian packages of both programs, built with `dpkg-deb` from trees of files.
//!
//! The same commit gives the same bytes: files are dated by the commit, owned by root, and in an order that is always the
//! same. What is in `deploy/debian` is each package's control file, its scripts and its configuration.

mod manual;
mod third_party;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::agent_program;
use crate::demo::build_programs;
use crate::process::{built, cargo, find, output, run, step};

/// What packages are made of.
pub struct Programs {
    /// Control plane, console and command line.
    longshore: PathBuf,
    /// The agent as it is put on hosts.
    agent: PathBuf,
    /// Whether size matters more than time.
    small: bool,
}

impl Programs {
    /// As users get them.
    pub fn released() -> anyhow::Result<Self> {
        step("build longshore", || {
            run(cargo().args(["build", "--release", "--package", "longshore-cli"]))
        })?;
        let agent = agent_program::build_and_check()?;
        Ok(Self { longshore: built("release").join("longshore"), agent, small: true })
    }

    /// As the tests use them: built quickly, with this agent or one for debugging.
    pub fn debug(agent: Option<&Path>) -> anyhow::Result<Self> {
        build_programs()?;
        let agent = agent.map_or_else(|| built("debug").join("longshore-agent"), Path::to_owned);
        Ok(Self { longshore: built("debug").join("longshore"), agent, small: false })
    }
}

/// Builds both packages; the folder in which they are.
pub fn package(programs: &Programs) -> anyhow::Result<PathBuf> {
    ensure!(find("dpkg-deb").is_some(), "no dpkg-deb here: Debian's packages are built on Debian");
    let folder = built("package");
    step("package", || {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        for tree in [control_plane(programs, &folder)?, agent(programs, &folder)?] {
            let package = tree.build(&folder, programs.small)?;
            let bytes = fs::metadata(&package)?.len();
            println!("    {} has {bytes} bytes", package.display());
        }
        Ok(())
    })?;
    Ok(folder)
}

fn control_plane(programs: &Programs, folder: &Path) -> anyhow::Result<Tree> {
    let tree = Tree::new("longshore", folder)?;
    tree.program("usr/bin/longshore", &programs.longshore)?;
    // What the server hands out to hosts.
    tree.program("usr/lib/longshore/longshore-agent", &programs.agent)?;
    for unit in ["longshore.service", "longshore.socket"] {
        let source = crate::repository().join("deploy/systemd").join(unit);
        tree.copy(&format!("usr/lib/systemd/system/{unit}"), &source, 0o644)?;
    }
    tree.copy("usr/lib/sysusers.d/longshore.conf", &tree.source("sysusers.conf"), 0o644)?;
    // It may hold the database's password.
    tree.copy("etc/longshore/server.env", &tree.source("server.env"), 0o640)?;
    let manual = tree.root.join("usr/share/man/man1");
    run(Command::new(&programs.longshore).arg("man").arg(&manual))?;
    for page in fs::read_dir(&manual)? {
        compress(&page?.path())?;
    }
    for (shell, path) in [
        ("bash", "usr/share/bash-completion/completions/longshore"),
        ("zsh", "usr/share/zsh/vendor-completions/_longshore"),
        ("fish", "usr/share/fish/vendor_completions.d/longshore.fish"),
    ] {
        let text = output(Command::new(&programs.longshore).args(["completions", shell]))?;
        tree.write(path, text.as_bytes(), 0o644)?;
    }
    tree.documents(&["longshore-cli", "longshore-agent"], &["docs/operations.md"])?;
    // `passwd` makes the account where systemd does not.
    let libraries =
        format!("libc6 (>= {}), libgcc-s1, passwd", glibc_version(&programs.longshore)?);
    tree.finish(&programs.longshore, Some(&libraries), &["etc/longshore/server.env"])
}

fn agent(programs: &Programs, folder: &Path) -> anyhow::Result<Tree> {
    let tree = Tree::new("longshore-agent", folder)?;
    tree.program("usr/bin/longshore-agent", &programs.agent)?;
    // Where the agent puts itself without a package, and under the names of the official programs.
    for name in ["longshore-agent", "codedeploy-agent", "codedeploy-local"] {
        tree.link(&format!("opt/codedeploy-agent/bin/{name}"), "/usr/bin/longshore-agent")?;
    }
    // What it says of itself, as an answer to `--version`.
    let said = output(Command::new(&programs.agent).arg("--version"))?;
    let version = said.trim().replace("longshore-agent ", "longshore_");
    let version = format!("agent_version: {version}\n");
    tree.write("opt/codedeploy-agent/.version", version.as_bytes(), 0o444)?;
    tree.write_compressed("usr/share/man/man1/longshore-agent.1", &agent_page(&programs.agent)?)?;
    let installed = crate::repository().join("crates/agent/src/self_install");
    let settings = "etc/codedeploy-agent/conf/codedeployagent.yml";
    let script = "etc/init.d/codedeploy-agent";
    tree.copy(settings, &installed.join("codedeployagent.yml"), 0o644)?;
    tree.copy(script, &installed.join("codedeploy-agent.init"), 0o755)?;
    let unit = "usr/lib/systemd/system/codedeploy-agent.service";
    tree.copy(unit, &installed.join("codedeploy-agent.service"), 0o644)?;
    tree.documents(&["longshore-agent"], &["docs/agent.md"])?;
    let is_static = !agent_program::has_interpreter(&programs.agent)?;
    let libraries = match is_static {
        true => None,
        false => Some(format!("libc6 (>= {}), libgcc-s1", glibc_version(&programs.agent)?)),
    };
    tree.finish(&programs.agent, libraries.as_deref(), &[settings, script])
}

/// The agent's page of the manual.
fn agent_page(program: &Path) -> anyhow::Result<String> {
    let said = output(Command::new(program).arg("--help"))?;
    let locally = output(Command::new(program).args(["local", "--help"]))?;
    let files = "/etc/codedeploy-agent/conf/codedeployagent.yml   its settings\n\
                 /opt/codedeploy-agent/deployment-root            deployments, and what it knows of them\n\
                 /var/log/aws/codedeploy-agent                    its log, where systemd does not have it\n\
                 /usr/share/doc/longshore-agent/agent.md.gz       what it does, and where it differs from the official agent\n";
    let sections = [
        ("DESCRIPTION", &*said),
        ("DEPLOYMENTS WITHOUT A CONTROL PLANE", &*locally),
        ("FILES", files),
    ];
    let version = version_of(program)?;
    Ok(manual::page(
        "longshore-agent",
        &version,
        "host agent for CodeDeploy deployments",
        &sections,
    ))
}

/// The files of one package, as they will lie on a machine.
struct Tree {
    name: &'static str,
    root: PathBuf,
}

impl Tree {
    fn new(name: &'static str, folder: &Path) -> anyhow::Result<Self> {
        let root = folder.join("trees").join(name);
        fs::create_dir_all(&root)?;
        Ok(Self { name, root })
    }

    /// A file of `deploy/debian`.
    fn source(&self, file: &str) -> PathBuf {
        crate::repository().join("deploy/debian").join(self.name).join(file)
    }

    fn write(&self, path: &str, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, bytes)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(mode))?)
    }

    fn copy(&self, path: &str, source: &Path, mode: u32) -> anyhow::Result<()> {
        let bytes =
            fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        self.write(path, &bytes, mode)
    }

    fn write_compressed(&self, path: &str, text: &str) -> anyhow::Result<()> {
        self.write(path, text.as_bytes(), 0o644)?;
        compress(&self.root.join(path))
    }

    fn program(&self, path: &str, source: &Path) -> anyhow::Result<()> {
        self.copy(path, source, 0o755)?;
        // As Debian's own packages are stripped.
        run(Command::new("strip")
            .args(["--strip-unneeded", "--remove-section=.comment"])
            .arg(self.root.join(path)))
    }

    fn link(&self, path: &str, to: &str) -> anyhow::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().context("a link lies in a folder")?)?;
        Ok(symlink(to, path)?)
    }

    /// Who made it and under which license, also what `crates` are built from; what changed; and more. Source: Debian policy, 4.4,
    /// 12.5 and 12.7.
    fn documents(&self, crates: &[&str], more: &[&str]) -> anyhow::Result<()> {
        let folder = format!("usr/share/doc/{}", self.name);
        let copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
             Upstream-Name: longshore\n\
             Comment: The programs contain libraries of others. third-party.txt.gz, beside this file, lists these\n \
             with their licenses.\n\n\
             Files: *\nCopyright: 2026 The longshore developers\nLicense: Apache-2.0\n \
             On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0.\n";
        self.write(&format!("{folder}/copyright"), copyright.as_bytes(), 0o644)?;
        let third_party = third_party::of(crates, &agent_program::host()?)?;
        for (name, text) in [
            ("third-party.txt", third_party),
            ("changelog", self.changelog()?),
            ("CHANGELOG.md", read("CHANGELOG.md")?),
        ] {
            self.write_compressed(&format!("{folder}/{name}"), &text)?;
        }
        for path in more {
            let name = path.rsplit('/').next().unwrap_or(path);
            self.write_compressed(&format!("{folder}/{name}"), &read(path)?)?;
        }
        Ok(())
    }

    /// In Debian's own form, which has no place for more than one package's changes.
    fn changelog(&self) -> anyhow::Result<String> {
        let control = fs::read_to_string(self.source("control"))?;
        let maintainer = control.lines().find_map(|line| line.strip_prefix("Maintainer: "));
        let maintainer = maintainer.context("the control file names no maintainer")?;
        let mut date_of = Command::new("date");
        date_of
            .args(["--utc", "--rfc-email", "--date", &format!("@{}", date()?)])
            .env("LC_ALL", "C");
        Ok(format!(
            "{} ({}) unstable; urgency=medium\n\n  * What changed is told in CHANGELOG.md.gz.\n\n -- {maintainer}  {}",
            self.name,
            env!("CARGO_PKG_VERSION"),
            output(&mut date_of)?
        ))
    }

    /// Writes what dpkg reads: the control file, the scripts, the sums, and which files an administrator may change.
    fn finish(
        self,
        program: &Path,
        libraries: Option<&str>,
        settings: &[&str],
    ) -> anyhow::Result<Self> {
        let version = version_of(program)?;
        let overrides = format!("usr/share/lintian/overrides/{}", self.name);
        self.copy(&overrides, &self.source("lintian-overrides"), 0o644)?;
        let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
        let list = self.files()?;
        let mut bytes = 0;
        for file in &list {
            bytes += fs::symlink_metadata(self.root.join(file))?.len();
        }
        let sums = output(Command::new("md5sum").args(&list).current_dir(&self.root))?;
        let kibibytes = bytes.div_ceil(1024);
        let mut control = fs::read_to_string(self.source("control"))?;
        control += &format!("Version: {version}\nArchitecture: {architecture}");
        control += &format!("Installed-Size: {kibibytes}\n");
        if let Some(libraries) = libraries {
            control += &format!("Depends: {libraries}\n");
        }
        self.write("DEBIAN/control", control.as_bytes(), 0o644)?;
        self.write("DEBIAN/md5sums", sums.as_bytes(), 0o644)?;
        let settings: String = settings.iter().map(|path| format!("/{path}\n")).collect();
        self.write("DEBIAN/conffiles", settings.as_bytes(), 0o644)?;
        for script in ["preinst", "postinst", "prerm", "postrm"] {
            let source = self.source(script);
            if source.exists() {
                self.copy(&format!("DEBIAN/{script}"), &source, 0o755)?;
            }
        }
        Ok(self)
    }

    /// Every plain file, by name.
    fn files(&self) -> anyhow::Result<Vec<String>> {
        let found = output(
            Command::new("find")
                .args([".", "-type", "f", "-printf", "%P\\n"])
                .current_dir(&self.root),
        )?;
        let mut files: Vec<String> = found.lines().map(str::to_owned).collect();
        files.sort();
        Ok(files)
    }

    fn build(&self, folder: &Path, small: bool) -> anyhow::Result<PathBuf> {
        // Whoever builds may have a umask of their own.
        run(Command::new("find")
            .arg(&self.root)
            .args(["-type", "d", "-exec", "chmod", "755", "{}", "+"]))?;
        let compression: &[&str] = if small { &["-Zxz"] } else { &["-Zgzip", "-z1"] };
        run(Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args(compression)
            .args([&self.root, folder])
            .stdout(Stdio::null())
            .env("SOURCE_DATE_EPOCH", date()?))?;
        let built = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).find(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(&format!("{}_", self.name)) && name.ends_with(".deb")
        });
        built.context("dpkg-deb built nothing")
    }
}

/// The version that a program says it has.
fn version_of(program: &Path) -> anyhow::Result<String> {
    let said = output(Command::new(program).arg("--version"))?;
    let version = said.split_whitespace().nth(1);
    Ok(version
        .with_context(|| format!("{} does not tell its version", program.display()))?
        .to_owned())
}

/// A file of the repository.
fn read(path: &str) -> anyhow::Result<String> {
    let path = crate::repository().join(path);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// When the sources were made: of the commit, or what the environment says. Source: reproducible-builds.org.
fn date() -> anyhow::Result<String> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(crate::repository());
    Ok(output(&mut git)?.trim().to_owned())
}

/// Compresses a file in place, without its name and date.
fn compress(path: &Path) -> anyhow::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    run(Command::new("gzip").args(["--best", "--no-name", "--force"]).arg(path))
}

/// The version of glibc that a program needs at least.
fn glibc_version(program: &Path) -> anyhow::Result<String> {
    let symbols = output(Command::new("objdump").arg("-T").arg(program))?;
    let newest = symbols
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .filter_map(|word| word.strip_prefix("GLIBC_"))
        .filter_map(|version| version.split('.').map(|part| part.parse().ok()).collect())
        .max_by(|one: &Vec<u32>, other| one.cmp(other));
    let newest = newest.with_context(|| format!("{} needs no glibc", program.display()))?;
    Ok(newest.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}
