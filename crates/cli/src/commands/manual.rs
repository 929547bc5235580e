//! `longshore completions` and `longshore man`: made from the same definition as the commands themselves.

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use super::reference;
use crate::args::{Arguments, Completions, Man};
use crate::output;

pub fn completions(asked: &Completions) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(asked.shell, &mut Arguments::command(), "longshore", &mut text);
    output::print(&String::from_utf8(text).context("completions are text")?)?;
    Ok(ExitCode::SUCCESS)
}

pub fn man(asked: &Man) -> anyhow::Result<ExitCode> {
    if asked.markdown {
        output::print(&reference::markdown(Arguments::command()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(dir) = &asked.dir else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
        output::print(&String::from_utf8(text).context("the manual is text")?)?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {dir}"))?;
    clap_mangen::generate_to(Arguments::command(), dir)
        .with_context(|| format!("cannot write the manual into {dir}"))?;
    Ok(ExitCode::SUCCESS)
}
