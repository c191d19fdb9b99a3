//! The two streams: data on stdout, everything else on stderr.

#![expect(clippy::disallowed_methods, reason = "the environment is read here and handed on")]

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result, to_json, to_text};
use crate::registry::Progress;

use super::progress::Bar;

/// Where a command prints to.
#[derive(Clone)]
pub(super) struct Terminal {
    quiet: bool,
    json: bool,
    colour: bool,
    /// True if a person looks at stderr.
    watched: bool,
}

impl Terminal {
    /// Diagnostics as JSON lines or as text; colour only on a terminal and without `NO_COLOR`.
    pub(super) fn new(json: bool) -> Terminal {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let watched = io::stderr().is_terminal();
        Terminal { quiet: false, json, colour: !plain && watched, watched: watched && !json }
    }

    /// A terminal that takes no remarks: for work whose outcome is told as a whole.
    pub(super) fn quiet() -> Terminal {
        Terminal { quiet: true, json: false, colour: false, watched: false }
    }

    /// True if data may be coloured: a person looks at stdout.
    pub(super) fn colour(&self) -> bool {
        self.colour && io::stdout().is_terminal()
    }

    /// A bar for transfers, if a person looks.
    pub(super) fn bar(&self) -> Option<Arc<dyn Progress>> {
        self.watched.then(|| Arc::new(Bar::default()) as Arc<dyn Progress>)
    }

    /// A variable of the environment, if it is set and UTF-8.
    pub(super) fn environment(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// Prints data to stdout. A closed pipe ends quietly, as `head` expects.
    #[expect(clippy::unused_self, reason = "whoever prints holds the terminal")]
    pub(super) fn data(&self, bytes: impl AsRef<[u8]>) -> Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes.as_ref()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Box::new(Diagnostic::unreachable("stdout", format!("cannot write to stdout: {error}"))))
            }
            _ => Ok(()),
        }
    }

    /// Columns and lines of the terminal that stdout is; nothing if it is none.
    pub(super) fn screen() -> Option<(usize, usize)> {
        if !io::stdout().is_terminal() {
            return None;
        }
        // what the shell says, or what a terminal has had for fifty years
        let number =
            |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        let asked = terminal_size::terminal_size().map(|(width, height)| (usize::from(width.0), usize::from(height.0)));
        let (columns, lines) = asked.unwrap_or((80, 24));
        Some((number("COLUMNS").unwrap_or(columns), number("LINES").unwrap_or(lines)))
    }

    /// True where the user wants no colour.
    pub(super) fn is_plain() -> bool {
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Prints through the user's pager (`$HYDRANT_PAGER`, `$PAGER`, `less`), or as it is where there is none.
    pub(super) fn page(&self, text: &str) -> Result<()> {
        let named = ["HYDRANT_PAGER", "PAGER"].into_iter().find_map(|name| std::env::var(name).ok());
        let pager = named.unwrap_or_else(|| "less".to_owned());
        let mut words = pager.split_whitespace();
        let Some(program) = words.next().filter(|program| *program != "cat") else { return self.data(text) };
        let mut command = std::process::Command::new(program);
        command.args(words).stdin(std::process::Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        let Ok(mut child) = command.spawn() else { return self.data(text) };
        if let Some(mut into) = child.stdin.take() {
            // a pager that is left early has seen enough
            let _ = into.write_all(text.as_bytes());
        }
        let _ = child.wait();
        Ok(())
    }

    /// Prints one line of progress to stderr.
    pub(super) fn note(&self, line: impl std::fmt::Display) {
        if self.quiet {
            return;
        }
        // a closed stderr leaves nobody to tell
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Prints a diagnostic to stderr.
    pub(super) fn report(&self, diagnostic: &Diagnostic) {
        if self.quiet {
            return;
        }
        let text = if self.json { to_json(diagnostic) + "\n" } else { to_text(diagnostic, self.colour) };
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints a diagnostic that was made earlier, in the form that is wanted.
    pub(super) fn remark(&self, text: &str, json: &str) {
        let text = if self.json { format!("{json}\n") } else { text.to_owned() };
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Answers a command line that cannot be parsed, and requests for help or version.
    pub(super) fn refuse(error: &clap::Error) -> ExitCode {
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { 2 } else { 0 })
    }
}
