//! From a case that differs to the smallest one that still does, in the smallest world.

use crate::charts::{self, Answers, Tool};
use crate::tree::Case;
use crate::world::World;

/// Cases tried before the shrinking stops.
const TRIES_MAX: usize = 400;

/// The smallest case found, with both answers. Without a case, what differs is what the world prints.
pub(crate) fn smallest(case: Option<&Case>, world: &World) -> String {
    let mut best = (case.cloned(), world.clone());
    let mut tries = 0;
    'smaller: loop {
        let mut candidates = Vec::new();
        candidates.extend(best.1.simpler().into_iter().map(|world| (best.0.clone(), world)));
        if let Some(case) = &best.0 {
            candidates.extend(case.simpler().into_iter().map(|case| (Some(case), best.1.clone())));
        }
        candidates.sort_by_key(size);
        for candidate in candidates.into_iter().filter(|candidate| size(candidate) < size(&best)) {
            tries += 1;
            if tries > TRIES_MAX {
                break 'smaller;
            }
            if differs(candidate.0.as_ref(), &candidate.1) {
                best = candidate;
                continue 'smaller;
            }
        }
        break;
    }
    let (case, world) = best;
    let text = case.map_or_else(|| "the world".to_owned(), |case| case.text());
    format!(
        "differs: {text}\n   in {world:?}\n   helm:    {}\n   hydrant: {}",
        shown(&text, &world, &Tool::Helm),
        shown(&text, &world, &Tool::Hydrant)
    )
}

fn size(candidate: &(Option<Case>, World)) -> usize {
    candidate.0.as_ref().map_or(0, |case| case.text().len()) + candidate.1.size()
}

fn shown(text: &str, world: &World, tool: &Tool) -> String {
    let answers = charts::answers(&[text.to_owned()], world, tool);
    let case =
        answers.cases[0].as_ref().map_or("fails".into(), |bytes| format!("{:?}", String::from_utf8_lossy(bytes)));
    format!("{case}, the world {}", answers.world.map_or("fails".into(), |text| format!("{text:?}")))
}

fn differs(case: Option<&Case>, world: &World) -> bool {
    let texts: Vec<String> = case.map(Case::text).into_iter().collect();
    let theirs = charts::answers(&texts, world, &Tool::Helm);
    let ours = charts::answers(&texts, world, &Tool::Hydrant);
    let part = |answers: &Answers| {
        if case.is_some() { answers.cases[0].clone() } else { answers.world.clone().map(String::into_bytes) }
    };
    part(&ours) != part(&theirs) && charts::is_steady(&texts, world, &theirs)
}
