//! Go's `path` package over slash-separated byte paths: clean, base, dir, ext, absolute.
//!
//! Purely lexical: nothing is looked up. `filepath` is the same on the systems that Helm's answers are recorded on.

/// `path.Clean`: the shortest equivalent path; the empty path is `.`.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut out: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if out.last().is_some_and(|last| *last != b"..") => {
                out.pop();
            }
            b".." if rooted => {}
            _ => out.push(part),
        }
    }
    let body = out.join(&b'/');
    match (rooted, body.is_empty()) {
        (true, _) => [b"/", body.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => body,
    }
}

/// `path.Base`: the last element without trailing slashes; `.` of nothing, `/` of slashes alone.
pub fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    if end == 0 {
        return b"/";
    }
    let start = path[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    &path[start..end]
}

/// `path.Dir`: all but the last element, cleaned.
pub fn dir(path: &[u8]) -> Vec<u8> {
    clean(&path[..path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)])
}

/// `path.Ext`: from the last dot of the last element on; empty without one.
pub fn ext(path: &[u8]) -> &[u8] {
    let start = path.iter().rposition(|byte| matches!(byte, b'/' | b'.'));
    match start {
        Some(at) if path[at] == b'.' => &path[at..],
        _ => b"",
    }
}

/// `path.IsAbs`.
pub fn is_abs(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_lexically() {
        for (path, want) in [
            ("", "."),
            ("a//b/./c/..", "a/b"),
            ("/../a", "/a"),
            ("../../a/..", "../.."),
            ("/", "/"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }

    #[test]
    fn pieces_of_a_path() {
        assert_eq!((base(b""), base(b"//"), base(b"/a/b/")), (&b"."[..], &b"/"[..], &b"b"[..]));
        assert_eq!((dir(b"/a/b/"), dir(b"a"), dir(b"/a")), (b"/a/b".to_vec(), b".".to_vec(), b"/".to_vec()));
        assert_eq!((ext(b"a.tar.gz"), ext(b"a.b/c"), ext(b".x")), (&b".gz"[..], &b""[..], &b".x"[..]));
        assert!(is_abs(b"/a") && !is_abs(b"a"));
    }
}
