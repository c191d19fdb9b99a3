//! From a case that differs to the smallest one that still does.

use crate::charts::{self, Tool};
use crate::grammar::Row;
use crate::tree::Case;

/// Cases tried before the shrinking stops.
const TRIES_MAX: usize = 400;

/// The smallest case found, with both answers.
pub(crate) fn smallest(case: &Case, _functions: &[Row]) -> String {
    let mut best = case.clone();
    let mut tries = 0;
    'smaller: loop {
        let mut candidates = best.simpler();
        candidates.sort_by_key(|case| case.text().len());
        for candidate in candidates {
            tries += 1;
            if tries > TRIES_MAX {
                break 'smaller;
            }
            if candidate.text().len() < best.text().len() && differs(&candidate.text()) {
                best = candidate;
                continue 'smaller;
            }
        }
        break;
    }
    let text = best.text();
    let answer = |tool| charts::answers(std::slice::from_ref(&text), tool).pop().flatten();
    let shown = |answer: Option<Vec<u8>>| {
        answer.map_or("fails".into(), |bytes| format!("{:?}", String::from_utf8_lossy(&bytes)))
    };
    format!("differs: {text}\n   helm:    {}\n   hydrant: {}", shown(answer(Tool::Helm)), shown(answer(Tool::Hydrant)))
}

fn differs(text: &str) -> bool {
    let text = [text.to_owned()];
    let theirs = charts::answers(&text, Tool::Helm);
    charts::answers(&text, Tool::Hydrant) != theirs && charts::is_steady(&text[0], theirs[0].as_deref())
}
