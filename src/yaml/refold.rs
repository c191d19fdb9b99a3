//! Folded scalars that kustomize prints and reads again before it prints them for good.
//!
//! In: the text of a `>` scalar. Out: what is left of it. go-yaml v3 writes `>` scalars with a slip (it looks at the
//! beginning of the text where it means the next line), so texts with indented lines gain or lose line ends.

use std::borrow::Cow;

use crate::diag::SourceText;
use crate::value::Tree;

use super::{Dialect, parse};

/// The text after being written in folded style and read again.
pub(super) fn refold(text: &str) -> Cow<'_, str> {
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    let bytes = text.as_bytes();
    let indented = bytes.first().copied().is_some_and(blank) || bytes.windows(2).any(|pair| pair[0] == b'\n' && blank(pair[1]));
    if !indented {
        return Cow::Borrowed(text);
    }
    match parse(&SourceText::new("", write(text)), Dialect::V3) {
        Ok(Tree::List(items)) => match items.first() {
            Some(Tree::Scalar(scalar)) => Cow::Owned(scalar.text.to_string()),
            _ => Cow::Borrowed(text),
        },
        _ => Cow::Borrowed(text),
    }
}

/// The text as the only item of a list, in folded style.
fn write(text: &str) -> String {
    let mut out = String::from("- >");
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text == "\n" || text.ends_with("\n\n") {
        out.push('+');
    }
    out.push('\n');
    let begins_bare = !text.trim_start_matches('\n').starts_with([' ', '\t']);
    let mut breaks = true;
    let mut indented = true;
    for character in text.chars() {
        if character == '\n' {
            if !breaks && !indented && begins_bare {
                out.push('\n');
            }
            out.push('\n');
            breaks = true;
        } else {
            if breaks {
                out.push_str("  ");
                indented = character == ' ' || character == '\t';
            }
            out.push(character);
            breaks = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_lines_gain_line_ends_and_others_do_not() {
        assert_eq!(refold("a\nb\n\nc\n"), "a\nb\n\nc\n");
        assert_eq!(refold("t u\n\tt\nt u\n"), "t u\n\n\tt\nt u\n");
        assert_eq!(refold(" a\nb\nc\n"), " a\nb c\n");
    }
}
