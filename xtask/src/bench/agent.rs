//! The agent: how small it is, how little it needs when there is nothing to do, and how fast it unpacks and installs beside `tar` and
//! `cp` with the same data on the same disk.

mod events;
mod idle;
mod install;

use std::path::Path;
use std::time::Duration;

use super::report::Row;
use super::{Bench, Effort, memory};

/// How long an idle agent's processor time is counted; the longest is the promise, which nobody waits for each time.
fn idle_time(effort: Effort) -> Duration {
    Duration::from_secs(match effort {
        Effort::Quick => 5,
        Effort::Usual => 60,
        Effort::Full => 600,
    })
}

/// All rows about the agent as it is put on hosts.
pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let agent = crate::agent_program::build()?;
    let home = bench.home.join("agent");
    std::fs::create_dir_all(&home)?;
    let kib = std::fs::metadata(&agent)?.len().div_ceil(1024);
    let mut rows = vec![
        Row::new("agent: size of the program", memory::shown(kib))
            .aim("≤ 5 MiB")
            .note("static, for every Linux of the architecture; `cargo xtask build-agent`"),
    ];
    rows.extend(idle::measure(&agent, &home, idle_time(bench.effort))?);
    rows.extend(install::measure(&agent, &home, bench.effort)?);
    rows.push(events::measure(bench, &agent, &home)?);
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
