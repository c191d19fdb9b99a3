//! Who writes against us: objects that somebody changes back as often as they are put right.
//!
//! A few corrections come at once. From then on each waits longer, and the fight is reported; an object that is left
//! in peace for a while is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::report::Held;
use super::rsync::Finding;
use crate::cluster::Key;

/// Corrections of one object within [`WINDOW`] that are no fight yet.
const CORRECTIONS_MAX: u32 = 5;
/// How long a correction is remembered.
const WINDOW: Duration = Duration::from_secs(60);
/// Pause before the first correction of a fight; it doubles.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Fight {
    corrections: u32,
    last: Instant,
    pause: Duration,
    /// The correction that is put off, and until when.
    until: Option<Instant>,
}

/// All fights of one sync.
#[derive(Debug, Default)]
pub(super) struct Fights {
    fights: BTreeMap<Key, Fight>,
}

impl Fights {
    /// Which of the objects that drifted, and of those put off, are to be put right now.
    pub(super) fn admit(&mut self, drifted: BTreeSet<Key>, now: Instant) -> BTreeSet<Key> {
        self.fights
            .retain(|_, fight| fight.until.is_some() || now.duration_since(fight.last) < WINDOW.max(fight.pause * 2));
        let mut admitted = BTreeSet::new();
        for key in drifted {
            match self.fights.get_mut(&key).filter(|fight| fight.corrections >= CORRECTIONS_MAX) {
                None => drop(admitted.insert(key)),
                Some(fight) if fight.until.is_none() => {
                    fight.until = Some(now + fight.pause);
                    fight.pause = (fight.pause * 2).min(PAUSE_MAX);
                }
                Some(_) => {}
            }
        }
        for (key, fight) in &mut self.fights {
            if fight.until.is_some_and(|until| now >= until) {
                fight.until = None;
                admitted.insert(key.clone());
            }
        }
        admitted
    }

    /// Notes that objects were put right.
    pub(super) fn corrected(&mut self, held: &BTreeMap<Key, Held>, keys: &BTreeSet<Key>, now: Instant) {
        for key in keys.iter().filter(|key| held.contains_key(key)) {
            let fresh = Fight { corrections: 0, last: now, pause: PAUSE, until: None };
            let fight = self.fights.entry(key.clone()).or_insert(fresh);
            fight.corrections += 1;
            fight.last = now;
        }
    }

    /// The fights, as errors.
    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        let fights = self.fights.iter().filter(|(_, fight)| fight.corrections > CORRECTIONS_MAX);
        fights.map(|(key, fight)| Finding {
            code: "2005",
            message: format!(
                "`{key}` was put right {} times in short order: something else keeps changing it; Hydrant waits longer each time",
                fight.corrections
            ),
            object: Some(Box::new(key.clone())),
        })
    }

    /// When the next correction is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.fights.values().filter_map(|fight| fight.until).min()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a fight is a matter of time")]
mod tests {
    use super::*;
    use crate::agent::kstatus::Readiness;

    #[test]
    fn a_fight_is_put_off_and_told_of() {
        let key = Key::new("", "ConfigMap", "a", "b");
        let keys = BTreeSet::from([key.clone()]);
        let held = BTreeMap::from([(key, Held { print: 1, readiness: Readiness::Current })]);
        let (mut fights, now) = (Fights::default(), Instant::now());
        for _ in 0..CORRECTIONS_MAX {
            assert_eq!(fights.admit(keys.clone(), now), keys);
            fights.corrected(&held, &keys, now);
        }
        assert!(fights.admit(keys.clone(), now).is_empty(), "it waits");
        assert_eq!(fights.due(), Some(now + PAUSE));
        assert_eq!(fights.admit(BTreeSet::new(), now + PAUSE), keys, "its time has come");
        fights.corrected(&held, &keys, now + PAUSE);
        assert_eq!(fights.findings().count(), 1);
        assert!(fights.admit(keys, now + PAUSE).is_empty());
        assert_eq!(fights.due(), Some(now + PAUSE * 3));
        assert_eq!(fights.admit(BTreeSet::new(), now + PAUSE * 3).len(), 1);
        assert!(fights.admit(BTreeSet::new(), now + WINDOW * 10).is_empty());
        assert_eq!(fights.findings().count(), 0, "left in peace");
    }
}
