//! The living processes that descend from another, whatever group or session they moved to.

use std::collections::HashMap;
use std::fs;

use rustix::process::Pid;

/// The descendants of a process that have not ended, nearest first.
pub(super) fn descendants(of: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<(i32, bool)>> = HashMap::new();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    for process in processes.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if let Some((parent, is_alive)) = parent(pid) {
            children.entry(parent).or_default().push((pid, is_alive));
        }
    }
    let mut found = Vec::new();
    let mut next = vec![of.as_raw_nonzero().get()];
    while let Some(pid) = next.pop() {
        for (child, is_alive) in children.remove(&pid).unwrap_or_default() {
            found.extend(Pid::from_raw(child).filter(|_| is_alive));
            next.push(child);
        }
    }
    found
}

/// A process's parent, and whether it still runs: one that ended stays until its parent has noticed.
fn parent(pid: i32) -> Option<(i32, bool)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may itself have blanks and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let is_alive = !matches!(fields.next()?, "Z" | "X");
    Some((fields.next()?.parse().ok()?, is_alive))
}
