//! Go's own functions.
use super::FuncSpec;
/// Rows.
pub(super) const ROWS: &[FuncSpec] = &[];
