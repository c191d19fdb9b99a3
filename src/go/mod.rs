//! Go's ways that several rooms need: RE2 syntax, Masterminds semver, float and JSON printing, globs, path rules.
