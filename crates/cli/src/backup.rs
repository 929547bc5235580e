//! `longshore backup` and `longshore restore`: what a person says and is told; the work is the server's.

use std::process::ExitCode;

use model::Timestamp;
use server::backup::{self, Archive, Manifest, Over};
use server::clock::Clock;

use crate::args;
use crate::data_dir::DataDir;
use crate::output;

pub fn back_up(asked: &args::Backup) -> anyhow::Result<ExitCode> {
    let url = asked.database_url.as_deref();
    let now = Clock::system().now();
    let made = runtime()?.block_on(backup::back_up(&asked.data_dir, url, &asked.archive, now))?;
    output::print(&format!("Backed up {} into {}\n", contents(&made.manifest), asked.archive))?;
    Ok(ExitCode::SUCCESS)
}

pub fn restore(asked: &args::Restore) -> anyhow::Result<ExitCode> {
    let over = if asked.replace { Over::Anything } else { Over::Nothing };
    // Before the archive is read, which may take long; the lock decides.
    Archive::check_room(&asked.data_dir, over)?;
    let archive = Archive::verify(&asked.archive)?;
    let data_dir = DataDir::at(asked.data_dir.clone());
    let _lock = data_dir.open()?;
    let url = asked.database_url.as_deref();
    runtime()?.block_on(archive.restore(data_dir.path(), url, over))?;
    let manifest = archive.manifest();
    output::print(&format!("Restored {} into {}\n", contents(manifest), data_dir.path()))?;
    if !data_dir.has_root_credentials() {
        output::print(
            "The root credentials are not in it: give the server those that it had by its environment\n",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn contents(manifest: &Manifest) -> String {
    let Manifest { schema, program, .. } = manifest;
    let (objects, bytes) = (manifest.objects(), manifest.bytes());
    let at = time(manifest.created());
    format!(
        "the database (schema {schema}, longshore {program}) and {objects} files of objects, {bytes} bytes, as of {at},"
    )
}

fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| "an unknown time".to_owned(), |at| at.to_string())
}
