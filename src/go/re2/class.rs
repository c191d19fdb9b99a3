//! Character classes: the Perl and POSIX ones by table, the Unicode ones by name.

/// Perl classes by letter, ASCII only as in Go, written as the inside of a class.
pub(super) fn perl(letter: u8) -> Option<(&'static str, bool)> {
    Some(match letter {
        b'd' => ("0-9", false),
        b'D' => ("0-9", true),
        b's' => ("\\t\\n\\x0C\\r ", false),
        b'S' => ("\\t\\n\\x0C\\r ", true),
        b'w' => ("0-9A-Z_a-z", false),
        b'W' => ("0-9A-Z_a-z", true),
        _ => return None,
    })
}

/// POSIX classes by name, written as the inside of a class.
pub(super) fn posix(name: &str) -> Option<(&'static str, bool)> {
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let inside = match name {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => "\\x00-\\x7F",
        "blank" => "\\t ",
        "cntrl" => "\\x00-\\x1F\\x7F",
        "digit" => "0-9",
        "graph" => "!-~",
        "lower" => "a-z",
        "print" => " -~",
        "punct" => "!-/:-@\\[-`\\{-~",
        "space" => "\\t\\n\\x0B\\x0C\\r ",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    };
    Some((inside, negated))
}

/// A Unicode class by the names Go knows (general categories, their long names, scripts; case and separators do not count).
pub(super) fn unicode(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_ascii_lowercase();
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match plain.as_str() {
        "any" => return Some("\\p{any}".to_owned()),
        "assigned" => return Some("\\p{assigned}".to_owned()),
        "ascii" => return Some("\\x00-\\x7F".to_owned()),
        _ => {}
    }
    let known = |text: &str| regex_syntax::Parser::new().parse(text).is_ok();
    // Scripts go by their long names only, so a four-letter short name of one (`Grek`) is looked for among the long ones.
    let category = format!("\\p{{gc={plain}}}");
    let script = format!("\\p{{sc={plain}}}");
    if known(&category) {
        Some(category)
    } else if (plain.len() != 4 || LONG_SCRIPTS_OF_FOUR.contains(&plain.as_str())) && known(&script) {
        Some(script)
    } else {
        None
    }
}

/// Scripts whose long name has four letters (so it may look like a short one).
const LONG_SCRIPTS_OF_FOUR: &[&str] =
    &["ahom", "cham", "lisu", "mero", "miao", "modi", "newa", "thai", "toto", "wara"];
