//! The functions that templates may call, one table row each.
