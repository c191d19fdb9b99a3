//! Text to `Tree` and back, the way go-yaml does it.
