//! Where a field stands in an object: `spec.containers[name=web].ports[0]`.

use std::fmt;

use crate::value::Text;

/// The way from an object's root to a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FieldPath {
    steps: Vec<Step>,
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a map.
    Key(Text),
    /// Into a list, by place.
    Index(usize),
    /// Into a list, by the item's own name under a key.
    Item(&'static str, Text),
}

impl FieldPath {
    /// This path with one more step.
    pub(crate) fn then(&self, step: Step) -> FieldPath {
        let mut steps = self.steps.clone();
        steps.push(step);
        FieldPath { steps }
    }

    /// The key of the first step, if there is one.
    pub(crate) fn root(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '[', '/']) => write!(f, "[{key}]")?,
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Item(key, name) => write!(f, "[{key}={name}]")?,
            }
        }
        Ok(())
    }
}
