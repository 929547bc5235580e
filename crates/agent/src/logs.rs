//! The agent's own log, in the official agent's form: `YYYY-MM-DDTHH:MM:SS LEVEL [program(pid)]: message`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::Date;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock;
use crate::config::Config;

/// Days of log that are kept besides today's. Source: official agent.
const DAYS_KEPT: usize = 7;

/// Begins to log, to the log file or, in the foreground, to standard error.
///
/// # Errors
/// The log directory or file cannot be made.
pub fn begin(config: &Config, foreground: bool) -> io::Result<()> {
    let level = if config.verbose { Level::DEBUG } else { Level::INFO };
    let form = Form { program: config.program_name.clone() };
    let builder =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(level).event_format(form);
    let begun = if foreground {
        builder.with_writer(io::stderr).try_init()
    } else {
        fs::create_dir_all(&config.log_dir)?;
        let file = Daily::open(&config.log_dir, &config.program_name)?;
        builder.with_writer(Mutex::new(file)).try_init()
    };
    begun.map_err(io::Error::other)
}

struct Form {
    program: String,
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = clock::now().strftime("%Y-%m-%dT%H:%M:%S");
        let (program, pid) = (&self.program, std::process::id());
        let level = event.metadata().level();
        write!(writer, "{now} {level:<5} [{program}({pid})]: ")?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// A log file that is put aside at the turn of the day.
struct Daily {
    directory: Utf8PathBuf,
    program: String,
    day: Date,
    file: File,
}

impl Daily {
    fn open(directory: &Utf8Path, program: &str) -> io::Result<Self> {
        let path = directory.join(format!("{program}.log"));
        let file = append(&path)?;
        let changed = file.metadata()?.modified().ok();
        // A file of an earlier day is put aside with the first line.
        let day = changed.and_then(|at| jiff::Timestamp::try_from(at).ok()).map_or_else(
            || clock::now().date(),
            |at| at.to_zoned(jiff::tz::TimeZone::system()).date(),
        );
        Ok(Self { directory: directory.to_owned(), program: program.to_owned(), day, file })
    }

    fn turn(&mut self, today: Date) -> io::Result<()> {
        let path = self.directory.join(format!("{}.log", self.program));
        let aside = format!("{}.{}.log", self.program, self.day.strftime("%Y%m%d"));
        match fs::rename(&path, self.directory.join(aside)) {
            // Somebody took it away; there is to be a log again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        self.file = append(&path)?;
        self.day = today;
        self.drop_old()
    }

    fn drop_old(&self) -> io::Result<()> {
        let is_dated = |name: &str| {
            let day = name.strip_prefix(&format!("{}.", self.program))?.strip_suffix(".log")?;
            (day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit())).then_some(())
        };
        let mut old: Vec<String> = self
            .directory
            .read_dir_utf8()?
            .flatten()
            .map(|entry| entry.file_name().to_owned())
            .filter(|name| is_dated(name).is_some())
            .collect();
        old.sort();
        old.truncate(old.len().saturating_sub(DAYS_KEPT));
        old.iter().try_for_each(|name| fs::remove_file(self.directory.join(name)))
    }
}

impl Write for Daily {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let today = clock::now().date();
        if today != self.day && self.turn(today).is_err() {
            // Logging goes on in the old file.
            self.day = today;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterdays_log_is_put_aside_and_a_week_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(dir.path()).unwrap();
        for day in 10..20 {
            fs::write(directory.join(format!("agent.202601{day}.log")), "old").unwrap();
        }
        let mut log = Daily::open(directory, "agent").unwrap();
        log.write_all(b"one\n").unwrap();
        log.day = Date::constant(2026, 1, 20);
        log.write_all(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(directory.join("agent.20260120.log")).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(directory.join("agent.log")).unwrap(), "two\n");
        assert_eq!(fs::read_dir(directory).unwrap().count(), 8);
    }

    #[test]
    fn a_log_that_somebody_took_away_is_there_again_the_next_day() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(dir.path()).unwrap();
        let mut log = Daily::open(directory, "agent").unwrap();
        fs::remove_file(directory.join("agent.log")).unwrap();
        log.day = Date::constant(2026, 1, 20);
        log.write_all(b"again\n").unwrap();
        assert_eq!(fs::read_to_string(directory.join("agent.log")).unwrap(), "again\n");
    }
}
