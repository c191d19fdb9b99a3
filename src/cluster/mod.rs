//! Server-side apply, read, prune: one small trait, the real client, a folder target.
