//! Path arithmetic on absolute `/`-separated paths, as Go's `path` package does it; touches no disk.

/// The shortest path naming the same thing: no `.`, no `//`, `..` resolved by text, no `/` at the end.
///
/// ```
/// use hydrant::source::clean;
/// assert_eq!(clean("/a/./b//../c/"), "/a/c");
/// assert_eq!(clean("/../a"), "/a");
/// assert_eq!(clean("../a/.."), "..");
/// assert_eq!(clean(""), ".");
/// ```
pub fn clean(path: &str) -> String {
    if is_clean(path) {
        return path.to_owned();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// True where [`clean`] changes nothing, as for most paths.
fn is_clean(path: &str) -> bool {
    let parts = path.strip_prefix('/').unwrap_or(path);
    (path == "/") || parts.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// `path` seen from the folder `base`; an absolute `path` stands for itself.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') { clean(path) } else { clean(&format!("{base}/{path}")) }
}

/// The folder that holds `path`; `/` holds itself.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

/// The last part of `path`; all of it where it has one part only.
pub fn base_name(path: &str) -> &str {
    &path[path.rfind('/').map_or(0, |at| at + 1)..]
}

/// `path` as seen from `base`, both absolute and clean, with `..` where needed.
pub fn relative(base: &str, path: &str) -> String {
    fn split(text: &str) -> Vec<&str> {
        text.split('/').filter(|part| !part.is_empty()).collect()
    }
    let (base, path) = (split(base), split(path));
    let shared = base.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", base.len() - shared);
    let parts: Vec<&str> = up.chain(path[shared..].iter().copied()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_goes_up_only_as_far_as_needed() {
        assert_eq!(relative("/a/b", "/a/c/d"), "../c/d");
        assert_eq!(relative("/a", "/a"), ".");
        assert_eq!(join("/a/b", "../x.yaml"), "/a/x.yaml");
        assert_eq!(parent("/a"), "/");
    }
}
