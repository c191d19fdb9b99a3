//! Tar and gzip in and out: deterministic, with limits and path confinement.
//!
//! Out: [`TarWriter`] and [`gzip()`] make the same bytes from the same entries on every machine and in every release.
//! In: [`chart_files`] reads a packed chart as Helm does; [`read_layer`] and [`confine`] read the layers of
//! anyone's artifact. Neither trusts a word of an archive, and nothing here touches the disk.

mod compress;
mod gzip;
mod headers;
mod layer;
mod read;
mod write;

pub(crate) use compress::Compression;
pub use gzip::gzip;
pub(crate) use gzip::{Sink, gzip_of};
pub(crate) use layer::{EntryKind, LayerEntry, LayerLimits, confine, is_tar, read_layer};
pub use read::{Limits, chart_files, looks_gzipped};
pub(crate) use write::TarWriter;
#[cfg(test)]
pub(crate) use {compress::decompress, layer::read_tar};
