//! `.Files`: the files of a chart that are no templates.
//!
//! In: a chart's files. Out: an object with Helm's methods; `Glob` gives another one. File contents are shared, never
//! copied until a template asks for one.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;

use crate::go::glob::Glob;
use crate::gotmpl::{Args, Ctx, FuncError, Kind, List, ListType, Map, MapType, Method, Object, Str, Ty, Val};
use crate::source::Content;
use crate::yaml::{Emitter, Look};

use super::chart::File;

/// Helm's `engine.files`, a map from names to bytes.
#[derive(Debug)]
pub(crate) struct Files {
    by_name: BTreeMap<Arc<str>, Content>,
}

const METHODS: &[Method] = &[
    Method { name: "Get", params: &[Ty::Str], variadic: false },
    Method { name: "GetBytes", params: &[Ty::Str], variadic: false },
    Method { name: "Glob", params: &[Ty::Str], variadic: false },
    Method { name: "AsConfig", params: &[], variadic: false },
    Method { name: "AsSecrets", params: &[], variadic: false },
    Method { name: "Lines", params: &[Ty::Str], variadic: false },
];

impl Files {
    pub(crate) fn new(files: &[File]) -> Files {
        Files { by_name: files.iter().map(|file| (file.name.clone(), file.data.clone())).collect() }
    }

    fn get(&self, name: &[u8]) -> Option<&Arc<[u8]>> {
        std::str::from_utf8(name).ok().and_then(|name| self.by_name.get(name)).and_then(readable)
    }

    fn get_bytes(&self, name: &[u8]) -> Val {
        Val::List(self.get(name).map_or_else(|| List::typed(ListType::Bytes, Vec::new()), |data| List::of_bytes(Arc::clone(data))))
    }

    fn glob(&self, pattern: &[u8]) -> Files {
        // a pattern that cannot be read stands for every file
        let glob = std::str::from_utf8(pattern).ok().and_then(|pattern| Glob::new(pattern).ok());
        let matches = |name: &str| glob.as_ref().is_none_or(|glob| glob.is_match(name));
        let chosen = self.by_name.iter().filter(|(name, _)| matches(name));
        Files { by_name: chosen.map(|(name, data)| (name.clone(), data.clone())).collect() }
    }

    /// A YAML map from last names to texts, without the line end.
    fn as_yaml(&self, text: impl Fn(&[u8]) -> String) -> String {
        let by_last_name: BTreeMap<&str, &Content> =
            self.by_name.iter().map(|(name, data)| (name.rsplit('/').next().unwrap_or(name), data)).collect();
        let mut entries: Vec<(&str, &Content)> = by_last_name.into_iter().collect();
        crate::yaml::sort_keys(&mut entries, Look::V2, |entry| entry.0);
        let mut out = String::new();
        let mut emitter = Emitter::new(&mut out, Look::V2);
        emitter.map_start();
        for (key, data) in entries {
            emitter.key(key);
            emitter.str(&text(readable(data).map_or(&[], |data| data)));
        }
        emitter.map_end();
        // a map of texts is always printable
        let _ = emitter.finish_trimmed();
        out
    }

    fn lines(&self, name: &[u8]) -> Val {
        let Some(data) = self.get(name).filter(|data| !data.is_empty()) else {
            return Val::strings(Vec::<Str>::new());
        };
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        Val::strings(data.split(|byte| *byte == b'\n').map(Str::from))
    }
}

/// The bytes of a file. One that can be read no longer is as if it were not there; the render fails for it in the end.
fn readable(data: &Content) -> Option<&Arc<[u8]>> {
    data.bytes().ok()
}

impl Object for Files {
    fn type_name(&self) -> Cow<'_, str> {
        "engine.files".into()
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn field(&self, name: &str) -> Option<Val> {
        Some(self.get_bytes(name.as_bytes()))
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn call(self: Rc<Self>, method: &'static Method, _: &mut Ctx<'_>, args: Args<'_>) -> Result<Val, FuncError> {
        Ok(match method.name {
            "Get" => Val::Str(self.get(args.bytes(0)).map_or(Str::EMPTY, Str::from)),
            "GetBytes" => self.get_bytes(args.bytes(0)),
            "Glob" => Val::object(self.glob(args.bytes(0))),
            "AsConfig" => Val::from(self.as_yaml(crate::yaml::lossy)),
            "AsSecrets" => Val::from(self.as_yaml(|data| base64::engine::general_purpose::STANDARD.encode(data))),
            _ => self.lines(args.bytes(0)),
        })
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"map[");
        for (index, (name, data)) in self.by_name.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            let numbers: Vec<String> = readable(data).iter().flat_map(|data| data.iter()).map(u8::to_string).collect();
            out.extend_from_slice(format!("{name}:[{}]", numbers.join(" ")).as_bytes());
        }
        out.push(b']');
    }

    fn is_stringer(&self) -> bool {
        false
    }

    fn plain(&self) -> Val {
        let entries = self.by_name.keys().map(|name| (Str::new(&**name), self.get_bytes(name.as_bytes()))).collect();
        Val::Map(Map::typed(MapType::Any, entries))
    }

    fn absent(&self) -> Val {
        Val::List(List::typed(ListType::Bytes, Vec::new()))
    }

    fn truth(&self) -> bool {
        !self.by_name.is_empty()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
