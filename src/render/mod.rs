//! The front door: which kind of source is this, and the chain that renders it.
