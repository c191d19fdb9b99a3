//! Doors for fuzz targets into what is otherwise reached through a whole render.

use crate::compat::Profile;
use crate::diag::Result;

use super::UserValues;

/// Merges values; how many keys there are.
pub fn merged(values: &UserValues<'_>) -> Result<usize> {
    values.merged(Profile::default(), None).map(|map| map.len())
}
