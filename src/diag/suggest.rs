//! "Did you mean": the nearest of some known names.

/// The candidate nearest to `typed`, if it is near enough to be what was meant.
///
/// Near enough is an edit distance of at most a third of the longer name, and never more than three.
pub fn did_you_mean<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|name| {
            let distance = edit_distance(typed, name);
            let allowed = (typed.len().max(name.len()) / 3).clamp(1, 3);
            (distance > 0 && distance <= allowed).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance where swapping two neighbours counts once. Names over 64 bytes are never near.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(!a[i - 1].eq_ignore_ascii_case(&b[j - 1]));
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_wins_and_far_names_do_not() {
        assert_eq!(did_you_mean("namspace", ["namePrefix", "namespace", "resources"]), Some("namespace"));
        assert_eq!(did_you_mean("imgaes", ["images", "labels"]), Some("images"));
        assert_eq!(did_you_mean("zzz", ["images", "labels"]), None);
        assert_eq!(did_you_mean("images", ["images"]), None, "an exact name needs no advice");
    }
}
