//! Digests, references, descriptors and manifests of OCI images; pure, no network.
