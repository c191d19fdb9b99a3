//! Certificates.

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) cert: String,
    pub(super) key: String,
}

pub(super) const ROWS: &[crate::gotmpl::FuncSpec] = &[];
