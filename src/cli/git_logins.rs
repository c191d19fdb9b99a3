//! Who we are to git servers, as git's users keep it: `~/.netrc`, then what `git credential fill` knows (the stores, helpers
//! and per-URL settings of git's own configuration).
//!
//! Asked only where a server wants a login and the URL has none. git is run for its credentials alone, and never asks
//! anybody: no terminal, no window.

#![expect(clippy::disallowed_methods, reason = "reads the user's netrc and runs git's credential helpers")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reqwest::Url;

use crate::charts::{Login, Logins};

use super::terminal::Terminal;

/// The user's own files and helpers.
pub(super) struct GitLogins;

impl Logins for GitLogins {
    fn find(&self, url: &Url) -> Option<Login> {
        let host = url.host_str()?;
        let netrc = netrc_path().and_then(|path| fs::read_to_string(path).ok());
        netrc.and_then(|text| in_netrc(&text, host)).or_else(|| of_git(url))
    }
}

fn netrc_path() -> Option<PathBuf> {
    let set = |name: &str| Terminal::environment(name).filter(|value| !value.is_empty());
    set("NETRC").map(PathBuf::from).or_else(|| Some(Path::new(&set("HOME")?).join(".netrc")))
}

/// The login of a host in a netrc file: of its own entry, else of `default`.
fn in_netrc(text: &str, host: &str) -> Option<Login> {
    let mut words = words(text).into_iter();
    let mut found: Option<Login> = None;
    let mut here = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" if here && found.is_some() => break,
            "machine" => here = words.next().is_some_and(|name| name == host),
            "default" => here = true,
            "login" | "password" | "account" => {
                let Some(value) = words.next() else { break };
                if here && word != "account" {
                    let login = found.get_or_insert_default();
                    let field = if word == "login" { &mut login.user } else { &mut login.password };
                    *field = value;
                }
            }
            _ => {}
        }
    }
    found.filter(|login| !login.password.is_empty())
}

/// The words of a netrc file, quotes taken off; comments and macros, which end at an empty line, are left out.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        in_macro &= !line.trim().is_empty();
        let mut rest = line.trim_start();
        while !in_macro && !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = one_word(rest);
            in_macro = word == "macdef";
            if !in_macro {
                found.push(word);
            }
            rest = after.trim_start();
        }
    }
    found
}

fn one_word(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut word = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (word, &quoted[at + 1..]),
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            _ => word.push(letter),
        }
    }
    (word, "")
}

/// What git's own helpers know; nothing where there is no git, or it knows nothing.
fn of_git(url: &Url) -> Option<Login> {
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let asked = format!("protocol={}\nhost={host}\npath={}\n\n", url.scheme(), url.path().trim_start_matches('/'));
    let mut git = Command::new("git");
    git.args(["credential", "fill"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("GCM_INTERACTIVE", "never");
    let mut git = git.spawn().ok()?;
    git.stdin.take()?.write_all(asked.as_bytes()).ok()?;
    let answer = git.wait_with_output().ok().filter(|answer| answer.status.success())?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Some(Login { user: field("username")?.to_owned(), password: field("password")?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netrc_is_read_as_curl_reads_it() {
        let text = "# mine\nmachine a.example login ann password s1\nmacdef init\nmachine b.example login x password x\n\n\
                    machine b.example\n  login \"b o\\\"b\"\n  password s2 # not s3\nmachine c.example login c\n\
                    default login any password s4\n";
        let found = |host: &str| in_netrc(text, host).map(|login| format!("{}:{}", login.user, login.password));
        assert_eq!(found("a.example").as_deref(), Some("ann:s1"));
        assert_eq!(found("b.example").as_deref(), Some("b o\"b:s2"));
        assert!(found("c.example").is_none(), "without a password there is no login");
        assert_eq!(found("d.example").as_deref(), Some("any:s4"));
        assert!(in_netrc("machine", "a").is_none());
    }
}
