//! Words and letters: Go's Unicode case functions, goutils' word rules, xstrings' camel, snake and kebab case.
//!
//! Several of goutils' loops walk bytes and treat each as a character; that is kept, since charts see its results.

/// Go's one-to-one upper case; letters whose upper case is longer than one character stay.
pub(super) fn to_upper(c: char) -> char {
    single(c.to_uppercase(), c)
}

/// Go's one-to-one lower case.
pub(super) fn to_lower(c: char) -> char {
    // The only letter whose full lower case is longer than its simple one.
    if c == 'İ' { 'i' } else { single(c.to_lowercase(), c) }
}

fn single(mut mapped: impl Iterator<Item = char>, own: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(c), None) => c,
        _ => own,
    }
}

/// Go's title case: upper case but for the four digraphs that have a form between.
fn to_title(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        _ => to_upper(c),
    }
}

/// Go's `unicode.IsSpace`.
fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// A text with each character mapped; bytes that are no UTF-8 become U+FFFD, as in `strings.Map`.
pub(super) fn map_chars(text: &[u8], map: fn(char) -> char) -> Vec<u8> {
    String::from_utf8_lossy(text).chars().map(map).collect::<String>().into_bytes()
}

/// The text without white space at either end.
pub(super) fn trim_space(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(text) => text.trim_matches(is_space).as_bytes(),
        Err(_) => text.trim_ascii(),
    }
}

/// `strings.Title`: letters after what is no letter, digit or underscore.
pub(super) fn title(text: &[u8]) -> Vec<u8> {
    let mut after_separator = true;
    let text = String::from_utf8_lossy(text);
    let titled = text.chars().map(|c| {
        let mapped = if after_separator { to_title(c) } else { c };
        after_separator = match c {
            _ if c.is_ascii() => !(c.is_ascii_alphanumeric() || c == '_'),
            _ if c.is_alphanumeric() => false,
            _ => is_space(c),
        };
        mapped
    });
    titled.collect::<String>().into_bytes()
}

/// goutils' `Uncapitalize`: the first letter of each word in lower case.
pub(super) fn untitle(text: &[u8]) -> Vec<u8> {
    let mut fresh = true;
    let text = String::from_utf8_lossy(text);
    let mapped = text.chars().map(|c| {
        let mapped = if fresh && !is_space(c) { to_lower(c) } else { c };
        fresh = is_space(c);
        mapped
    });
    mapped.collect::<String>().into_bytes()
}

/// goutils' `SwapCase`.
pub(super) fn swap_case(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    let text = String::from_utf8_lossy(text);
    let swapped = text.chars().map(|c| {
        if c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ') {
            after_space = false;
            return to_lower(c);
        }
        if c.is_lowercase() {
            let mapped = if after_space { to_title(c) } else { to_upper(c) };
            after_space = false;
            return mapped;
        }
        after_space = is_space(c);
        c
    });
    swapped.collect::<String>().into_bytes()
}

/// The first byte, as a character, of each word.
pub(super) fn initials(text: &[u8]) -> Vec<u8> {
    let mut gap = true;
    let mut out = String::new();
    for c in text.iter().map(|byte| char::from(*byte)) {
        if is_space(c) {
            gap = true;
        } else if gap {
            out.push(c);
            gap = false;
        }
    }
    out.into_bytes()
}

/// goutils' `DeleteWhiteSpace`, which takes bytes for characters once there is any white space.
pub(super) fn without_space(text: &[u8]) -> Vec<u8> {
    let kept: String = text.iter().map(|byte| char::from(*byte)).filter(|c| !is_space(*c)).collect();
    if kept.chars().count() == text.len() { text.to_vec() } else { kept.into_bytes() }
}

fn is_connector(c: char) -> bool {
    matches!(c, '-' | '_') || is_space(c)
}

/// xstrings' `ToPascalCase`: words joined, their first letters raised, a run of capitals at a word's start lowered after the first.
///
/// Leading connectors stay, of others every second; of a text of nothing else the last one doubles.
pub(super) fn pascal_case(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let start = text.find(|c| !is_connector(c)).unwrap_or(text.len());
    let mut out = text[..start].to_owned();
    let mut rest = text[start..].chars();
    let Some(first) = rest.next() else {
        out.extend(text.chars().last());
        return out.into_bytes();
    };
    let mut in_capitals = first.is_uppercase();
    let mut last = to_upper(first);
    for c in rest {
        let before = last;
        last = c;
        if is_connector(before) {
            if is_connector(c) {
                out.push(before);
                continue;
            }
            in_capitals = c.is_uppercase();
            last = to_upper(c);
            continue;
        }
        if in_capitals {
            in_capitals = c.is_uppercase();
            last = to_lower(c);
        }
        out.push(before);
    }
    out.push(last);
    out.into_bytes()
}

/// What xstrings takes a run of characters for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn is_alphabet(c: char) -> bool {
    // xstrings calls letters that have no lower case (ideographs) other.
    if !c.is_alphabetic() {
        return false;
    }
    c.is_lowercase() || c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

fn is_number(c: char) -> bool {
    c.is_numeric()
}

/// Go's `unicode.IsPunct`: the punctuation categories; `$+<=>^`|~` and their like are symbols.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    }
    matches!(u32::from(c),
        0xa1 | 0xa7 | 0xab | 0xb6 | 0xb7 | 0xbb | 0xbf | 0x2010..=0x2027 | 0x2030..=0x2043 | 0x2045..=0x2051
        | 0x2053..=0x205e | 0x3001..=0x3003 | 0x3008..=0x3011 | 0x3014..=0x301f | 0x30fb
        | 0xff01..=0xff03 | 0xff05..=0xff0a | 0xff0c..=0xff0f | 0xff1a..=0xff1b | 0xff1f..=0xff20 | 0xff3b..=0xff3d)
}

/// The word at the start of a text and its length.
fn next_word(text: &[char]) -> (Word, usize) {
    let Some(first) = text.first().copied() else { return (Word::Invalid, 0) };
    let run = |from: usize, test: &dyn Fn(char) -> bool| from + text[from..].iter().take_while(|c| test(**c)).count();
    let lower = |c: char| is_alphabet(c) && !c.is_uppercase();
    match first {
        _ if is_connector(first) => (Word::Connector, run(1, &is_connector)),
        _ if is_punctuation(first) => (Word::Punctuation, run(1, &is_punctuation)),
        _ if first.is_uppercase() => match text.get(1) {
            Some(second) if second.is_uppercase() => {
                let end = run(2, &|c| c.is_uppercase());
                // Of `HTTPStatus` the `S` belongs to the next word.
                let shared = text.get(end).is_some_and(|c| is_alphabet(*c));
                (Word::Upper, end - usize::from(shared))
            }
            Some(second) if is_alphabet(*second) => (Word::Upper, run(2, &lower)),
            _ => (Word::Upper, 1),
        },
        _ if is_alphabet(first) => (Word::Alphabet, run(1, &lower)),
        _ if is_number(first) => (Word::Number, run(1, &is_number)),
        _ => {
            let other = |c: char| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punctuation(c));
            (Word::Other, run(1, &other))
        }
    }
}

/// Reads words off a text one by one.
struct Words<'t> {
    rest: &'t [char],
    kind: Word,
    word: &'t [char],
}

impl Words<'_> {
    fn advance(&mut self) {
        let (kind, length) = next_word(self.rest);
        self.kind = kind;
        (self.word, self.rest) = self.rest.split_at(length);
    }
}

/// xstrings' `ToSnakeCase` and `ToKebabCase`.
pub(super) fn joined_lower_case(text: &[u8], connector: char) -> Vec<u8> {
    let chars: Vec<char> = String::from_utf8_lossy(text).chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    let mut words = Words { rest: &chars, kind: Word::Invalid, word: &[] };
    words.advance();
    while !words.rest.is_empty() {
        if words.kind != Word::Connector {
            push_lower(&mut out, words.kind, words.word, connector);
        }
        let (before, last) = (words.kind, words.word);
        words.advance();
        match before {
            Word::Number => {
                push_run(&mut out, &mut words, connector);
                if !matches!(words.kind, Word::Invalid | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ => after_letters(&mut out, &mut words, connector),
        }
    }
    push_lower(&mut out, words.kind, words.word, connector);
    out.into_bytes()
}

/// Letters and numbers that follow each other without a connector.
fn push_run(out: &mut String, words: &mut Words<'_>, connector: char) {
    while matches!(words.kind, Word::Alphabet | Word::Number) {
        push_lower(out, words.kind, words.word, connector);
        words.advance();
    }
}

/// After a word of letters: a number joins it when an upper case letter or nothing follows, else it starts a new word.
fn after_letters(out: &mut String, words: &mut Words<'_>, connector: char) {
    let joins = |kind: Word| !matches!(kind, Word::Connector | Word::Punctuation);
    if words.kind != Word::Number {
        if joins(words.kind) {
            out.push(connector);
        }
        return;
    }
    if words.rest.is_empty() {
        return;
    }
    let number = words.word;
    words.advance();
    if words.kind != Word::Alphabet {
        push_lower(out, Word::Number, number, connector);
        if joins(words.kind) {
            out.push(connector);
        }
        return;
    }
    out.push(connector);
    push_lower(out, Word::Number, number, connector);
    push_run(out, words, connector);
    if words.kind != Word::Invalid && joins(words.kind) {
        out.push(connector);
    }
}

fn push_lower(out: &mut String, kind: Word, word: &[char], connector: char) {
    let lowered = matches!(kind, Word::Upper | Word::Connector);
    out.extend(word.iter().map(|c| match c {
        c if !lowered => *c,
        c if is_connector(*c) => connector,
        c if c.is_uppercase() => to_lower(*c),
        c => *c,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_as_xstrings_does() {
        for (text, snake, pascal) in [
            ("FirstName", "first_name", "FirstName"),
            ("HTTPServerV2", "http_server_v2", "HttpserverV2"),
            ("http2xx", "http_2xx", "Http2xx"),
            ("Bld4Floor3rd", "bld4_floor_3rd", "Bld4Floor3rd"),
            ("foo_bar-baz", "foo_bar_baz", "FooBarBaz"),
            ("_a__b", "_a__b", "_A_B"),
            ("a.b c", "a.b_c", "A.bC"),
        ] {
            assert_eq!(joined_lower_case(text.as_bytes(), '_'), snake.as_bytes(), "{text}");
            assert_eq!(pascal_case(text.as_bytes()), pascal.as_bytes(), "{text}");
        }
    }

    #[test]
    fn bytes_count_as_characters_where_goutils_has_it_so() {
        assert_eq!(initials("héllo éa".as_bytes()), "hÃ".as_bytes());
        assert_eq!(without_space("é".as_bytes()), "é".as_bytes());
        assert_eq!(swap_case(b"aB cD"), b"Ab Cd");
        assert_eq!(title("hello-wörld o'x".as_bytes()), "Hello-Wörld O'X".as_bytes());
    }
}
