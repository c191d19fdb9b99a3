//! DER, as far as keys and certificates need it: writing nested values, and walking through them.

/// Tags of the values that occur.
pub(super) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// A constructed value of a context's own number.
    pub(crate) const fn context(number: u8) -> u8 {
        0xa0 | number
    }
    /// A plain value of a context's own number.
    pub(crate) const fn plain_context(number: u8) -> u8 {
        0x80 | number
    }
}

/// A value of these parts, one after another.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
        out.push(0x80 | (bytes.len() - start) as u8);
        out.extend_from_slice(&bytes[start..]);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A sequence of these parts.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(tag::SEQUENCE, parts)
}

/// A number that is not negative, from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = &bytes[start..];
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    value(tag::INTEGER, &[sign, digits])
}

/// A bit string of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(tag::BIT_STRING, &[&[0], bytes])
}

/// Walks through values that stand one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Reader<'d> {
        Reader(bytes)
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value: tag, content, and the whole with its header.
    pub(super) fn next(&mut self) -> Option<(u8, &'d [u8], &'d [u8])> {
        let (tag, first) = (*self.0.first()?, usize::from(*self.0.get(1)?));
        let (header, length) = if first < 0x80 {
            (2, first)
        } else {
            let count = first & 0x7f;
            if count == 0 || count > 4 {
                return None;
            }
            let bytes = self.0.get(2..2 + count)?;
            (2 + count, bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
        };
        let whole = self.0.get(..header.checked_add(length)?)?;
        self.0 = &self.0[whole.len()..];
        Some((tag, &whole[header..], whole))
    }

    /// The content of the next value, which must be of that tag.
    pub(super) fn take(&mut self, wanted: u8) -> Option<&'d [u8]> {
        if self.peek()? == wanted { self.next().map(|(_, content, _)| content) } else { None }
    }

    /// The values inside the next one, which must be of that tag.
    pub(super) fn enter(&mut self, wanted: u8) -> Option<Reader<'d>> {
        self.take(wanted).map(Reader)
    }
}

/// `pem.Encode`: lines of 64 characters.
pub(super) fn to_pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.extend(line.iter().map(|byte| char::from(*byte)));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// `pem.Decode`: label and bytes of the first block.
pub(super) fn from_pem(text: &str) -> Option<(String, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    // Header lines (`Proc-Type: …`) end with an empty line.
    let body = if body.contains(':') { body.split_once("\n\n")?.1 } else { body };
    let digits: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    Some((label.to_owned(), super::encoding::decode_base64(&digits).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = sequence(&[&integer(&[0, 0x80]), &value(tag::OCTET_STRING, &[&[7; 300]])]);
        let mut reader = Reader::new(&inner).enter(tag::SEQUENCE).unwrap();
        assert_eq!(reader.take(tag::INTEGER), Some(&[0, 0x80][..]));
        assert_eq!(reader.take(tag::OCTET_STRING).unwrap().len(), 300);
        assert!(reader.next().is_none());
        assert!(Reader::new(&[0x30, 0x85, 1, 1, 1, 1, 1]).next().is_none());
        let pem = to_pem("X Y", &inner);
        assert_eq!(from_pem(&format!("junk\n{pem}")), Some(("X Y".to_owned(), inner)));
    }
}
