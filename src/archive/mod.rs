//! Tar and gzip in and out: deterministic, with limits and path confinement.
