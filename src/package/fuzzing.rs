//! A door for fuzz targets: the layers of an artifact, unpacked.

use super::pack::pack_files;
use super::{Files, Packing, unpack};
use crate::archive::LayerLimits;
use crate::oci::{Blob, media_type};

/// The paths of the files that two layers of the same bytes hold; none if they are refused.
pub fn unpacked(layer: &[u8]) -> Vec<String> {
    let limits = LayerLimits { bytes: 16 << 20, entries: 1000, path_bytes: 1000 };
    let Ok(mut artifact) = pack_files(&Files::default(), &Packing::default()) else { return Vec::new() };
    artifact.layers = vec![Blob::new(media_type::TAR, layer); 2];
    let files = unpack(&artifact, &limits).unwrap_or_default();
    files.iter().map(|(path, _)| path.to_owned()).collect()
}
