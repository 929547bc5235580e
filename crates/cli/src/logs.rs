//! Where log lines go and how they look.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Sends log lines to standard error. `LONGSHORE_LOG` filters them, `info` by default. The S3 protocol library is
/// silenced: it calls every missing key an error, and in its debug lines it tells expected signatures.
pub fn start(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("LONGSHORE_LOG").unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(colour).with_target(false).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
