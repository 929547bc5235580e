//! Repeated measurements of one time.

use std::time::Duration;

/// Times, of which order statistics are told.
#[derive(Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of the samples, in percent, does not exceed. Zero without samples.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

/// A time with three digits, in the unit that fits.
pub fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        _ if seconds >= 10.0 => format!("{seconds:.1} s"),
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentile(50), Duration::ZERO);
        for milliseconds in [40, 10, 30, 20] {
            samples.push(Duration::from_millis(milliseconds));
        }
        assert_eq!(samples.percentile(50), Duration::from_millis(20));
        assert_eq!(samples.percentile(95), Duration::from_millis(40));
        assert_eq!(samples.percentile(0), Duration::from_millis(10));
    }

    #[test]
    fn times_are_shown_in_their_unit() {
        assert_eq!(shown(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(shown(Duration::from_millis(45)), "45 ms");
        assert_eq!(shown(Duration::from_millis(4560)), "4.56 s");
        assert_eq!(shown(Duration::from_secs(45)), "45.0 s");
    }
}
