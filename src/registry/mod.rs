//! Push, pull, image layout, auth, retry; every reader verifies digest and size.
