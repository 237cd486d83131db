//! The command line: flags in, exit status out. The only place that knows the reference server.

mod badge;
mod check;
mod compare;
mod config;
mod init;
mod keywords;
mod logs;
mod output;
mod rules;
mod schema;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod streams;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Checks servers of the Durable Streams protocol, rule by rule.
#[derive(Debug, Parser)]
#[command(name = "streamgauge", version, max_term_width = 110)]
struct Arguments {
    /// When colours are used; NO_COLOR is heeded, too.
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = clap::ColorChoice::Auto)]
    color: clap::ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a server.
    Check(Box<check::CheckArguments>),
    /// Write a streamgauge.toml for a server that is running.
    Init(Box<init::InitArguments>),
    /// Serve the protocol from memory, with every rule kept.
    #[cfg(feature = "serve")]
    Serve(Box<serve::ServeArguments>),
    /// List the rules, or those of an area, or tell all about one.
    Rules(rules::RulesArguments),
    /// List the normative sentences of a copy of PROTOCOL.md with the rules of their sections, and what is new in it.
    Keywords(keywords::KeywordsArguments),
    /// Set reports side by side: servers against each other, or one server then and now.
    Compare(compare::CompareArguments),
    /// Make a badge of a report, for shields.io.
    Badge(badge::BadgeArguments),
    /// Print the JSON Schema of a report or of a kind of fixture.
    Schema(schema::SchemaArguments),
    /// Print what makes a shell complete this program's flags.
    Completions(shell::CompletionsArguments),
    /// Print the manual page of the program or of a command.
    Man(shell::ManArguments),
}

/// What a command came to, as the exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No claimed rule judged `error` is broken.
    Right = 0,
    /// One is.
    Broken = 1,
    /// The call or a fixture is wrong.
    Misused = 2,
    /// The target cannot be used, or a case errored and nothing is broken.
    Unusable = 3,
    /// Told to end by Ctrl-C, as shells say it.
    Interrupted = 130,
    /// Told to end by SIGTERM or SIGHUP.
    Terminated = 143,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// A mistake of the caller: what, where, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

impl Misuse {
    fn new(message: impl std::fmt::Display) -> Self {
        Self(message.to_string())
    }
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    // clap itself ends with status 2 on wrong flags.
    let arguments = Arguments::parse();
    match arguments.color {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let outcome = match arguments.command {
        Command::Check(check) => check.run(),
        Command::Init(init) => init.run(),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => serve.run(),
        Command::Rules(rules) => rules.run(),
        Command::Keywords(keywords) => keywords.run(),
        Command::Compare(compare) => compare.run(),
        Command::Badge(badge) => badge.run(),
        Command::Schema(schema) => schema.run(),
        Command::Completions(completions) => completions.run(Arguments::command()),
        Command::Man(man) => man.run(Arguments::command()),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(misuse) => {
            eprintln!("error: {misuse}");
            Status::Misused.into()
        }
    }
}
