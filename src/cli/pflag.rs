//! How Helm's command line reads the values of flags: booleans in Go's spellings, lists as a line of CSV, durations.
//!
//! In: what stands behind a flag. Out: the value, or why Helm would refuse it.

/// Go's `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

/// The items of a list flag: a line of CSV, so that an item in quotes may hold commas. An empty text is no item.
pub(super) fn list(text: &str) -> Result<List, String> {
    let line = text.trim_start_matches(['\r', '\n']).split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut items = Vec::new();
    let mut rest = line;
    while !rest.is_empty() || !items.is_empty() {
        let (item, after) = if let Some(quoted) = rest.strip_prefix('"') {
            in_quotes(quoted)?
        } else {
            let (item, after) = rest.split_once(',').map_or((rest, None), |(item, after)| (item, Some(after)));
            if item.contains('"') {
                return Err(format!("`{item}` has quotes that do not begin it"));
            }
            (item.to_owned(), after)
        };
        items.push(item);
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    Ok(List(items))
}

/// The items of one use of a list flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List(pub(super) Vec<String>);

/// An item up to its closing quotes, and what stands behind the comma after it.
fn in_quotes(mut rest: &str) -> Result<(String, Option<&str>), String> {
    let mut item = String::new();
    loop {
        let Some((part, after)) = rest.split_once('"') else { return Err("quotes are not closed".to_owned()) };
        item.push_str(part);
        match after.as_bytes().first() {
            None => return Ok((item, None)),
            Some(b',') => return Ok((item, Some(&after[1..]))),
            Some(b'"') => {
                item.push('"');
                rest = &after[1..];
            }
            Some(_) => return Err("something stands right behind closing quotes".to_owned()),
        }
    }
}

/// Checks a duration: `1h30m`, `-1.5s`, `0`.
pub(super) fn duration(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no duration such as 5m30s");
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(text.to_owned());
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let number = &rest[..digits];
        if number.matches('.').count() > 1 || !number.contains(|c: char| c.is_ascii_digit()) {
            return Err(wrong());
        }
        rest = &rest[digits..];
        let unit = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"]
            .into_iter()
            .find(|unit| rest.strip_prefix(unit).is_some_and(|after| !after.starts_with(char::is_alphabetic)));
        rest = unit.and_then(|unit| rest.strip_prefix(unit)).ok_or_else(wrong)?;
    }
    Ok(text.to_owned())
}

/// Checks one use of a flag of labels: `a=b,c=d`.
pub(super) fn labels(text: &str) -> Result<List, String> {
    let List(pairs) = if text.contains('"') { list(text)? } else { List(text.split(',').map(str::to_owned).collect()) };
    let pairs: Vec<String> = pairs.into_iter().filter(|pair| !(pair.is_empty() && text.is_empty())).collect();
    match pairs.iter().find(|pair| !pair.contains('=')) {
        Some(pair) => Err(format!("`{pair}` must be formatted as key=value")),
        None => Ok(List(pairs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_lines_of_csv() {
        let items = |text| list(text).expect("CSV").0;
        assert_eq!(items("a,b"), ["a", "b"]);
        assert_eq!(items(r#""a,b",c,"d""e""#), ["a,b", "c", "d\"e"]);
        assert_eq!(items("a,"), ["a", ""]);
        assert_eq!(items(" a"), [" a"]);
        assert!(items("").is_empty());
        for text in [r#"a"b"#, r#""a"#, r#""a"b"#] {
            assert!(list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn booleans_durations_and_labels_as_go_reads_them() {
        assert_eq!((boolean("T"), boolean("0")), (Ok(true), Ok(false)));
        assert!(boolean("yes").is_err());
        for text in ["5m", "1h30m5.5s", "-.5s", "0", "+0", "100µs"] {
            assert!(duration(text).is_ok(), "{text}");
        }
        for text in ["", "5", "x", "5 m", "1.2.3s", "5minutes", "s", "."] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(labels("a=b,c=").expect("pairs").0, ["a=b", "c="]);
        assert!(labels("a").is_err());
    }
}
