//! Folded texts (`>`) as they come out of kustomize.
//!
//! kustomize prints every object with go-yaml v3 in the styles that it was read with, and reads that again before the
//! last print. The printer of folded texts looks for the next line at the beginning of the text and not where it is, and
//! so writes an empty line too many before lines that begin with a space: their text changes on the way. This gives the
//! text that arrives.

use crate::value::{Kind, Style, Tree};

/// Changes every folded text below to what kustomize's last reading makes of it.
pub(crate) fn reread(tree: &mut Tree) {
    if !concerns(tree) {
        return;
    }
    match tree {
        Tree::Scalar(scalar) => scalar.text = reread_text(&scalar.text).into(),
        Tree::List(_) => tree.as_list_mut().into_iter().flatten().for_each(reread),
        Tree::Map(_) => {
            if let Some(map) = tree.as_map_mut() {
                map.iter_mut().for_each(|(_, value)| reread(value));
            }
        }
    }
}

/// True if a text below changes: nothing is copied otherwise.
fn concerns(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(scalar) => {
            scalar.kind == Kind::Str
                && scalar.style == Style::Folded
                && stays_folded(&scalar.text)
                && reread_text(&scalar.text) != scalar.text.as_str()
        }
        Tree::List(items) => items.iter().any(concerns),
        Tree::Map(map) => map.iter().any(|(_, value)| concerns(value)),
    }
}

/// True if the printer keeps the style: texts with spaces at line ends or unprintable characters go into quotes.
fn stays_folded(text: &str) -> bool {
    let unprintable = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || c == '\u{feff}';
    text.contains('\n') && !text.ends_with(' ') && !text.contains(" \n") && !text.contains(unprintable)
}

fn reread_text(text: &str) -> String {
    read(&print(text), text)
}

/// The lines that the printer writes, without their indentation.
fn print(text: &str) -> String {
    let first = text.trim_start_matches('\n').chars().next();
    let adds_lines = first.is_some_and(|c| !matches!(c, ' ' | '\t'));
    let (mut out, mut breaks, mut leading_space) = (String::with_capacity(text.len() + 16), true, true);
    for c in text.chars() {
        if c == '\n' {
            if !breaks && !leading_space && adds_lines {
                out.push('\n');
            }
            out.push('\n');
            breaks = true;
        } else {
            if breaks {
                leading_space = matches!(c, ' ' | '\t');
            }
            out.push(c);
            breaks = false;
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// What a reader makes of those lines; `original` decides how line ends at the end are marked.
fn read(printed: &str, original: &str) -> String {
    let (mut text, mut line_end, mut empty) = (String::with_capacity(printed.len()), "", String::new());
    let mut after_space = false;
    for line in printed.split_inclusive('\n').map(|line| line.trim_end_matches('\n')) {
        if line.is_empty() {
            empty.push('\n');
            continue;
        }
        let space = line.starts_with([' ', '\t']);
        if !after_space && !space && !line_end.is_empty() {
            if empty.is_empty() {
                text.push(' ');
            }
        } else {
            text.push_str(line_end);
        }
        text.push_str(&empty);
        empty.clear();
        text.push_str(line);
        (after_space, line_end) = (space, "\n");
    }
    let keeps_all = original == "\n" || original.ends_with("\n\n");
    if original.ends_with('\n') {
        text.push_str(line_end);
    }
    if keeps_all {
        text.push_str(&empty);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_begin_with_a_space_change() {
        assert_eq!(reread_text("one\ntwo\n"), "one\ntwo\n");
        assert_eq!(reread_text("one\n\ntwo"), "one\n\ntwo");
        assert_eq!(reread_text("one\n  two\nthree\n"), "one\n\n  two\nthree\n");
        assert_eq!(reread_text(" one\n  two\n"), " one\n  two\n");
    }
}
