//! The functions that templates may call, one table row each: sprig v3.3 but `env` and `expandenv`, and Helm's own.
//!
//! In: arguments that the engine has checked against the row's types. Out: values, or errors with Go's texts (a panic of the Go code
//! included). Pure: the clock, randomness and hosts' addresses come from the render's [`Host`](crate::gotmpl::Host), randomness
//! through [`entropy`] alone. Leaves alone what needs the engine or a cluster beyond that: those rows hand over at once.
//!
//! Add a function as a row of its group's `ROWS`; [`rows`] gives them all.

mod cast;
mod certificates;
mod data;
mod dates;
mod decimal;
mod der;
mod defaults;
mod dicts;
mod encoding;
mod engine;
mod entropy;
mod keys;
mod lists;
mod math;
mod merge;
mod paths;
mod random;
mod reflection;
mod regexes;
mod secrets;
mod strings;
mod text;
mod times;
mod toml;
mod toml_fault;
mod urls;
mod versions;
mod words;

use crate::compat::Profile;
use crate::gotmpl::{FuncError, FuncSpec, FuncTable, Val};

/// Every row, by group.
pub fn rows() -> impl Iterator<Item = FuncSpec> {
    [
        strings::ROWS,
        lists::ROWS,
        dicts::ROWS,
        math::ROWS,
        defaults::ROWS,
        reflection::ROWS,
        data::ROWS,
        toml::ROWS,
        dates::ROWS,
        regexes::ROWS,
        versions::ROWS,
        encoding::ROWS,
        secrets::ROWS,
        certificates::ROWS,
        random::ROWS,
        paths::ROWS,
        urls::ROWS,
        engine::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Helm's own functions, which sprig does not have.
const HELMS_OWN: &[&str] = &[
    "toToml", "fromToml", "toYaml", "toYamlPretty", "fromYaml", "fromYamlArray", "fromJsonArray", "include", "tpl", "required", "lookup",
];

/// Those that came with Helm 4.
const SINCE_HELM_4: &[&str] = &["mustToYaml"];

/// Those that came after Helm 4.1.
const AFTER_HELM_4_1: &[&str] = &[
    "mustToToml",
    "mustToDuration",
    "durationSeconds",
    "durationMilliseconds",
    "durationMicroseconds",
    "durationNanoseconds",
    "durationMinutes",
    "durationHours",
    "durationDays",
    "durationWeeks",
    "durationRoundTo",
    "durationTruncateTo",
];

/// The table that Helm's templates are compiled and run with: Go's own functions and those of [`rows`] that this Helm has.
pub fn table(profile: Profile) -> FuncTable {
    let missing = |name: &str| {
        !profile.must_to_yaml_known() && SINCE_HELM_4.contains(&name)
            || !profile.durations_known() && AFTER_HELM_4_1.contains(&name)
    };
    FuncTable::new(rows().filter(|row| !missing(row.name)))
}

/// The functions that a template for a release's name may call: Go's and sprig's.
pub fn sprig() -> FuncTable {
    let own = [HELMS_OWN, SINCE_HELM_4, AFTER_HELM_4_1];
    FuncTable::new(rows().filter(|row| !own.iter().any(|names| names.contains(&row.name))))
}

/// A value as `sigs.k8s.io/yaml` marshals it, with the line end that `toYaml` takes off.
pub fn marshalled(value: &Val) -> Result<Val, FuncError> {
    Ok((data::to_yaml(value)? + "\n").into())
}
