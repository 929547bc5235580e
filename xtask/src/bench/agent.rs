//! The agent: how small it is, how little it needs when there is nothing to do, and how fast it unpacks and installs beside `tar` and
//! `cp` with the same data on the same disk.

mod idle;
mod install;

use std::path::Path;
use std::time::Duration;

use super::memory;
use super::report::Row;

/// How long an idle agent's processor time is counted, and for the promise that nobody waits for each time.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_FULL: Duration = Duration::from_secs(600);

/// All rows about the program at `agent`, with data in `home`.
pub fn measure(agent: &Path, home: &Path, full: bool) -> anyhow::Result<Vec<Row>> {
    std::fs::create_dir_all(home)?;
    let kib = std::fs::metadata(agent)?.len().div_ceil(1024);
    let mut rows = vec![
        Row::new("agent: size of the program", memory::shown(kib))
            .aim("≤ 5 MiB")
            .note("static, for every Linux of the architecture; `cargo xtask build-agent`"),
    ];
    rows.extend(idle::measure(agent, home, if full { IDLE_FULL } else { IDLE })?);
    rows.extend(install::measure(agent, home)?);
    std::fs::remove_dir_all(home)?;
    Ok(rows)
}

/// The agent's configuration in a directory, with everything it keeps below that.
fn configure(home: &Path, more: &str) -> anyhow::Result<std::path::PathBuf> {
    let here = home.display();
    let path = home.join("agent.yml");
    let text = format!(
        ":root_dir: '{here}/root'\n:log_dir: '{here}/log'\n:pid_dir: '{here}/pid'\n\
         :on_premises_config_file: '{here}/onprem.yml'\n{more}"
    );
    std::fs::write(&path, text)?;
    Ok(path)
}
