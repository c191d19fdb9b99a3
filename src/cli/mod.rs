//! Arguments, wiring, printing and exit codes: the only room that prints or reads the environment.
//!
//! One file a command. A command gets its parsed arguments and the `Terminal`, and gives an `Outcome` or a
//! diagnostic; this file turns both into an exit code.
//!
//! | exit | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | it differs, or something was found |
//! | 2 | the user's input is wrong |
//! | 3 | a system is out of reach |
//! | 70 | a bug of Hydrant's |

mod agent;
mod alias;
mod ambient;
mod blob_store;
mod bring;
mod build;
mod build_all;
mod cache;
mod chart_flags;
mod check;
mod check_places;
mod connection;
mod copy;
mod deps;
mod deps_list;
mod diff;
mod diff_live;
mod diff_out;
mod diff_sides;
mod diff_why;
mod folder;
mod git;
mod git_logins;
mod git_source;
mod helm_pull;
mod input;
mod inspect;
mod install;
mod keys;
mod list;
mod made;
mod pflag;
mod plan;
mod progress;
mod pull;
mod push;
mod seed;
mod show;
mod status;
mod store;
mod sync;
mod tag;
mod template;
mod terminal;
#[cfg(feature = "policy")]
mod test;
mod tryout;
mod verify;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::compat::Profile;
use crate::diag::{Fault, Result};
use terminal::Terminal;

/// Renders Kubernetes configuration, ships it as OCI artifacts, and syncs it
#[derive(Parser)]
#[command(name = "hydrant", version, arg_required_else_help = true, infer_long_args = false, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// Flags that every command takes.
#[derive(clap::Args, Clone, Debug)]
struct Global {
    /// Whose bytes to follow, a comma-separated list: helm-3, helm-4.1, helm-4.3, kustomize-5.4, kustomize-5.7,
    /// kustomize-5.8, config-sync, argocd, flux
    #[arg(long, global = true, value_name = "PROFILE", default_value = "", hide_default_value = true)]
    compat: String,
    /// How to print errors and warnings: text or json (one object a line)
    #[arg(long, global = true, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    diagnostics: String,
}

// Deferred: only the flags of the command that is called are built, not those of all, which cost more than a small render.
#[derive(Subcommand)]
#[command(defer = true)]
enum Command {
    /// Render a kustomization, a chart or a folder of manifests to flat manifests
    #[command(args_override_self = true)]
    Build(build::Args),
    /// Render a chart as `helm template` does, flag for flag
    #[command(args_override_self = true)]
    Template(Box<template::Args>),
    /// Show what changes between two sources, object by object
    Diff(diff::Args),
    /// Check a source's objects: schema, policies, and what only the whole set shows
    Check(Box<check::Args>),
    /// Run the test cases that policies bring with them (Gatekeeper's suites)
    #[cfg(feature = "policy")]
    Test(test::Args),
    /// Render, pack and push; prints REF@digest
    Push(push::Args),
    /// Bring an artifact's files into a folder
    Pull(pull::Args),
    /// Show what an artifact is made of, and which consumers take it
    Inspect(inspect::Args),
    /// Check that an artifact and its statements were signed with a key; prints REF@digest
    Verify(verify::Args),
    /// Give an artifact another tag
    Tag(tag::Args),
    /// List the tags of a repository or image layout
    List(list::Args),
    /// Copy an artifact between registries and image layouts
    Copy(copy::Args),
    /// Bring an artifact's objects into a cluster or a folder, one pass
    Sync(sync::Args),
    /// Keep a cluster in step with its RootSync and RepoSync objects: the controller
    Agent(Box<agent::Args>),
    /// Show how the RootSyncs and RepoSyncs of a cluster stand; exit 1 if one is not synced
    Status(status::Args),
    /// Print the manifests that bring the agent into a cluster
    Install(install::Args),
    /// Bring what a source depends on from elsewhere, and lock it: charts/, Chart.lock, hydrant.lock
    Deps(Box<deps::Args>),
    /// Show what a chart says of itself, as `helm show` does
    Show(Box<show::Args>),
    /// Bring a packed chart to disk, as `helm pull` does
    #[command(hide = true)]
    HelmPull(Box<helm_pull::Args>),
    /// Walk the whole way on embedded defaults: render, push, sync, and the next real command
    Try(tryout::Args),
}

/// What a command that did not fail has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Done; exit 0.
    Done,
    /// Something differs or was found; exit 1.
    Found,
}

/// Runs the command line and gives its exit code.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    match words.first().and_then(|program| alias::tool(program)) {
        Some(tool) => run_as(tool, &words[1..]),
        None => run(words),
    }
}

/// Answers a call by another tool's name, where every failure is 1.
fn run_as(tool: &'static str, words: &[OsString]) -> ExitCode {
    let terminal = Terminal::new(false);
    let answer = alias::call(tool, words, &Terminal::environment(alias::COMPAT_VARIABLE).unwrap_or_default());
    let code = match answer {
        Ok(alias::Call::Run(words)) => run(words),
        Ok(alias::Call::Print(text)) => terminal.data(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(fault) => {
            terminal.report(&fault);
            ExitCode::FAILURE
        }
    };
    if code == ExitCode::SUCCESS { code } else { ExitCode::FAILURE }
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return Terminal::refuse(&error),
    };
    let terminal = Terminal::new(arguments.global.diagnostics == "json");
    match dispatch(arguments, &terminal) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(fault) => {
            terminal.report(&fault);
            ExitCode::from(match fault.fault {
                Fault::Input => 2,
                Fault::Unreachable => 3,
                Fault::Bug => 70,
            })
        }
    }
}

fn dispatch(arguments: Arguments, terminal: &Terminal) -> Result<Outcome> {
    let mut compat = arguments.global.compat.clone();
    if compat.is_empty() {
        // what was locked is rendered as it was locked
        let source = match &arguments.command {
            Command::Build(args) => Some(args.source.as_str()),
            Command::Push(args) => Some(args.source.as_str()),
            Command::Check(args) => Some(args.source.as_str()),
            _ => None,
        };
        compat = source.map(bring::locked_profile).transpose()?.flatten().unwrap_or_default();
    }
    if let Command::Diff(args) = &arguments.command {
        // two profiles may be compared
        return diff::run(args, &compat, terminal);
    }
    let profile = Profile::parse(&compat)?;
    match arguments.command {
        Command::Build(args) => build::run(args, profile, terminal),
        Command::Template(args) => template::run(*args, profile, terminal),
        Command::Diff(args) => diff::run(&args, &compat, terminal),
        Command::Check(args) => check::run(*args, profile, terminal),
        #[cfg(feature = "policy")]
        Command::Test(args) => test::run(args, terminal),
        Command::Push(args) => push::run(args, profile, terminal),
        Command::Pull(args) => pull::run(args, terminal),
        Command::Inspect(args) => inspect::run(args, terminal),
        Command::Verify(args) => verify::run(args, terminal),
        Command::Tag(args) => tag::run(args, terminal),
        Command::List(args) => list::run(args, terminal),
        Command::Copy(args) => copy::run(args, terminal),
        Command::Sync(args) => sync::run(args, terminal),
        Command::Agent(args) => agent::run(*args, profile, terminal),
        Command::Status(args) => status::run(args, terminal),
        Command::Install(args) => install::run(&args, terminal),
        Command::Deps(args) => deps::run(*args, profile, terminal),
        Command::Show(args) => show::run(*args, profile, terminal),
        Command::HelmPull(args) => helm_pull::run(*args, profile, terminal),
        Command::Try(args) => tryout::run(&args, profile, terminal),
    }
}
