//! The functions that Kubernetes adds to CEL: lists, regular expressions, URLs, quantities, addresses, formats, versions, sets.
//!
//! In: values. Out: values, or the words of a fault. Each row of [`declare`] is a function; one that several kinds of values
//! have looks at its first argument. The names and their meanings are those of Kubernetes' documentation of its CEL libraries.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use cel::common::types::DYN_TYPE;
use cel::common::value::{CowVal, Val};
use cel::objects::{Key, Map, Opaque, OptionalValue};
use cel::{DeclarationError, Env, ExecutionError, Value, extensions};

use super::loops::{FROM_PAIRS, PAIRS};
use crate::check::names;
use crate::go::re2::Regex;
use crate::go::url::Url;

/// A value of a type that only Kubernetes has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ext {
    /// In billionths.
    Quantity(i128),
    Url(String),
    Ip(IpAddr),
    Cidr(IpAddr, u8),
    Format(String),
    Semver([u64; 3], String),
}

impl Opaque for Ext {
    fn runtime_type_name(&self) -> &str {
        match self {
            Ext::Quantity(_) => "kubernetes.Quantity",
            Ext::Url(_) => "kubernetes.URL",
            Ext::Ip(_) => "net.IP",
            Ext::Cidr(..) => "net.CIDR",
            Ext::Format(_) => "kubernetes.NamedFormat",
            Ext::Semver(..) => "kubernetes.Semver",
        }
    }
}

type Answer = Result<Value, String>;

const BILLION: i128 = 1_000_000_000;

/// Adds the functions.
#[expect(clippy::too_many_lines, reason = "a table: one row a function")]
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    extensions::strings(env)?;
    macro_rules! global {
        ($($name:literal $count:literal $of:expr;)*) => {
            $(env.add_overload($name, concat!("global ", $name, " ", $count), (0..$count).map(|_: usize| DYN_TYPE).collect(), |args| run($name, args, $of))?;)*
        };
    }
    macro_rules! member {
        ($($name:literal $count:literal $of:expr;)*) => {
            $(env.add_member_overload($name, concat!("member ", $name, " ", $count), DYN_TYPE, (0..$count).map(|_: usize| DYN_TYPE).collect(), |args| run($name, args, $of))?;)*
        };
    }
    global! {
        "quantity" 1 |v| quantity(text(v, 0)?).map(|amount| ext(Ext::Quantity(amount)));
        "isQuantity" 1 |v| Ok(quantity(text(v, 0)?).is_ok().into());
        "url" 1 |v| url(text(v, 0)?).map(|_| ext(Ext::Url(text(v, 0).unwrap_or_default().to_owned())));
        "isURL" 1 |v| Ok(url(text(v, 0)?).is_ok().into());
        "ip" 1 |v| address(text(v, 0)?).map(|ip| ext(Ext::Ip(ip)));
        "isIP" 1 |v| Ok(address(text(v, 0)?).is_ok().into());
        "ip.isCanonical" 1 |v| address(text(v, 0)?).map(|ip| (ip.to_string() == text(v, 0).unwrap_or_default()).into());
        "cidr" 1 |v| block(text(v, 0)?).map(|(ip, length)| ext(Ext::Cidr(ip, length)));
        "isCIDR" 1 |v| Ok(block(text(v, 0)?).is_ok().into());
        "semver" 1 |v| semver(text(v, 0)?, false).map(ext);
        "semver" 2 |v| semver(text(v, 0)?, v[1] == Value::Bool(true)).map(ext);
        "isSemver" 1 |v| Ok(semver(text(v, 0)?, false).is_ok().into());
        "isSemver" 2 |v| Ok(semver(text(v, 0)?, v[1] == Value::Bool(true)).is_ok().into());
        "string" 1 string;
        "format.named" 1 |v| Ok(optional(is_format(text(v, 0)?).then(|| ext(Ext::Format(text(v, 0).unwrap_or_default().to_owned())))));
        "format.dns1123Label" 0 |_| Ok(ext(Ext::Format("dns1123Label".to_owned())));
        "format.dns1123Subdomain" 0 |_| Ok(ext(Ext::Format("dns1123Subdomain".to_owned())));
        "format.dns1035Label" 0 |_| Ok(ext(Ext::Format("dns1035Label".to_owned())));
        "format.dns1123LabelPrefix" 0 |_| Ok(ext(Ext::Format("dns1123LabelPrefix".to_owned())));
        "format.dns1123SubdomainPrefix" 0 |_| Ok(ext(Ext::Format("dns1123SubdomainPrefix".to_owned())));
        "format.dns1035LabelPrefix" 0 |_| Ok(ext(Ext::Format("dns1035LabelPrefix".to_owned())));
        "format.qualifiedName" 0 |_| Ok(ext(Ext::Format("qualifiedName".to_owned())));
        "format.labelValue" 0 |_| Ok(ext(Ext::Format("labelValue".to_owned())));
        "format.uri" 0 |_| Ok(ext(Ext::Format("uri".to_owned())));
        "format.uuid" 0 |_| Ok(ext(Ext::Format("uuid".to_owned())));
        "format.byte" 0 |_| Ok(ext(Ext::Format("byte".to_owned())));
        "format.date" 0 |_| Ok(ext(Ext::Format("date".to_owned())));
        "format.datetime" 0 |_| Ok(ext(Ext::Format("datetime".to_owned())));
        "sets.contains" 2 |v| Ok(list(v, 1)?.iter().all(|one| list(v, 0).is_ok_and(|all| all.contains(one))).into());
        "sets.equivalent" 2 |v| {
            let (a, b) = (list(v, 0)?, list(v, 1)?);
            Ok((a.iter().all(|one| b.contains(one)) && b.iter().all(|one| a.contains(one))).into())
        };
        "sets.intersects" 2 |v| Ok(list(v, 1)?.iter().any(|one| list(v, 0).is_ok_and(|all| all.contains(one))).into());
        "@pairs" 1 pairs;
        "@fromPairs" 1 from_pairs;
    }
    debug_assert_eq!((PAIRS, FROM_PAIRS), ("@pairs", "@fromPairs"));
    member! {
        "isSorted" 0 |v| Ok(list(v, 0)?.is_sorted_by(|a, b| compare(a, b) != Some(Ordering::Greater)).into());
        "sum" 0 sum;
        "min" 0 |v| best(list(v, 0)?, Ordering::Less);
        "max" 0 |v| best(list(v, 0)?, Ordering::Greater);
        "indexOf" 1 |v| Ok(position(list(v, 0)?.iter().position(|one| *one == v[1])));
        "lastIndexOf" 1 |v| Ok(position(list(v, 0)?.iter().rposition(|one| *one == v[1])));
        "find" 1 |v| Ok(found(&regex(text(v, 1)?)?, text(v, 0)?, 1).into_iter().next().unwrap_or_default().into());
        "findAll" 1 |v| Ok(texts(found(&regex(text(v, 1)?)?, text(v, 0)?, -1)));
        "findAll" 2 |v| Ok(texts(found(&regex(text(v, 1)?)?, text(v, 0)?, number(v, 2)?)));
        "sign" 0 |v| Ok(Value::Int(amount(&v[0])?.signum() as i64));
        "isGreaterThan" 1 |v| Ok((order(&v[0], &v[1])? == Ordering::Greater).into());
        "isLessThan" 1 |v| Ok((order(&v[0], &v[1])? == Ordering::Less).into());
        "compareTo" 1 |v| Ok(Value::Int(order(&v[0], &v[1])? as i64));
        "add" 1 |v| Ok(ext(Ext::Quantity(amount(&v[0])?.saturating_add(amount(&v[1])?))));
        "sub" 1 |v| Ok(ext(Ext::Quantity(amount(&v[0])?.saturating_sub(amount(&v[1])?))));
        "isInteger" 0 |v| amount(&v[0]).map(|amount| (amount % BILLION == 0 && i64::try_from(amount / BILLION).is_ok()).into());
        "asInteger" 0 |v| match amount(&v[0])? {
            amount if amount % BILLION == 0 => i64::try_from(amount / BILLION).map(Value::Int).map_err(|_| "cannot convert value to integer".to_owned()),
            _ => Err("cannot convert value to integer".to_owned()),
        };
        "asApproximateFloat" 0 |v| Ok(Value::Float(amount(&v[0])? as f64 / BILLION as f64));
        "getScheme" 0 |v| part(v, |url| lossy(&url.scheme));
        "getHost" 0 |v| part(v, |url| lossy(&url.host));
        "getHostname" 0 |v| part(v, |url| lossy(url.hostname()).trim_matches(['[', ']']).to_owned());
        "getPort" 0 |v| part(v, |url| lossy(&url.host[url.hostname().len().min(url.host.len())..]).trim_start_matches(['[', ']', ':']).to_owned());
        "getEscapedPath" 0 |v| part(v, escaped_path);
        "getQuery" 0 query;
        "family" 0 |v| Ok(Value::Int(if ip_of(&v[0])?.is_ipv4() { 4 } else { 6 }));
        "isUnspecified" 0 |v| ip_of(&v[0]).map(|ip| ip.is_unspecified().into());
        "isLoopback" 0 |v| ip_of(&v[0]).map(|ip| ip.is_loopback().into());
        "isLinkLocalMulticast" 0 |v| ip_of(&v[0]).map(|ip| link_local_multicast(ip).into());
        "isLinkLocalUnicast" 0 |v| ip_of(&v[0]).map(|ip| link_local(ip).into());
        "isGlobalUnicast" 0 |v| ip_of(&v[0]).map(|ip| (!(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local(ip) || broadcast(ip))).into());
        "ip" 0 |v| cidr_of(&v[0]).map(|(ip, _)| ext(Ext::Ip(ip)));
        "prefixLength" 0 |v| cidr_of(&v[0]).map(|(_, length)| Value::Int(i64::from(length)));
        "masked" 0 |v| cidr_of(&v[0]).map(|(ip, length)| ext(Ext::Cidr(names::masked(ip, length), length)));
        "containsIP" 1 |v| {
            let (base, length) = cidr_of(&v[0])?;
            let ip = match &v[1] { Value::String(text) => address(text)?, other => ip_of(other)? };
            Ok((ip.is_ipv4() == base.is_ipv4() && names::masked(ip, length) == names::masked(base, length)).into())
        };
        "containsCIDR" 1 |v| {
            let (base, length) = cidr_of(&v[0])?;
            let (ip, longer) = match &v[1] { Value::String(text) => block(text)?, other => cidr_of(other)? };
            Ok((ip.is_ipv4() == base.is_ipv4() && longer >= length && names::masked(ip, length) == names::masked(base, length)).into())
        };
        "validate" 1 |v| match opaque(&v[0]) {
            Some(Ext::Format(format)) => Ok(optional(fault(format, text(v, 1)?).map(|why| texts(vec![why.to_owned()])))),
            _ => Err("no such overload".to_owned()),
        };
        "major" 0 |v| version(&v[0]).map(|numbers| Value::Int(numbers[0] as i64));
        "minor" 0 |v| version(&v[0]).map(|numbers| Value::Int(numbers[1] as i64));
        "patch" 0 |v| version(&v[0]).map(|numbers| Value::Int(numbers[2] as i64));
    }
    Ok(())
}

fn run<'b, 'v>(name: &str, args: Vec<CowVal<'b, 'v>>, of: fn(&[Value]) -> Answer) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let values = args.iter().map(|one| Value::try_from(one.as_ref())).collect::<Result<Vec<Value>, _>>()?;
    let value = of(&values).map_err(|why| ExecutionError::function_error(name, why))?;
    let boxed: Box<dyn Val> = value.try_into()?;
    Ok(CowVal::Owned(boxed))
}

fn ext(value: Ext) -> Value {
    Value::Opaque(Arc::new(value))
}

fn opaque(value: &Value) -> Option<&Ext> {
    match value {
        Value::Opaque(value) => value.downcast_ref::<Ext>(),
        _ => None,
    }
}

fn optional(value: Option<Value>) -> Value {
    Value::Opaque(Arc::new(value.map_or_else(OptionalValue::none, OptionalValue::of)))
}

fn text(values: &[Value], at: usize) -> Result<&str, String> {
    match values.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => Err("no such overload".to_owned()),
    }
}

fn list(values: &[Value], at: usize) -> Result<&[Value], String> {
    match values.get(at) {
        Some(Value::List(items)) => Ok(items),
        _ => Err("no such overload".to_owned()),
    }
}

fn number(values: &[Value], at: usize) -> Result<i64, String> {
    match values.get(at) {
        Some(Value::Int(value)) => Ok(*value),
        _ => Err("no such overload".to_owned()),
    }
}

fn texts(items: Vec<String>) -> Value {
    Value::List(items.into_iter().map(Value::from).collect::<Vec<_>>().into())
}

fn position(at: Option<usize>) -> Value {
    Value::Int(at.map_or(-1, |at| at as i64))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn best(items: &[Value], wanted: Ordering) -> Answer {
    let mut items = items.iter();
    let mut best = items.next().ok_or("min/max called on an empty list")?;
    for item in items {
        if compare(item, best).ok_or("no such overload")? == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}

fn sum(values: &[Value]) -> Answer {
    let mut total = Value::Int(0);
    for (at, item) in list(values, 0)?.iter().enumerate() {
        total = match (&total, item) {
            (_, first) if at == 0 => first.clone(),
            (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b).ok_or("integer overflow")?),
            (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
            (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.checked_add(b).ok_or("duration overflow")?),
            _ => return Err("no such overload".to_owned()),
        };
    }
    Ok(total)
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern.as_bytes())
}

fn found(regex: &Regex, text: &str, limit: i64) -> Vec<String> {
    regex.find_all(text.as_bytes(), limit).into_iter().map(lossy).collect()
}

fn quantity(text: &str) -> Result<i128, String> {
    names::quantity(text).ok_or_else(|| "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned())
}

fn amount(value: &Value) -> Result<i128, String> {
    match (opaque(value), value) {
        (Some(Ext::Quantity(amount)), _) => Ok(*amount),
        (_, Value::Int(whole)) => Ok(i128::from(*whole) * BILLION),
        _ => Err("no such overload".to_owned()),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (opaque(a), opaque(b)) {
        (Some(Ext::Quantity(a)), Some(Ext::Quantity(b))) => Ok(a.cmp(b)),
        (Some(Ext::Semver(a, before_a)), Some(Ext::Semver(b, before_b))) => {
            Ok(a.cmp(b).then_with(|| prerelease(before_a, before_b)))
        }
        _ => Err("no such overload".to_owned()),
    }
}

/// The order of two parts after the hyphen, by semver 2.0.
fn prerelease(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        _ => {}
    }
    let part = |a: &str, b: &str| match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        _ => a.cmp(b),
    };
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if part(a, b) != Ordering::Equal => return part(a, b),
            _ => {}
        }
    }
}

fn semver(text: &str, normalize: bool) -> Result<Ext, String> {
    let wrong = || format!("`{text}` is no semantic version");
    let body = if normalize { text.trim_start_matches('v') } else { text };
    let body = body.split('+').next().unwrap_or_default();
    let (core, before) = body.split_once('-').unwrap_or((body, ""));
    let mut numbers = [0; 3];
    let parts: Vec<&str> = core.split('.').collect();
    if parts.len() > 3 || (parts.len() < 3 && !normalize) {
        return Err(wrong());
    }
    for (at, part) in parts.iter().enumerate() {
        let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (normalize || part.len() == 1 || !part.starts_with('0'));
        numbers[at] = if plain { part.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    }
    Ok(Ext::Semver(numbers, before.to_owned()))
}

fn version(value: &Value) -> Result<[u64; 3], String> {
    match opaque(value) {
        Some(Ext::Semver(numbers, _)) => Ok(*numbers),
        _ => Err("no such overload".to_owned()),
    }
}

/// An absolute URI or an absolute path, as Go's `url.ParseRequestURI` takes them.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.as_bytes())?;
    if url.scheme.is_empty() && !text.starts_with('/') {
        return Err(format!("parse {text:?}: invalid URI for request"));
    }
    Ok(url)
}

fn part(values: &[Value], of: fn(&Url) -> String) -> Answer {
    match opaque(&values[0]) {
        Some(Ext::Url(text)) => url(text).map(|url| of(&url).into()),
        _ => Err("no such overload".to_owned()),
    }
}

fn escaped_path(url: &Url) -> String {
    let text = lossy(&url.text());
    let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let rest = rest.find('/').map_or("", |at| &rest[at..]);
    rest.split(['?', '#']).next().unwrap_or_default().replace(' ', "%20")
}

fn query(values: &[Value]) -> Answer {
    let Some(Ext::Url(text)) = opaque(&values[0]) else { return Err("no such overload".to_owned()) };
    let rest = text.split('#').next().unwrap_or_default();
    let mut map: HashMap<Key, Vec<Value>> = HashMap::new();
    for pair in rest.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
        map.entry(Key::from(decoded(key))).or_default().push(decoded(value).into());
    }
    let map: HashMap<Key, Value> = map.into_iter().map(|(key, list)| (key, Value::List(list.into()))).collect();
    Ok(Value::Map(Map { map: map.into() }))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    lossy(&out)
}

fn address(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| format!("IP Address {text:?} parse error during conversion from string"))?;
    match ip {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => Err("IPv4-mapped IPv6 address is not allowed".to_owned()),
        ip => Ok(ip),
    }
}

fn block(text: &str) -> Result<(IpAddr, u8), String> {
    names::cidr(text).ok_or_else(|| format!("network address parse error during conversion from string: {text:?}"))
}

fn ip_of(value: &Value) -> Result<IpAddr, String> {
    match opaque(value) {
        Some(Ext::Ip(ip)) => Ok(*ip),
        _ => Err("no such overload".to_owned()),
    }
}

fn cidr_of(value: &Value) -> Result<(IpAddr, u8), String> {
    match opaque(value) {
        Some(Ext::Cidr(ip, length)) => Ok((*ip, *length)),
        _ => Err("no such overload".to_owned()),
    }
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }
}

fn broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

fn string(values: &[Value]) -> Answer {
    match opaque(&values[0]) {
        Some(Ext::Ip(ip)) => Ok(ip.to_string().into()),
        Some(Ext::Cidr(ip, length)) => Ok(format!("{ip}/{length}").into()),
        _ => Err("no such overload".to_owned()),
    }
}

const FORMATS: [&str; 13] = [
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "dns1123LabelPrefix", "dns1123SubdomainPrefix", "dns1035LabelPrefix",
    "qualifiedName", "labelValue", "uri", "uuid", "byte", "date", "datetime",
];

fn is_format(name: &str) -> bool {
    FORMATS.contains(&name)
}

fn fault(format: &str, text: &str) -> Option<&'static str> {
    let prefixed = |check: fn(&str) -> Option<&'static str>| check(&format!("{text}x"));
    match format {
        "dns1123Label" => names::dns_label(text),
        "dns1123Subdomain" => names::dns_subdomain(text),
        "dns1035Label" => names::dns_1035(text),
        "dns1123LabelPrefix" => prefixed(names::dns_label),
        "dns1123SubdomainPrefix" => prefixed(names::dns_subdomain),
        "dns1035LabelPrefix" => prefixed(names::dns_1035),
        "qualifiedName" => names::qualified(text),
        "labelValue" => names::label_value(text),
        "uri" => url(text).is_err().then_some("must be a URI"),
        "uuid" => (text.len() != 36 || text.split('-').count() != 5).then_some("does not match the UUID format"),
        "byte" => (!names::is_base64(text)).then_some("invalid base64"),
        "date" => text.parse::<jiff::civil::Date>().is_err().then_some("invalid date"),
        _ => (!names::is_time(text)).then_some("invalid datetime"),
    }
}

/// Keys or indices, each with its value.
fn pairs(values: &[Value]) -> Answer {
    let pair = |key: Value, value: Value| Value::List(vec![key, value].into());
    match &values[0] {
        Value::List(items) => {
            let all = items.iter().enumerate().map(|(at, item)| pair(Value::Int(at as i64), item.clone()));
            Ok(Value::List(all.collect::<Vec<_>>().into()))
        }
        Value::Map(map) => {
            let mut all: Vec<(&Key, &Value)> = map.map.iter().collect();
            // a map has no order; ours is that of its keys, so that equal inputs have equal answers
            all.sort_by(|a, b| a.0.cmp(b.0));
            let all = all.into_iter().map(|(key, value)| pair(key_value(key), value.clone()));
            Ok(Value::List(all.collect::<Vec<_>>().into()))
        }
        _ => Err("no such overload".to_owned()),
    }
}

fn key_value(key: &Key) -> Value {
    match key {
        Key::Int(value) => Value::Int(*value),
        Key::Uint(value) => Value::UInt(*value),
        Key::Bool(value) => Value::Bool(*value),
        Key::String(value) => Value::String(value.clone()),
    }
}

fn from_pairs(values: &[Value]) -> Answer {
    let mut map = HashMap::new();
    for pair in list(values, 0)? {
        let Value::List(pair) = pair else { continue };
        let key = match &pair[0] {
            Value::Int(value) => Key::Int(*value),
            Value::UInt(value) => Key::Uint(*value),
            Value::Bool(value) => Key::Bool(*value),
            Value::String(value) => Key::String(value.clone()),
            _ => return Err("unsupported key type".to_owned()),
        };
        map.insert(key, pair[1].clone());
    }
    Ok(Value::Map(Map { map: Arc::new(map) }))
}
