//! `cargo xtask setup`: installs what is missing, and is quick where nothing is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::postgres;
use crate::process::{cargo, find, output, run, step, succeeds};

/// The test runner, at the version that this repository was last tested with. Any installed version is taken as it is.
const NEXTEST_VERSION: &str = "0.9.143";

/// Something that must be on the machine, and the Debian package that brings it.
struct Need {
    what: &'static str,
    package: &'static str,
    is_met: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "nft, which enforces the security groups of local instances",
        package: "nftables",
        is_met: || find("nft").is_some(),
    },
    Need {
        what: "curl, with which the walk-through looks at the deployed application",
        package: "curl",
        is_met: || find("curl").is_some(),
    },
    Need {
        what: "Python that can make virtual environments, for the stock `aws` CLI",
        package: "python3-venv",
        is_met: || succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])),
    },
    Need {
        what: "setfacl, with which the tests of the agent look at access lists",
        package: "acl",
        is_met: || find("setfacl").is_some(),
    },
    Need {
        what: "openssl, with which the tests check and forge signatures",
        package: "openssl",
        is_met: || find("openssl").is_some(),
    },
    Need {
        what: "a C++ compiler, for the fuzz targets' libFuzzer",
        package: "g++",
        is_met: || find("c++").is_some(),
    },
    Need {
        what: "sudo, which hooks may ask for",
        package: "sudo",
        is_met: || find("sudo").is_some(),
    },
    Need {
        what: "Chromium, in which the tests look at the console",
        package: "chromium",
        is_met: || find("chromium").is_some(),
    },
    Need {
        what: "chromedriver, which drives Chromium",
        package: "chromium-driver",
        is_met: || find("chromedriver").is_some(),
    },
    Need {
        what: "systemd, which the tests boot in a machine of their own",
        package: "systemd",
        is_met: || Path::new("/lib/systemd/systemd").exists(),
    },
    Need {
        what: "PostgreSQL's server programs, for the tests of the store",
        package: "postgresql",
        is_met: || postgres::programs().is_some(),
    },
];

/// Installs what is missing. Returns the folder of the virtual environment's programs (`aws`, `pytest`).
///
/// Fails, naming the packages, where some are missing and cannot be installed because this is not root.
pub fn setup() -> anyhow::Result<PathBuf> {
    step("setup", || {
        system_packages()?;
        let programs = virtual_environment()?;
        javascript()?;
        nextest()?;
        Ok(programs)
    })
}

fn system_packages() -> anyhow::Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_met)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!("    missing: {} (package {})", need.what, need.package);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !rustix::process::geteuid().is_root() {
        bail!("not root, so install them first: apt-get install {}", packages.join(" "));
    }
    if find("apt-get").is_none() {
        bail!("no apt-get here: install what is missing in this system's own way");
    }
    let had_clusters = clusters();
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(&packages))?;
    // Debian's package makes a database cluster and starts it. Nobody asked for a running server.
    for (version, name) in clusters().into_iter().filter(|made| !had_clusters.contains(made)) {
        run(Command::new("pg_dropcluster").args(["--stop", &version, &name]))?;
    }
    match missing.iter().find(|need| !(need.is_met)()) {
        Some(need) => {
            bail!("package {} is installed, yet this is missing: {}", need.package, need.what)
        }
        None => Ok(()),
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
    command
}

/// The database clusters that Debian's tools know: version and name of each.
fn clusters() -> Vec<(String, String)> {
    let listed = output(Command::new("pg_lsclusters").arg("--no-header")).unwrap_or_default();
    listed
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(String::from);
            Some((words.next()?, words.next()?))
        })
        .collect()
}

/// A virtual environment with exactly the versions of `tests/requirements.txt`.
fn virtual_environment() -> anyhow::Result<PathBuf> {
    let requirements = crate::repository().join("tests/requirements.txt");
    let home = visible_to_instances(crate::own_directory()).join("venv");
    install_python(&home, &requirements)?;
    Ok(home.join("bin"))
}

/// The directory given, or one in the home directory if that lies below /tmp or /run: local instances see all of the
/// machine's files but those, and run the stock CLI from there.
fn visible_to_instances(directory: PathBuf) -> PathBuf {
    if !directory.starts_with("/tmp") && !directory.starts_with("/run") {
        return directory;
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    home.join(".cache/longshore")
}

/// The AWS SDK for JavaScript, and what judges the console's accessibility. Where there is no npm they are left out, and
/// their tests say that they were skipped: nothing else needs JavaScript.
fn javascript() -> anyhow::Result<()> {
    if find("npm").is_none() {
        println!(
            "    no npm here: the tests with the AWS SDK for JavaScript and with axe-core will be skipped"
        );
        return Ok(());
    }
    install_javascript("the AWS SDK for JavaScript", "tests/js", "js")?;
    install_javascript("axe-core", "tests/browser", "axe")
}

/// Installs exactly what the `package-lock.json` of a folder names, in a folder of our own.
fn install_javascript(what: &str, source: &str, home: &str) -> anyhow::Result<()> {
    let source = crate::repository().join(source);
    let home = crate::own_directory().join(home);
    let lock = source.join("package-lock.json");
    let wanted =
        std::fs::read(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    // Written last, so that an interrupted installation is done again.
    let stamp = home.join("installed-package-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("    installing {what}");
    std::fs::create_dir_all(&home).with_context(|| format!("{} cannot be made", home.display()))?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        std::fs::copy(source.join(name), home.join(name))
            .with_context(|| format!("{name} cannot be copied to {}", home.display()))?;
    }
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-progress", "--loglevel", "error"])
        .current_dir(&home))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// Makes the virtual environment `home` with what a requirements file names, unless it is there already.
pub fn install_python(home: &Path, requirements: &Path) -> anyhow::Result<()> {
    let wanted = std::fs::read(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    // Written last, so that an interrupted installation is done again.
    let stamp = home.join("installed-requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted)
        && home.join("bin/python").exists()
    {
        return Ok(());
    }
    println!("    making {}", home.display());
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    run(Command::new(home.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}

fn nextest() -> anyhow::Result<()> {
    if succeeds(cargo().args(["nextest", "--version"])) {
        return Ok(());
    }
    println!("    missing: cargo-nextest, the test runner; building it takes some minutes");
    // An optimised build takes many minutes more, and the runner is no bottleneck. A target folder of its own,
    // so that an interrupted build goes on where it was.
    run(cargo()
        .args(["install", "cargo-nextest", "--locked", "--version", NEXTEST_VERSION, "--debug"])
        .args(["--no-default-features", "--features", "default-no-update", "--target-dir"])
        .arg(crate::own_directory().join("nextest")))?;
    std::fs::remove_dir_all(crate::own_directory().join("nextest")).or_else(|error| {
        match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error).context("the build folder of cargo-nextest cannot be removed"),
        }
    })
}
