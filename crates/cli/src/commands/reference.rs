//! The reference of all commands as Markdown, made from the same definition as the commands themselves.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

use crate::args::SERVER_OPTIONS;

/// The whole reference.
pub fn markdown(mut root: Command) -> String {
    // What clap fills in by itself, such as the names of commands in usages, is there only then.
    root.build();
    let mut text = String::from(
        "# The command line\n\n\
         Made by `cargo xtask gen` from what `longshore --help` tells; see there, or `longshore man`.\n",
    );
    for_command(&mut text, &root, root.get_name());
    let remote = root.get_subcommands().flat_map(leaves).flat_map(Command::get_arguments);
    let mut told: Vec<&str> = Vec::new();
    text.push_str("\n## Options of every command that asks a server\n\n");
    for argument in remote.filter(|argument| is_of_servers(argument)) {
        if !told.contains(&argument.get_id().as_str()) {
            told.push(argument.get_id().as_str());
            option(&mut text, argument);
        }
    }
    text
}

/// A command and all below it.
fn leaves(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().flat_map(leaves);
    std::iter::once(command).chain(below).collect()
}

fn for_command(text: &mut String, command: &Command, path: &str) {
    // Writing into a text does not fail.
    let _ = writeln!(text, "\n## {path}\n");
    let about = command.get_long_about().or(command.get_about());
    let _ = writeln!(text, "{}.", about.map(ToString::to_string).unwrap_or_default());
    if !command.has_subcommands() {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ");
        let _ = writeln!(text, "\n```text\n{usage}\n```");
    }
    let is_told = |argument: &&Arg| !argument.is_hide_set() && !is_of_clap(argument);
    let (remote, own): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(is_told).partition(|argument| is_of_servers(argument));
    if !own.is_empty() {
        text.push('\n');
        own.into_iter().for_each(|argument| option(text, argument));
    }
    if !remote.is_empty() {
        text.push_str(
            "\nIt asks a server: see [below](#options-of-every-command-that-asks-a-server).\n",
        );
    }
    examples(text, command);
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        for_command(text, below, &format!("{path} {}", below.get_name()));
    }
}

fn is_of_clap(argument: &Arg) -> bool {
    matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

fn is_of_servers(argument: &Arg) -> bool {
    argument.get_help_heading() == Some(SERVER_OPTIONS)
}

/// One line: how it is written, what it means, what else counts.
fn option(text: &mut String, argument: &Arg) {
    let mut names: Vec<String> = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let aliases = argument.get_visible_aliases().unwrap_or_default();
    names.extend(aliases.into_iter().map(|alias| format!("--{alias}")));
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().unwrap_or_default().first().map(ToString::to_string);
    let value = value.unwrap_or_else(|| argument.get_id().as_str().to_uppercase());
    let written = match (names.is_empty(), takes_value) {
        (true, _) => format!("`{value}`"),
        (false, true) => format!("`{} {value}`", names.join("`, `")),
        (false, false) => format!("`{}`", names.join("`, `")),
    };
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string);
    let mut line = format!("- {written}: {}", help.unwrap_or_default().replace('\n', " "));
    let values = argument.get_possible_values();
    if takes_value && !values.is_empty() && !argument.is_hide_possible_values_set() {
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(line, "; one of {}", values.join(", "));
    }
    let defaults = argument.get_default_values();
    if takes_value && !defaults.is_empty() {
        let defaults = defaults.iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>();
        let _ = write!(line, "; `{}` by default", defaults.join(" "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(line, "; also `{}`", variable.to_string_lossy());
    }
    let _ = writeln!(text, "{line}");
}

/// The examples of a command's help as they stand there, with what is said of them, and what else stands there as text.
fn examples(text: &mut String, command: &Command) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let Some(rest) = help.strip_prefix("Examples:\n") else { return };
    let (examples, rest) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let examples = examples.lines().map(|line| line.strip_prefix("  ").unwrap_or(line));
    let _ = writeln!(text, "\n```text\n{}\n```", examples.collect::<Vec<_>>().join("\n"));
    if !rest.is_empty() {
        let _ = writeln!(text, "\n{}", rest.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn the_reference_in_the_repository_is_current() {
        let kept = include_str!("../../../../docs/cli.md");
        let made = markdown(Arguments::command());
        assert!(kept == made, "docs/cli.md differs from the commands: run `cargo xtask gen`");
    }

    #[test]
    fn each_command_is_there_with_its_example() {
        let made = markdown(Arguments::command());
        assert!(made.contains("\n## longshore deployment plan\n"), "{made}");
        assert!(made.contains("\nlongshore deployment explain d-75I7MBT7C\n"), "{made}");
        assert_eq!(made.matches("--endpoint-url URL").count(), 1, "{made}");
    }
}
