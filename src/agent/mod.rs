//! Resolve digest, pull, decide, apply, report; `decide` is pure.
