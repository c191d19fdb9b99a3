//! Compression: gzip out with pinned bytes; gzip, zstd or nothing in, told apart by magic bytes.
//!
//! The compressor is part of the artifact's format, since its bytes set the digest: `zlib-rs` is named here directly, at an
//! exact version, because `flate2` picks whichever backend another crate has switched on. Its vector code compares and
//! copies, and never chooses: its hashes are the same arithmetic everywhere, so every machine makes the same bytes. The whole
//! text is given at once, so that no buffer's size shows. A change of crate version or level is a new format version.
//! (`miniz_oxide` took twice as long for 2 % more bytes; a C library would be one more compiler to need.)

use std::io::Read;

use zlib_rs::{Deflate, DeflateFlush, Status};

use super::layer::LayerLimits;
use crate::diag::{Diagnostic, Result};

/// The level that zlib and `gzip` use by default.
const LEVEL: i32 = 6;
/// The largest window that the format knows.
const WINDOW_BITS: u8 = 15;
/// Least room made for output at once.
const ROOM_BYTES: usize = 32 << 10;
/// Magic, deflate, no flags, mtime 0, no extra flags, operating system unknown.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

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

/// Compresses with fixed header fields, level and compressor.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GZIP_HEADER.to_vec();
    deflate(bytes, &mut out, ROOM_BYTES);
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    // the format keeps the length modulo 2^32
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}

/// Appends the compressed bytes, making `room` for them at once or more. How much does not show in them.
fn deflate(bytes: &[u8], out: &mut Vec<u8>, room: usize) {
    let mut deflate = Deflate::new(LEVEL, false, WINDOW_BITS);
    let begin = out.len();
    loop {
        let (rest, written) = (&bytes[deflate.total_in() as usize..], begin + deflate.total_out() as usize);
        out.resize(written + room.max(rest.len() / 16), 0);
        // the compressor counts in 32 bits, and would take what it can count for all there is
        let flush = if u32::try_from(rest.len()).is_ok() { DeflateFlush::Finish } else { DeflateFlush::NoFlush };
        let status = deflate.compress(rest, &mut out[written..], flush);
        // it never fails: the stream is its own, and there is room for output
        if !matches!(status, Ok(Status::Ok | Status::BufError)) {
            return out.truncate(begin + deflate.total_out() as usize);
        }
    }
}

/// Undoes whatever compression the magic bytes tell, up to `limits.bytes`.
///
/// Fails with `archive-too-large`, or with `archive-damaged` where the stream is cut or wrong.
pub(crate) fn decompress(bytes: &[u8], limits: &LayerLimits) -> Result<Vec<u8>> {
    match Compression::of(bytes) {
        Compression::None if bytes.len() as u64 > limits.bytes => Err(limits.too_large()),
        Compression::None => Ok(bytes.to_vec()),
        Compression::Gzip => read_all(flate2::bufread::MultiGzDecoder::new(bytes), "gzip", limits),
        Compression::Zstd => read_all(ZstdFrames { rest: bytes, frame: None }, "zstd", limits),
    }
}

fn read_all(reader: impl Read, name: &str, limits: &LayerLimits) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let read = reader.take(limits.bytes.saturating_add(1)).read_to_end(&mut out);
    if out.len() as u64 > limits.bytes {
        return Err(limits.too_large());
    }
    match read {
        Ok(_) => Ok(out),
        Err(error) => {
            let fault = Diagnostic::input("archive-damaged", format!("the {name} stream is damaged: {error}"));
            Err(Box::new(fault.hint("pack and push it again")))
        }
    }
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
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn gzip_bytes_are_pinned_and_come_back() {
        let packed = gzip(b"hydrant hydrant hydrant\n");
        assert_eq!(&packed[..10], &GZIP_HEADER);
        assert_eq!(decompress(&packed, &LayerLimits::default()).expect("comes back"), b"hydrant hydrant hydrant\n");
        assert_eq!(decompress(&gzip(b""), &LayerLimits::default()).expect("nothing comes back"), b"");
    }

    #[test]
    fn long_bytes_are_pinned_and_the_room_for_them_does_not_show() {
        let mut state: u32 = 7;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mixed: Vec<u8> = (0..300_000_usize).map(|at| if at / 1000 % 3 == 0 { noise() } else { b"key: value\n"[at % 11] }).collect();
        let with = |room| {
            let mut out = Vec::new();
            deflate(&mixed, &mut out, room);
            out
        };
        let wanted = with(1 << 20);
        // enough for several blocks, windows and lengths of match: a compressor that chose otherwise would show
        let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&wanted));
        assert_eq!(digest, "f5ee0568cb93471f80488f1995bc5e4b494e51c441c629eccf09dd71f210278c");
        // a sixteenth of what is left is room for some of it only
        for room in [1, 7, 5000] {
            assert!(with(room) == wanted, "{room}");
        }
    }

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
