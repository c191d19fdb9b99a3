//! Kustomizations: loading, generators, transformers, patches; tree to manifests.
