//! What every test file needs of the machine: where the real peers are, and how a command went.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of the real peers: `$HYDRANT_PEERS`, else `~/.cache/hydrant/peers`.
pub(crate) fn peers() -> PathBuf {
    std::env::var_os("HYDRANT_PEERS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/hydrant/peers"),
        PathBuf::from,
    )
}

/// The path of a real peer. A missing one fails the test by name: nothing is skipped silently.
pub(crate) fn peer(name: &str) -> PathBuf {
    let path = peers().join(name);
    assert!(path.exists(), "peer missing: {name}; run tests/peers/bring");
    path
}

/// The binary under test; `HYDRANT_BINARY` names another one.
pub(crate) fn hydrant() -> Command {
    Command::new(std::env::var_os("HYDRANT_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_hydrant").into()))
}

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command that must succeed, and gives its stdout.
pub(crate) fn must(command: &mut Command) -> Vec<u8> {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"))
}
