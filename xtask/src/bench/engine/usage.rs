//! What a process used of the processor.

use std::time::Duration;

use anyhow::Context;

/// The processor time of a process, of all its threads and in the kernel for it.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub processor: Duration,
}

impl Usage {
    /// What the process used since its start.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field is the program's name in brackets, and may hold anything.
        let (_, fields) = stat.rsplit_once(')').context("no process's statistics")?;
        let ticks = |field: usize| -> anyhow::Result<u64> {
            let text = fields.split_whitespace().nth(field).context("too few statistics")?;
            Ok(text.parse()?)
        };
        let ticks = ticks(11)? + ticks(12)?;
        let second = rustix::param::clock_ticks_per_second();
        Ok(Self { processor: Duration::from_millis(ticks * 1000 / second) })
    }

    pub fn since(&self, before: &Self) -> Self {
        Self { processor: self.processor.saturating_sub(before.processor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_known_and_grows() {
        let before = Usage::of(std::process::id()).unwrap();
        let begun = std::time::Instant::now();
        let mut used = Duration::ZERO;
        while used < Duration::from_millis(10) && begun.elapsed() < Duration::from_secs(20) {
            used = Usage::of(std::process::id()).unwrap().since(&before).processor;
        }
        assert!(used >= Duration::from_millis(10));
    }
}
