//! fmt's verbs.
/// `%q`.
pub(super) fn quote(text: &[u8]) -> String { format!("{:?}", String::from_utf8_lossy(text)) }
