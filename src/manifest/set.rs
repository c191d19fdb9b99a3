//! The ordered set of objects of one render.

use super::Object;

/// Objects in the order in which they are printed and applied.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// The objects.
    pub objects: Vec<Object>,
}

impl Set {
    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// True without objects.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}
