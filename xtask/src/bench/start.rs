//! How soon a server serves, and how much memory it needs when it does nothing.

use std::time::{Duration, Instant};

use super::report::Row;
use super::samples::{Samples, shown};
use super::{Bench, memory};
use crate::serving::Serving;

const STARTS: usize = 7;

/// An idle server has settled after this long.
const SETTLE: Duration = Duration::from_secs(3);

pub fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let (mut first, mut again) = (Samples::default(), Samples::default());
    let mut idle = 0;
    for run in 0..STARTS {
        let data = bench.data_dir(&format!("start-{run}"));
        for samples in [&mut first, &mut again] {
            let begun = Instant::now();
            let mut server = Serving::spawn(&bench.program, "server", &data)?;
            server.wait_ready()?;
            samples.push(begun.elapsed());
            if run == 0 {
                std::thread::sleep(SETTLE);
                idle = memory::resident_kib(server.pid())?;
            }
            server.stop()?;
        }
    }
    Ok(vec![
        Row::new("server start to ready, new data directory", shown(first.percentile(50)))
            .note(format!("median of {STARTS}")),
        Row::new("server start to ready, existing data directory", shown(again.percentile(50)))
            .note(format!("median of {STARTS}")),
        Row::new("resident memory of an idle server", memory::shown(idle))
            .aim("≤ 40 MiB")
            .note(format!("{} s after its start", SETTLE.as_secs())),
    ])
}
