//! Keys and values for generators, from literals, env files and files.

use super::decode;
use super::loader::Loader;
use crate::diag::{Diagnostic, Result};
use crate::value::Tree;

/// Longest line that an env file's reader takes; a longer one ends the reading without a word, as in kustomize.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// One key with its value, which may be any bytes.
pub(crate) type Pair = (String, Vec<u8>);

/// All pairs that a generator's configuration names: env files, then literals, then files.
pub(crate) fn load(config: &Tree, loader: &Loader<'_>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for path in decode::texts(config, "envs") {
        env_file(&loader.bytes(&path)?, &path, &mut pairs)?;
    }
    for source in decode::texts(config, "literals") {
        pairs.push(literal(&source)?);
    }
    for source in decode::texts(config, "files") {
        let (key, path) = file_source(&source)?;
        pairs.push((key, loader.bytes(&path)?.to_vec()));
    }
    Ok(pairs)
}

fn env_file(bytes: &[u8], path: &str, pairs: &mut Vec<Pair>) -> Result<()> {
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.len() > MAX_LINE_BYTES {
            return Ok(());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            let message = format!("line {} of `{path}` is no UTF-8 text", index + 1);
            return Err(refuse("kustomize-env-not-utf8", message));
        };
        let text = if index == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(())
}

fn literal(source: &str) -> Result<Pair> {
    match source.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), unquoted(value).as_bytes().to_vec())),
        _ => {
            let message = format!("invalid literal source `{source}`, expected `key=value`");
            Err(refuse("kustomize-literal", message))
        }
    }
}

/// Takes off one pair of quotes that stands around the whole text.
fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

/// Key and path of a `[key=]path`.
fn file_source(source: &str) -> Result<(String, String)> {
    let fault = |what: &str| refuse("kustomize-file-source", format!("{what} in file source `{source}`"));
    match source.split_once('=') {
        None => Ok((crate::source::clean(source).rsplit('/').next().unwrap_or(source).to_owned(), source.to_owned())),
        Some((_, path)) if path.contains('=') => Err(fault("more than one `=`")),
        Some(("", _)) => Err(fault("missing key name")),
        Some((_, "")) => Err(fault("missing path")),
        Some((key, path)) => Ok((key.to_owned(), path.to_owned())),
    }
}

fn refuse(code: &'static str, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_keep_what_follows_the_first_equals_sign() {
        let mut pairs = Vec::new();
        env_file("\u{feff}A=1=2\r\n  # no\n\n  B\nC= x ".as_bytes(), "e", &mut pairs).expect("text");
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
        assert_eq!(pairs, [("A", &b"1=2"[..]), ("B", b""), ("C", b" x ")]);
    }

    #[test]
    fn one_pair_of_quotes_goes() {
        assert_eq!(unquoted("'a'"), "a");
        assert_eq!(unquoted("\"a'"), "\"a'");
        assert_eq!(unquoted("'"), "'");
        assert!(literal("=x").is_err());
        assert_eq!(file_source("a/b.txt").expect("a path").0, "b.txt");
    }
}
