//! Where a field stands in an object: `spec.containers[name=web].ports[0]`, on both sides at once.

use std::fmt;

use crate::value::Text;

/// The way from an object's root to a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldPath {
    steps: Vec<Step>,
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a map.
    Key(Text),
    /// Into a list: the item's place on each side that has it, and its own name (`name=web`) where items have one.
    Item {
        /// Its place in the old list.
        old: Option<usize>,
        /// Its place in the new list.
        new: Option<usize>,
        /// What tells it from its neighbours.
        name: Text,
    },
    /// Into a document that a text holds.
    Inside(Format),
}

/// How a text inside a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As YAML.
    Yaml,
    /// As JSON.
    Json,
}

impl Format {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Json => "json",
        }
    }
}

impl FieldPath {
    /// This path with one more step.
    pub(crate) fn then(&self, step: Step) -> FieldPath {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        FieldPath { steps }
    }

    /// The steps.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The keys of maps on the way, places in lists left out.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        })
    }

    /// The last key on the way.
    pub(crate) fn last_key(&self) -> &str {
        self.keys().next_back().unwrap_or_default()
    }

    /// The path as people read it, without places in lists: the same for items that moved.
    pub(crate) fn shape(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, false).map_or_else(|_| String::new(), |()| text)
    }

    fn write(&self, out: &mut dyn fmt::Write, places: bool) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '/', ' ', '=']) => write!(out, "[{key}]")?,
                Step::Key(key) if at == 0 || matches!(self.steps[at - 1], Step::Inside(_)) => out.write_str(key)?,
                Step::Key(key) => write!(out, ".{key}")?,
                Step::Item { name, .. } if !name.is_empty() => write!(out, "[{name}]")?,
                Step::Item { .. } if !places => out.write_str("[]")?,
                Step::Item { old, new, .. } => match new.or(*old) {
                    Some(index) => write!(out, "[{index}]")?,
                    None => out.write_str("[]")?,
                },
                Step::Inside(_) => out.write_str(" »")?,
            }
            if matches!(step, Step::Inside(_)) && at + 1 < self.steps.len() && matches!(self.steps[at + 1], Step::Key(_)) {
                out.write_char(' ')?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true)
    }
}
