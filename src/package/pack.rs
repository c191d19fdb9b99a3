//! Packing: a manifest set becomes the one artifact shape that every consumer takes.
//!
//! The shape is a format of its own, since its bytes are the artifact's identity: a change to anything here (order, names,
//! compressor, config) is a new format version and moves every digest. The golden digest below holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Files, object_path};
use crate::archive::{Sink, TarWriter, gzip_of};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, Set};
use crate::oci::{Artifact, Blob, Digest, Hasher, ImageConfig, ImageManifest, RootFs, media_type};

/// `oras pull` writes a layer only under a title; `.` with `unpack` makes it write the files themselves.
const TITLE: &str = "org.opencontainers.image.title";
const ORAS_UNPACK: &str = "io.deis.oras.content.unpack";
const ORAS_DIGEST: &str = "io.deis.oras.content.digest";

/// How to pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packing {
    /// Annotations of the manifest; part of the digest.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Flux's own media types instead of the portable ones; Argo CD refuses them at its defaults.
    pub(crate) flux: bool,
}

/// Packs a set, one file an object.
///
/// Fails with `package-empty`, `package-duplicate` (two objects of one identity) or `package-no-name`.
pub(crate) fn pack(set: &Set, packing: &Packing) -> Result<Artifact> {
    if set.is_empty() {
        let fault = Diagnostic::input("package-empty", "there are no objects to pack");
        return Err(Box::new(fault.hint("check that the source renders objects: `hydrant build SOURCE`")));
    }
    let mut by_path: BTreeMap<String, &Object> = BTreeMap::new();
    for object in &set.objects {
        if object.id.name.is_empty() {
            let text = format!("`{}` has no name", object.id);
            let fault = Diagnostic::input("package-no-name", text).trail(format!("from {}", object.origin.file), None);
            return Err(Box::new(fault.hint("set `metadata.name`: an object with `generateName` would be made anew at each sync")));
        }
        if let Some(first) = by_path.insert(object_path(&object.id), object) {
            return Err(duplicate(first, object));
        }
    }
    let files = by_path.into_iter().map(|(path, object)| (path, text_of(object)));
    pack_files(&Files::new(files.collect())?, packing)
}

/// Packs files as they are.
pub(crate) fn pack_files(files: &Files, packing: &Packing) -> Result<Artifact> {
    let (diff_id, packed) = layer(files);
    let (layer_type, config_type) =
        if packing.flux { (media_type::FLUX_LAYER, media_type::FLUX_CONFIG) } else { (media_type::TAR_GZIP, media_type::CONFIG) };
    let mut layer = Blob::new(layer_type, packed);
    layer.descriptor.annotations = BTreeMap::from([
        (TITLE.to_owned(), ".".to_owned()),
        (ORAS_UNPACK.to_owned(), "true".to_owned()),
        (ORAS_DIGEST.to_owned(), diff_id.to_string()),
    ]);
    let config = ImageConfig {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![diff_id] },
    };
    let config =
        serde_json::to_vec(&config).map_err(|fault| Box::new(Diagnostic::bug("package-json", fault.to_string())))?;
    let config = Blob::new(config_type, config);
    let image = ImageManifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: config.descriptor.clone(),
        layers: vec![layer.descriptor.clone()],
        subject: None,
        annotations: packing.annotations.clone(),
    };
    Artifact::new(image, config, vec![layer])
}

/// The tar of the files: its digest, and itself packed while it is written.
fn layer(files: &Files) -> (Digest, Vec<u8>) {
    let mut digest = Hasher::default();
    let packed = gzip_of(|sink| {
        let mut tar = TarWriter::to(Both { digest: &mut digest, sink });
        let mut folders_written = BTreeSet::new();
        for (path, bytes) in files.iter() {
            for (cut, _) in path.match_indices('/') {
                if folders_written.insert(&path[..cut]) {
                    tar.folder(&path[..cut]);
                }
            }
            tar.file(path, bytes);
        }
        tar.finish();
    });
    (digest.finish(), packed)
}

/// Hashes what it hands on.
struct Both<'a> {
    digest: &'a mut Hasher,
    sink: &'a mut dyn Sink,
}

impl Sink for Both<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.sink.put(bytes);
    }
}

/// The object's text in an artifact: printed from its value, so that comments and quoting move no digest.
fn text_of(object: &Object) -> Arc<[u8]> {
    object.canonical().into()
}

fn duplicate(first: &Object, second: &Object) -> Box<Diagnostic> {
    let text = if (&first.id.group, &first.id.kind, &first.id.name) == (&second.id.group, &second.id.kind, &second.id.name) {
        format!("`{}` is there twice", second.id)
    } else {
        format!("`{}` and `{}` would share a file", first.id, second.id)
    };
    let mut fault = Diagnostic::input("package-duplicate", text);
    for object in [first, second] {
        if !object.origin.file.is_empty() {
            fault = fault.trail(format!("from {}", object.origin.file), None);
        }
    }
    Box::new(fault.hint("remove or rename one of the two: a cluster can hold only one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{LayerLimits, decompress, read_tar};

    fn files(paths: &[(&str, &str)]) -> Files {
        let files = paths.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes())));
        Files::new(files.collect()).expect("no clash")
    }

    fn artifact() -> Artifact {
        let files = files(&[
            ("_cluster/Namespace-shop.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"),
            ("shop/ConfigMap-a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\n"),
            ("shop/deep/x.yaml", "x: 1\n"),
        ]);
        pack_files(&files, &Packing::default()).expect("packs")
    }

    #[test]
    fn the_digest_of_a_fixed_set_never_moves() {
        let artifact = artifact();
        assert_eq!(artifact.digest.to_string(), "sha256:6f7683a76af6dd6690d0160d999c69b0e9b3020606da135b327e8863249aa835");
    }

    #[test]
    fn folders_come_before_their_files_and_everything_is_described() {
        let artifact = artifact();
        let layer = &artifact.layers[0];
        layer.descriptor.verify(&layer.bytes).expect("described");
        let tar = decompress(&layer.bytes, &LayerLimits::default()).expect("gzip");
        let config: ImageConfig = serde_json::from_slice(&artifact.config.as_ref().expect("packed").bytes).expect("JSON");
        assert_eq!(config.rootfs.diff_ids, [Digest::of(&tar)]);
        let mut paths = Vec::new();
        read_tar(&tar[..], &LayerLimits::default(), |entry| {
            paths.push(entry.path);
            Ok(())
        })
        .expect("a tar");
        let wanted =
            ["_cluster/", "_cluster/Namespace-shop.yaml", "shop/", "shop/ConfigMap-a.yaml", "shop/deep/", "shop/deep/x.yaml"];
        assert_eq!(paths, wanted);
    }

    #[test]
    fn annotations_and_flavour_are_part_of_the_digest() {
        let files = files(&[("a.yaml", "a: 1\n")]);
        let plain = pack_files(&files, &Packing::default()).expect("packs");
        let annotations = BTreeMap::from([("org.example.team".to_owned(), "shop".to_owned())]);
        let annotated = pack_files(&files, &Packing { annotations, flux: false }).expect("packs");
        let flux = pack_files(&files, &Packing { flux: true, ..Packing::default() }).expect("packs");
        assert_ne!(plain.digest, annotated.digest);
        assert_ne!(plain.digest, flux.digest);
        assert_eq!(plain.layers[0].bytes, flux.layers[0].bytes);
    }

    #[test]
    fn a_sibling_that_sorts_before_the_slash_does_not_misplace_a_folder() {
        let artifact = pack_files(&files(&[("a-b/x", ""), ("a/x", ""), ("a.txt", "")]), &Packing::default()).expect("packs");
        let tar = decompress(&artifact.layers[0].bytes, &LayerLimits::default()).expect("gzip");
        let mut seen = BTreeSet::new();
        read_tar(&tar[..], &LayerLimits::default(), |entry| {
            let path = entry.path.trim_end_matches('/').to_owned();
            if let Some((folder, _)) = path.rsplit_once('/') {
                assert!(seen.contains(folder), "{path} came before its folder");
            }
            seen.insert(path);
            Ok(())
        })
        .expect("a tar");
        assert_eq!(seen.len(), 5);
    }

    fn set(text: &str) -> Set {
        Set::parse(&crate::diag::SourceText::new("all.yaml", text)).expect("objects")
    }

    fn config_map(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\n")
    }

    #[test]
    fn order_comments_and_quoting_move_no_digest() {
        let names = ["a", "b", "c", "d"];
        let digest = |text: &str| pack(&set(text), &Packing::default()).expect("packs").digest;
        let forwards = names.map(config_map).join("---\n");
        let mut backwards = names.map(config_map);
        backwards.reverse();
        assert_eq!(digest(&forwards), digest(&backwards.join("---\n")));
        assert_eq!(digest(&forwards), digest(&format!("# all\n{}", forwards.replace("name: a,", "\"name\": 'a',"))));
        assert_ne!(digest(&forwards), digest(&forwards.replace("name: a,", "name: e,")));
    }

    const FIXED: [&str; 4] = [
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {größe: 'yes', n: \"1\"}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 3}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:web'}\nrules: []\n",
    ];

    #[test]
    fn the_digest_of_fixed_objects_never_moves_in_any_order_on_any_thread() {
        let wanted = "sha256:2683fcd8fe8e065e14d43dbd948d060c6fb58aac63fc13adf2730c39825c9bb2";
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    let mut state: u64 = 0x9e37_79b9_7f4a_7c15 ^ thread;
                    for _ in 0..250 {
                        let mut documents = FIXED;
                        for at in (1..documents.len()).rev() {
                            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                            documents.swap(at, ((state >> 33) % (at as u64 + 1)) as usize);
                        }
                        let artifact = pack(&set(&documents.join("---\n")), &Packing::default()).expect("packs");
                        assert_eq!(artifact.digest.to_string(), wanted);
                    }
                });
            }
        });
    }

    #[test]
    fn sets_that_no_cluster_can_hold_are_refused_by_name() {
        let fault = |text: &str| pack(&set(text), &Packing::default()).expect_err("refused");
        assert_eq!(fault("").code, "package-empty");
        let twice = fault(&format!("{}---\n{}", config_map("a"), config_map("a")));
        assert_eq!(twice.code, "package-duplicate");
        assert!(twice.message.contains("ConfigMap shop/a"), "{twice}");
        let nameless = fault("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n");
        assert_eq!(nameless.code, "package-no-name");
    }
}
