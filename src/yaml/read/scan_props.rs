//! The scanner's small print: anchors, aliases, tags and directives.

use std::borrow::Cow;

use super::chars::{at, is_blank, is_gap, is_uri, is_word, width};
use super::fault::Mark;
use super::scan::{Scan, Scanner};
use super::token::{Token, TokenKind};

/// Digits that a number of `%YAML` may have.
const VERSION_DIGITS_MAX: usize = 2;

impl<'t> Scanner<'t> {
    fn word(&mut self) -> &'t str {
        let begin = self.place;
        while is_word(at(self.bytes, self.place)) {
            self.place += 1;
        }
        &self.text[begin..self.place]
    }

    /// `*name` or `&name`.
    pub(super) fn scan_anchor(&mut self, alias: bool) -> Scan<Token<'t>> {
        let start = self.mark();
        self.place += 1;
        let name = self.word();
        let ends = is_gap(self.bytes, self.place) || matches!(at(self.bytes, self.place), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return Err(self.fault(start, "did not find expected alphabetic or numeric character"));
        }
        let kind = if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) };
        Ok(Token { kind, start, end: self.mark() })
    }

    /// `!suffix`, `!!suffix`, `!handle!suffix`, `!<uri>` or `!`.
    pub(super) fn scan_tag(&mut self) -> Scan<Token<'t>> {
        let start = self.mark();
        let kind = if at(self.bytes, self.place + 1) == b'<' {
            self.place += 2;
            let uri = self.tag_uri("", false, start)?;
            if at(self.bytes, self.place) != b'>' {
                return Err(self.fault(start, "did not find the expected '>'"));
            }
            self.place += 1;
            TokenKind::Tag("", uri)
        } else {
            let handle = self.tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                TokenKind::Tag(handle, self.tag_uri("", false, start)?)
            } else {
                let suffix = self.tag_uri(&handle[1..], true, start)?;
                // a lone `!` is a tag of its own, not a handle without suffix
                if suffix.is_empty() { TokenKind::Tag("", Cow::Borrowed("!")) } else { TokenKind::Tag("!", suffix) }
            }
        };
        if !is_gap(self.bytes, self.place) {
            return Err(self.fault(start, "did not find expected whitespace or line break"));
        }
        Ok(Token { kind, start, end: self.mark() })
    }

    /// `!`, `!!` or `!word!`; outside directives also `!word`, which then begins a suffix.
    fn tag_handle(&mut self, directive: bool, start: Mark) -> Scan<&'t str> {
        if at(self.bytes, self.place) != b'!' {
            return Err(self.fault(start, "did not find expected '!'"));
        }
        let begin = self.place;
        self.place += 1;
        let word = self.word();
        if at(self.bytes, self.place) == b'!' {
            self.place += 1;
        } else if directive && !word.is_empty() {
            return Err(self.fault(start, "did not find expected '!'"));
        }
        Ok(&self.text[begin..self.place])
    }

    /// A tag URI after `head`, percent escapes resolved. `found` says that there is a tag even if nothing follows.
    fn tag_uri(&mut self, head: &'t str, found: bool, start: Mark) -> Scan<Cow<'t, str>> {
        let begin = self.place - head.len();
        let from = self.place;
        while is_uri(at(self.bytes, self.place)) && self.bytes[self.place] != b'%' {
            self.place += 1;
        }
        if at(self.bytes, self.place) != b'%' {
            if self.place == from && !found {
                return Err(self.fault(start, "did not find expected tag URI"));
            }
            return Ok(Cow::Borrowed(&self.text[begin..self.place]));
        }
        let mut uri = self.text[begin..self.place].to_owned();
        while is_uri(at(self.bytes, self.place)) {
            if self.bytes[self.place] == b'%' {
                self.uri_escape(start, &mut uri)?;
            } else {
                uri.push(char::from(self.bytes[self.place]));
                self.place += 1;
            }
        }
        Ok(Cow::Owned(uri))
    }

    /// One character written as `%XX` octets.
    fn uri_escape(&mut self, start: Mark, uri: &mut String) -> Scan<()> {
        let mut octets = Vec::with_capacity(4);
        let mut wanted = 1;
        while octets.len() < wanted {
            let digit = |offset: usize| char::from(at(self.bytes, self.place + offset)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (at(self.bytes, self.place), digit(1), digit(2)) else {
                return Err(self.fault(start, "did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            if octets.is_empty() {
                if (0x80..0xC0).contains(&octet) || octet >= 0xF8 {
                    return Err(self.fault(start, "found an incorrect leading UTF-8 octet"));
                }
                wanted = width(octet);
            } else if octet & 0xC0 != 0x80 {
                return Err(self.fault(start, "found an incorrect trailing UTF-8 octet"));
            }
            octets.push(octet);
            self.place += 3;
        }
        uri.push_str(&String::from_utf8_lossy(&octets));
        Ok(())
    }

    /// `%YAML` or `%TAG` with its line.
    pub(super) fn scan_directive(&mut self) -> Scan<Token<'t>> {
        let start = self.mark();
        self.place += 1;
        let name = self.word();
        if name.is_empty() {
            return Err(self.fault(start, "could not find expected directive name"));
        }
        if !is_gap(self.bytes, self.place) {
            return Err(self.fault(start, "found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number(start)?;
                if at(self.bytes, self.place) != b'.' {
                    return Err(self.fault(start, "did not find expected digit or '.' character"));
                }
                self.place += 1;
                TokenKind::Version(major, self.version_number(start)?)
            }
            "TAG" => self.tag_directive(start)?,
            _ => return Err(self.fault(start, "found unknown directive name")),
        };
        let end = self.mark();
        self.expect_line_end(start)?;
        Ok(Token { kind, start, end })
    }

    fn version_number(&mut self, start: Mark) -> Scan<u8> {
        let mut value = 0;
        let mut length = 0;
        while at(self.bytes, self.place).is_ascii_digit() {
            length += 1;
            if length > VERSION_DIGITS_MAX {
                return Err(self.fault(start, "found extremely long version number"));
            }
            value = value * 10 + (self.bytes[self.place] - b'0');
            self.place += 1;
        }
        if length == 0 {
            return Err(self.fault(start, "did not find expected version number"));
        }
        Ok(value)
    }

    fn tag_directive(&mut self, start: Mark) -> Scan<TokenKind<'t>> {
        self.skip_blanks();
        let handle = self.tag_handle(true, start)?;
        if !is_blank(at(self.bytes, self.place)) {
            return Err(self.fault(start, "did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.tag_uri("", false, start)?;
        if !is_gap(self.bytes, self.place) {
            return Err(self.fault(start, "did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective(handle, prefix))
    }
}
