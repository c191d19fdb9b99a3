//! Compression: gzip out with pinned bytes; gzip, zstd or nothing in, told apart by magic bytes.
//!
//! The compressor is part of the artifact's format, since its bytes set the digest: `zlib-rs` is named here directly, at an
//! exact version, because `flate2` picks whichever backend another crate has switched on. Its vector code compares and
//! copies, and never chooses: its hashes are the same arithmetic everywhere, so every machine makes the same bytes. Each block
//! is given at once, so that no buffer's size shows, and knows the window before it, so that blocks can be compressed side by side: how
//! many threads do so does not show either. A change of crate version, level or block is a new format version.
//! (`miniz_oxide` took twice as long for 2 % more bytes; a C library would be one more compiler to need.)

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use zlib_rs::{Deflate, DeflateFlush};

use super::layer::LayerLimits;
use crate::diag::{Diagnostic, Result};

/// The level that zlib and `gzip` use by default.
const LEVEL: i32 = 6;
/// The largest window that the format knows.
const WINDOW_BITS: u8 = 15;
/// What the compressor sees of the bytes before a block: the largest window that the format knows.
const WINDOW_BYTES: usize = 1 << WINDOW_BITS;
/// Bytes of a block. Each costs five bytes of output, so blocks are large.
const BLOCK_BYTES: usize = 1 << 20;
/// Room for output besides what a block can take.
const ROOM_BYTES: usize = 1 << 10;
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

/// Compresses with fixed header fields, level, blocks and compressor.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GZIP_HEADER.to_vec();
    let blocks = bytes.len().div_ceil(BLOCK_BYTES).max(1);
    let block = |number: usize, room: &mut Vec<u8>| {
        let (begin, end) = (number * BLOCK_BYTES, bytes.len().min((number + 1) * BLOCK_BYTES));
        let window = &bytes[begin.saturating_sub(WINDOW_BYTES)..begin];
        deflate(window, &bytes[begin..end], number + 1 == blocks, room).to_vec()
    };
    for packed in side_by_side(blocks, &block) {
        out.extend_from_slice(&packed);
    }
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    // the format keeps the length modulo 2^32
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}

/// What `work` makes of each number below `count`, in order, on as many threads as the machine runs; each has room of its own.
fn side_by_side(count: usize, work: &(impl Fn(usize, &mut Vec<u8>) -> Vec<u8> + Sync)) -> Vec<Vec<u8>> {
    let threads = if count < 2 { 1 } else { thread::available_parallelism().map_or(1, usize::from).min(count) };
    let next = AtomicUsize::new(0);
    let labour = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|number| *number < count);
        let mut room = Vec::new();
        numbers.map(|number| (number, work(number, &mut room))).collect::<Vec<_>>()
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(labour)).collect();
        let mut done = labour();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, packed)| packed).collect()
}

/// Compresses a block after the bytes of `window`, into `room`; a stream goes on behind it unless it is the last.
fn deflate<'r>(window: &[u8], bytes: &[u8], last: bool, room: &'r mut Vec<u8>) -> &'r [u8] {
    let mut deflate = Deflate::new(LEVEL, false, WINDOW_BITS);
    let flush = if last { DeflateFlush::Finish } else { DeflateFlush::SyncFlush };
    // more than what cannot be compressed would take: all comes out at once, so that no buffer's size shows
    let needed = bytes.len() + bytes.len() / 8 + ROOM_BYTES;
    if room.len() < needed {
        *room = vec![0; needed];
    }
    // neither fails: a stream without a header takes any window, and there is room
    let known = window.is_empty() || deflate.set_dictionary(window).is_ok();
    let status = deflate.compress(bytes, room, flush);
    let whole = deflate.total_in() as usize == bytes.len() && (deflate.total_out() as usize) < room.len();
    debug_assert!(known && whole && status.is_ok(), "a block is compressed whole");
    &room[..deflate.total_out() as usize]
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
    fn long_bytes_are_pinned() {
        let mut state: u32 = 7;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mixed: Vec<u8> = (0..300_000_usize).map(|at| if at / 1000 % 3 == 0 { noise() } else { b"key: value\n"[at % 11] }).collect();
        // enough for several of deflate's blocks, windows and lengths of match: a compressor that chose otherwise would show
        let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(deflate(&[], &mixed, true, &mut Vec::new())));
        assert_eq!(digest, "f5ee0568cb93471f80488f1995bc5e4b494e51c441c629eccf09dd71f210278c");
        let noise: Vec<u8> = (0..BLOCK_BYTES).map(|_| noise()).collect();
        for last in [false, true] {
            assert!(deflate(&noise[..WINDOW_BYTES], &noise, last, &mut Vec::new()).len() < noise.len() + noise.len() / 100);
        }
    }

    #[test]
    fn blocks_are_pinned_and_threads_do_not_show() {
        let mut state: u32 = 9;
        let mut word = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("key{}: value {}\n", state >> 28, state >> 20)
        };
        let mut text = String::new();
        while text.len() < 5 * BLOCK_BYTES / 2 {
            text.push_str(&word());
        }
        let packed = gzip(text.as_bytes());
        assert!(decompress(&packed, &LayerLimits::default()).expect("comes back") == text.as_bytes());
        let digest = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&packed));
        assert_eq!(digest, "aff6faa86fb75b9b125496dff668bad211caef6c72dbcf4cfd50f3aad41b245b");
        assert!(gzip(text.as_bytes()) == packed);
        // one after the other they are what they are side by side
        let alone = side_by_side(3, &|number, _| vec![number as u8; number]);
        assert_eq!(alone, [vec![], vec![1], vec![2, 2]]);
        let exact = &text.as_bytes()[..2 * BLOCK_BYTES];
        assert!(decompress(&gzip(exact), &LayerLimits::default()).expect("comes back") == exact);
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
