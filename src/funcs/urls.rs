//! URLs as dicts, and addresses of hosts.

use crate::go::url::Url;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Kind, Map, Ty, Val};

type Answer = Result<Val, FuncError>;

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("urlParse", &[Ty::Str], parse),
    FuncSpec::fixed("urlJoin", &[Ty::Map], join),
    FuncSpec::fixed("getHostByName", &[Ty::Str], |ctx, args| {
        Ok(ctx.host().host_address(&args.str(0).to_str_lossy())?.into())
    }),
];

fn parse(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let url = Url::parse(args.bytes(0)).map_err(|fault| format!("unable to parse url: {fault}"))?;
    let map = Map::new();
    map.set("hostname", Val::str(url.hostname()));
    map.set("userinfo", url.userinfo());
    map.set("scheme", url.scheme);
    map.set("host", url.host);
    map.set("path", url.path);
    map.set("query", url.query);
    map.set("opaque", url.opaque);
    map.set("fragment", url.fragment);
    Ok(map.into())
}

fn join(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let part = |key: &str| match args.map(0).and_then(|map| map.get(key)) {
        None => Ok(Vec::new()),
        Some(Val::Str(text)) => Ok(text.as_bytes().to_vec()),
        Some(Val::Nil) => Err(FuncError::new(super::lists::NIL_DEREFERENCE)),
        Some(other) => match (other.kind(), &other) {
            (Kind::String, Val::Object(object)) => Ok(super::text::strval(&object.plain()).as_bytes().to_vec()),
            (kind, _) => {
                let kind = kind.name();
                Err(FuncError::new(format!("unable to parse {key} key, must be of type string, but {kind} found")))
            }
        },
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let probe = [b"proto://", user.as_slice(), b"@host"].concat();
        let parsed = Url::parse(&probe).map_err(|fault| format!("unable to parse userinfo in dict: {fault}"))?;
        url.user = parsed.user;
    }
    Ok(url.text().into())
}
