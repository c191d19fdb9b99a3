//! Go's `net/url`: parsing and printing of URLs, as far as `urlParse`, `urlJoin` and `urlquery` need them.
//!
//! Nothing is normalised beyond what Go does: the scheme is lowered, `%` escapes of host and path are undone. Texts are bytes.

use crate::go::strconv::quote_bytes;

/// A URL taken apart; all but `query` and `opaque` unescaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// Lower case, without the colon.
    pub scheme: Vec<u8>,
    /// What follows the scheme where no slash does.
    pub opaque: Vec<u8>,
    /// Name and, if given, password.
    pub user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    /// Host and port.
    pub host: Vec<u8>,
    /// The path.
    pub path: Vec<u8>,
    /// The query as written.
    pub query: Vec<u8>,
    /// The fragment.
    pub fragment: Vec<u8>,
}

/// Which part of a URL is being escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'[' | b']' | b'<' | b'>' | b'"'
        ),
        Part::Path => !matches!(byte, b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@'),
        Part::User => !matches!(byte, b'$' | b'&' | b'+' | b',' | b';' | b'='),
        Part::Query => true,
        Part::Fragment => !matches!(
            byte,
            b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'!' | b'(' | b')' | b'*'
        ),
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' if part == Part::Query => out.push(b'+'),
            _ if must_escape(*byte, part) => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let wrong = |escape: &[u8]| Err(format!("invalid URL escape {}", quote_bytes(escape)));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && must_escape(byte, part) {
                return Err(format!("invalid character {} in host name", quote_bytes(&[byte])));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let written = &text[at..text.len().min(at + 3)];
        let hex = |at: usize| written.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (Some(high), Some(low)) = (hex(1), hex(2)) else { return wrong(written) };
        let value = (high * 16 + low) as u8;
        let percent = written == b"%25";
        if part == Part::Host && high < 8 && !percent {
            return wrong(written);
        }
        if part == Part::Zone && !percent && value != b' ' && must_escape(value, Part::Host) {
            return wrong(written);
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}

fn cut(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

impl Url {
    /// `url.Parse`; the error is Go's text.
    pub fn parse(text: &[u8]) -> Result<Url, String> {
        let (main, fragment) = cut(text, b'#');
        let named = |text: &[u8], fault: String| format!("parse {}: {fault}", quote_bytes(text));
        let mut url = parse_main(main).map_err(|fault| named(main, fault))?;
        if let Some(fragment) = fragment {
            url.fragment = unescape(fragment, Part::Fragment).map_err(|fault| named(text, fault))?;
        }
        Ok(url)
    }

    /// `URL.Hostname`: the host without port and brackets.
    pub fn hostname(&self) -> &[u8] {
        let mut host = self.host.as_slice();
        if let Some(colon) = host.iter().rposition(|byte| *byte == b':')
            && is_port(&host[colon..])
        {
            host = &host[..colon];
        }
        host.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(host)
    }

    /// The user part as it is written in a URL; empty without one.
    pub fn userinfo(&self) -> Vec<u8> {
        let Some((name, password)) = &self.user else { return Vec::new() };
        let mut out = escape(name, Part::User);
        if let Some(password) = password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }

    /// `URL.String`.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.write_authority_and_path(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }

    fn write_authority_and_path(&self, out: &mut Vec<u8>) {
        if !self.host.is_empty() || self.user.is_some() || !self.scheme.is_empty() && !self.path.is_empty() {
            out.extend_from_slice(b"//");
        }
        if self.user.is_some() {
            out.extend(self.userinfo());
            out.push(b'@');
        }
        out.extend(escape(&self.host, Part::Host));
        let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Part::Path) };
        if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

/// Splits off a leading scheme.
fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_main(text: &[u8]) -> Result<Url, String> {
    if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut url = Url::default();
    if text == b"*" {
        url.path = text.to_vec();
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    if rest.starts_with(b"//") && (!scheme.is_empty() || !rest.starts_with(b"///")) {
        let end = rest[2..].iter().position(|byte| *byte == b'/').map_or(rest.len(), |at| at + 2);
        let authority = &rest[2..end];
        rest = &rest[end..];
        let (user, host) = match authority.iter().rposition(|byte| *byte == b'@') {
            Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
            None => (None, authority),
        };
        url.host = parse_host(host)?;
        url.user = user.map(parse_user).transpose()?;
    }
    url.path = unescape(rest, Part::Path)?;
    Ok(url)
}

type User = (Vec<u8>, Option<Vec<u8>>);

fn parse_user(text: &[u8]) -> Result<User, String> {
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !text.iter().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(text, b':');
    Ok((unescape(name, Part::User)?, password.map(|password| unescape(password, Part::User)).transpose()?))
}

fn is_port(text: &[u8]) -> bool {
    text.is_empty() || text[0] == b':' && text[1..].iter().all(u8::is_ascii_digit)
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let port_fault = |port: &[u8]| format!("invalid port {} after host", quote_bytes(port));
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => {}
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {
            if let Some(colon) = host.iter().position(|byte| *byte == b':')
                && !is_port(&host[colon..])
            {
                return Err(port_fault(&host[colon..]));
            }
            return unescape(host, Part::Host);
        }
    }
    let close = host.iter().rposition(|byte| *byte == b']').ok_or("missing ']' in host")?;
    let (inner, port) = (&host[1..close], &host[close + 1..]);
    if !is_port(port) {
        return Err(port_fault(port));
    }
    let zone = inner.windows(3).position(|window| window == b"%25").unwrap_or(inner.len());
    let address = unescape(&inner[..zone], Part::Host)?;
    let text = String::from_utf8_lossy(&address).into_owned();
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if text.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quote_bytes(&address)));
    }
    let zone = unescape(&inner[zone..], Part::Zone)?;
    Ok([b"[", address.as_slice(), zone.as_slice(), b"]", port].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let url = Url::parse(b"HTTPS://us%40er:pa%20ss@example.com:8443/p%2Fa?q=1&r=a%2Fb#fr%20ag").unwrap();
        assert_eq!(url.scheme, b"https");
        assert_eq!((url.hostname(), &*url.host), (&b"example.com"[..], &b"example.com:8443"[..]));
        assert_eq!((&*url.path, &*url.query, &*url.fragment), (&b"/p/a"[..], &b"q=1&r=a%2Fb"[..], &b"fr ag"[..]));
        assert_eq!(url.userinfo(), b"us%40er:pa%20ss");
        assert_eq!(Url::parse(b"mailto:a@b").unwrap().opaque, b"a@b");
        assert_eq!(Url::parse(b"http://[::1%25eth0]:80").unwrap().hostname(), b"::1%eth0");
    }

    #[test]
    fn urls_are_printed_back() {
        for text in ["https://u:p@example.com:80/a/b?c=d#e", "/a b", "a", "", "//h/x", "mailto:x", "http://h"] {
            let printed = Url::parse(text.as_bytes()).unwrap().text();
            assert_eq!(printed, text.replace(' ', "%20").as_bytes(), "{text}");
        }
    }

    #[test]
    fn faults_are_worded_as_go_words_them() {
        for (text, want) in [
            ("a\nb", "parse \"a\\nb\": net/url: invalid control character in URL"),
            ("a%zz", "parse \"a%zz\": invalid URL escape \"%zz\""),
            (":a", "parse \":a\": missing protocol scheme"),
            ("1:a", "parse \"1:a\": first path segment in URL cannot contain colon"),
            ("http://h:x", "parse \"http://h:x\": invalid port \":x\" after host"),
            ("http://[::1", "parse \"http://[::1\": missing ']' in host"),
            ("http://a b", "parse \"http://a b\": invalid character \" \" in host name"),
        ] {
            assert_eq!(Url::parse(text.as_bytes()).unwrap_err(), want);
        }
    }
}
