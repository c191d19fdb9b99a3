//! Git's packet lines: four hex digits of length, then that much; some lengths are marks.

use super::broken;
use crate::diag::Result;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// A line or piece of data.
    Data(&'a [u8]),
    /// `0000`: the end of a message.
    Flush,
    /// `0001`: the end of a section.
    Delimiter,
    /// `0002`: the end of an answer.
    End,
}

impl<'a> Packet<'a> {
    /// The text of a line without its line end; empty for a mark.
    pub(super) fn line(self) -> &'a str {
        match self {
            Packet::Data(bytes) => std::str::from_utf8(bytes).unwrap_or_default().trim_end_matches('\n'),
            _ => "",
        }
    }
}

/// Appends a line.
pub(super) fn push_line(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(format!("{:04x}{line}\n", line.len() + 5).as_bytes());
}

/// Reads packets from the front of bytes.
pub(super) struct Packets<'a> {
    rest: &'a [u8],
    url: &'a str,
}

impl<'a> Packets<'a> {
    /// `url` is who sent them, for faults.
    pub(super) fn new(rest: &'a [u8], url: &'a str) -> Packets<'a> {
        Packets { rest, url }
    }

    /// The next packet; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let wrong = || broken(self.url, "does not answer as git does");
        let digits = self.rest.get(..4).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        let length = usize::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let packet = match length {
            0 => Packet::Flush,
            1 => Packet::Delimiter,
            2 => Packet::End,
            3 => return Err(wrong()),
            _ => Packet::Data(
                self.rest.get(4..length).ok_or_else(|| broken(self.url, "breaks off in the middle of an answer"))?,
            ),
        };
        self.rest = &self.rest[length.max(4)..];
        if let Packet::Data(bytes) = packet
            && let Some(words) = bytes.strip_prefix(b"ERR ")
        {
            let words = String::from_utf8_lossy(words);
            return Err(broken(self.url, &format!("answers: {}", words.trim())));
        }
        Ok(Some(packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_marks() {
        let mut out = Vec::new();
        push_line(&mut out, "command=ls-refs");
        out.extend_from_slice(b"00010000");
        let mut packets = Packets::new(&out, "x");
        assert_eq!(packets.next().expect("whole").expect("there").line(), "command=ls-refs");
        assert_eq!(packets.next().expect("whole"), Some(Packet::Delimiter));
        assert_eq!(packets.next().expect("whole"), Some(Packet::Flush));
        assert_eq!(packets.next().expect("whole"), None);
        for wrong in ["<htm", "0003", "0010abc", "00"] {
            assert!(Packets::new(wrong.as_bytes(), "x").next().is_err(), "{wrong}");
        }
        assert!(Packets::new(b"000aERR no", "x").next().expect_err("refused").message.contains("answers: no"));
    }
}
