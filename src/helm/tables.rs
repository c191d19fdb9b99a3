//! The type of `.Values`, of `.Template` and of the data that templates start from: a Go map with methods.
//!
//! In: a map and a method that a template calls on it. Out: what Helm's method gives: the values as YAML, as a plain map
//! (which some functions ask for), or what stands at a dotted path.

use crate::compat::Profile;
use crate::funcs;
use crate::gotmpl::{Args, FuncError, Map, MapType, Method, NamedMap, Ty, Val};

use super::dependencies::table_at;

const METHODS: &[Method] = &[
    Method { name: "AsMap", params: &[], variadic: false },
    Method { name: "Encode", params: &[Ty::Named("io.Writer")], variadic: false },
    Method { name: "PathValue", params: &[Ty::Str], variadic: false },
    Method { name: "Table", params: &[Ty::Str], variadic: false },
    Method { name: "YAML", params: &[], variadic: false },
];

static HELM_4: NamedMap = NamedMap { name: "common.Values", methods: METHODS, call };
static HELM_3: NamedMap = NamedMap { name: "chartutil.Values", methods: METHODS, call };

/// The type.
pub(crate) fn values_type(profile: Profile) -> MapType {
    MapType::Named(if profile.chart_is_map() { &HELM_4 } else { &HELM_3 })
}

fn call(map: &Map, method: &'static Method, args: Args<'_>) -> Result<Val, FuncError> {
    let path = args.str(0);
    let path = path.to_str_lossy();
    match method.name {
        "AsMap" => Ok(map.clone().retyped(MapType::Any).into()),
        "YAML" => Ok(funcs::marshalled(&Val::Map(map.clone()))?),
        "Table" => {
            let missing = path.split('.').scan(map.clone(), |table, key| {
                let inner = table_at(table, key);
                Some(inner.map_or(Some(key), |inner| {
                    *table = inner;
                    None
                }))
            });
            match missing.flatten().next() {
                Some(key) => Err(format!("{key:?} is not a table").into()),
                None => Ok(table_at(map, &path).unwrap_or_default().retyped(map.ty()).into()),
            }
        }
        "PathValue" if path.is_empty() => Err("YAML path cannot be empty".into()),
        "PathValue" => {
            let (tables, key) = path.rsplit_once('.').map_or((None, &*path), |(tables, key)| (Some(tables), key));
            let table = tables.map_or_else(|| Some(map.clone()), |tables| table_at(map, tables));
            let value = table.and_then(|table| table.get(key)).filter(|value| value.as_map().is_none());
            value.ok_or_else(|| format!("{key:?} is not a value").into())
        }
        // nothing that a template can hold is a writer
        _ => Err(format!("{} needs a writer", method.name).into()),
    }
}
