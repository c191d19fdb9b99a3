//! A manifest set to an OCI artifact and back, byte for byte reproducible.
