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


use crate::gotmpl::{FuncSpec, FuncTable};

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

/// The table that Helm's templates are compiled and run with: Go's own functions and all of [`rows`].
pub fn table() -> FuncTable {
    FuncTable::new(rows())
}
