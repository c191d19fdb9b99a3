//! Versions and constraints as Masterminds/semver v3.5 (which Helm uses) reads, compares and prints them.
//!
//! In: version and constraint texts. Out: [`Version`] (loose or strict), [`Constraints`] with [`Constraints::check`], and
//! the library's own error texts as strings. Leaves out what Helm never calls (`Validate`'s reasons, SQL and JSON hooks).

mod constraint;
mod version;

pub use constraint::Constraints;
pub use version::Version;
