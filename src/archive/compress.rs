//! Compression in: gzip, zstd or nothing, told apart by magic bytes, under limits.

use std::io::Read;

use super::layer::LayerLimits;
use crate::diag::{Diagnostic, Result};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all, as far as magic bytes tell.
    None,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// Tells by magic bytes.
    pub(crate) fn of(bytes: &[u8]) -> Compression {
        match bytes {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// Undoes whatever compression the magic bytes tell, as it is read, up to `limits.bytes`. A reader has only `io::Error` to fail
/// with, so what went wrong is kept for [`Unfolding::fault`]: `archive-too-large`, or `archive-damaged` where the stream is
/// cut or wrong.
pub(super) struct Unfolding<'a> {
    reader: Box<dyn Read + 'a>,
    name: &'static str,
    limits: &'a LayerLimits,
    read: u64,
    fault: Option<Box<Diagnostic>>,
}

impl<'a> Unfolding<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &'a LayerLimits) -> Unfolding<'a> {
        let (reader, name): (Box<dyn Read + 'a>, _) = match Compression::of(bytes) {
            Compression::None => (Box::new(bytes), ""),
            Compression::Gzip => (Box::new(flate2::bufread::MultiGzDecoder::new(bytes)), "gzip"),
            Compression::Zstd => (Box::new(ZstdFrames { rest: bytes, frame: None }), "zstd"),
        };
        Unfolding { reader, name, limits, read: 0, fault: None }
    }

    /// What went wrong, if anything did.
    pub(super) fn fault(&mut self) -> Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }
}

impl Read for Unfolding<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(out).inspect_err(|error| self.fault = Some(damaged(self.name, error)))?;
        self.read += read as u64;
        if self.read > self.limits.bytes {
            self.fault = Some(self.limits.too_large());
            return Err(std::io::Error::other("too large"));
        }
        Ok(read)
    }
}

fn damaged(name: &str, error: &std::io::Error) -> Box<Diagnostic> {
    let fault = Diagnostic::input("archive-damaged", format!("the {name} stream is damaged: {error}"));
    Box::new(fault.hint("pack and push it again"))
}

/// All that is folded in `bytes`.
#[cfg(test)]
pub(crate) fn decompress(bytes: &[u8], limits: &LayerLimits) -> Result<Vec<u8>> {
    let (mut unfolding, mut out) = (Unfolding::new(bytes, limits), Vec::new());
    let read = unfolding.read_to_end(&mut out);
    unfolding.fault()?;
    read.map(|_| out).map_err(|error| damaged("", &error))
}

/// Zstandard frames one after another, skippable ones left out.
struct ZstdFrames<'a> {
    rest: &'a [u8],
    frame: Option<ruzstd::decoding::FrameDecoder>,
}

impl Read for ZstdFrames<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
        use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
        loop {
            let Some(decoder) = &mut self.frame else {
                if self.rest.is_empty() {
                    return Ok(0);
                }
                let mut decoder = FrameDecoder::new();
                match decoder.init(&mut self.rest) {
                    Ok(()) => self.frame = Some(decoder),
                    Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                        self.rest = self.rest.get(length as usize..).ok_or(std::io::ErrorKind::UnexpectedEof)?;
                    }
                    Err(error) => return Err(std::io::Error::other(error.to_string())),
                }
                continue;
            };
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                let wanted = BlockDecodingStrategy::UptoBytes(out.len().max(1));
                decoder.decode_blocks(&mut self.rest, wanted).map_err(|error| std::io::Error::other(error.to_string()))?;
            }
            let read = decoder.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            self.frame = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gzip;
    use super::*;

    #[test]
    fn a_bomb_is_refused_while_it_unfolds() {
        let limits = LayerLimits { bytes: 1000, ..LayerLimits::default() };
        let bomb = gzip(&vec![0; 100_000]);
        assert_eq!(decompress(&bomb, &limits).expect_err("too large").code, "archive-too-large");
        assert_eq!(decompress(&vec![b'a'; 1001], &limits).expect_err("too large").code, "archive-too-large");
        assert!(decompress(&vec![b'a'; 1000], &limits).is_ok());
    }

    #[test]
    fn cut_streams_are_named() {
        let packed = gzip(&[7; 5000]);
        for cut in [3, 10, packed.len() / 2, packed.len() - 1] {
            assert_eq!(decompress(&packed[..cut], &LayerLimits::default()).expect_err("cut").code, "archive-damaged", "{cut}");
        }
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x04];
        assert_eq!(decompress(&zstd, &LayerLimits::default()).expect_err("cut").code, "archive-damaged");
    }

    #[test]
    fn zstd_frames_are_read_one_after_another() {
        // two frames, each one raw block of three bytes: magic, header with single segment and size 3, block header, data
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c'];
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2];
        let both = [&frame[..], &skippable[..], &frame[..]].concat();
        assert_eq!(decompress(&both, &LayerLimits::default()).expect("both frames"), b"abcabc");
    }
}
