//! A small process that starts the agent again when it dies, where no service manager does: `start` leaves it behind. It does
//! nothing else, so that nothing can go wrong with it.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Pauses before the agent is started again: the first, and the longest. Source: official agent 2.x.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// An agent that ran for this long was sound: the pauses begin anew.
const SOUND: Duration = Duration::from_secs(600);
/// One that ends by itself before this, at its first start, cannot run as it is configured.
const FIRST: Duration = Duration::from_secs(5);

/// Runs the agent by `command`, again and again until it ends in order.
///
/// # Errors
/// The agent cannot be started, or ends at once at its first start.
pub fn watch(mut command: Command) -> io::Result<ExitStatus> {
    let mut pause = PAUSES.0;
    let mut is_first = true;
    loop {
        let began = Instant::now();
        let ended = command.spawn()?.wait()?;
        // Asked to stop, it ends with success. What cannot even begin is told to whoever started it.
        let at_once = is_first && began.elapsed() < FIRST && ended.code().is_some();
        if ended.success() || at_once {
            return Ok(ended);
        }
        if began.elapsed() >= SOUND {
            pause = PAUSES.0;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_in_order_or_cannot_begin_is_not_started_again() {
        assert!(watch(Command::new("true")).unwrap().success());
        assert_eq!(watch(Command::new("false")).unwrap().code(), Some(1));
        assert!(watch(Command::new("/no/such/program")).is_err());
    }
}
