//! Gzip out with pinned bytes, while what is packed is still being written.
//!
//! The compressor is part of the artifact's format, since its bytes set the digest: `zlib-rs` is named here directly, at an
//! exact version, because `flate2` picks whichever backend another crate has switched on. Its vector code compares and
//! copies, and never chooses: its hashes are the same arithmetic everywhere, so every machine makes the same bytes. Each block
//! is given at once, so that no buffer's size shows, and knows the window before it, so that blocks can be compressed side by side: how
//! many threads do so does not show either. A change of crate version, level or block is a new format version.
//! (`miniz_oxide` took twice as long for 2 % more bytes; a C library would be one more compiler to need.)

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use zlib_rs::{Deflate, DeflateFlush};

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

/// Something that takes bytes, and always can.
pub(crate) trait Sink {
    /// Takes more bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Compresses with fixed header fields, level, blocks and compressor.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_of(|sink| sink.put(bytes))
}

/// Compresses what `fill` writes. Of more than a block, what is written is compressed by the machine's other cores meanwhile.
pub(crate) fn gzip_of(fill: impl FnOnce(&mut dyn Sink)) -> Vec<u8> {
    let others = thread::available_parallelism().map_or(0, |cores| usize::from(cores) - 1);
    let (send, receive) = mpsc::sync_channel(others);
    let desk = Desk { waiting: Mutex::new(receive), done: Mutex::default(), spare: Mutex::default() };
    let (crc, length) = thread::scope(|scope| {
        let mut writer = Writer {
            scope,
            desk: &desk,
            send,
            others,
            block: Block::default(),
            crc: flate2::Crc::new(),
            length: 0,
            room: Vec::new(),
        };
        fill(&mut writer);
        writer.finish()
    });
    let mut done = desk.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(number, _)| *number);
    let mut out = GZIP_HEADER.to_vec();
    for (_, packed) in done {
        out.extend_from_slice(&packed);
    }
    out.extend_from_slice(&crc.to_le_bytes());
    // the format keeps the length modulo 2^32
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out
}

/// A block on its way.
#[derive(Default)]
struct Block {
    number: usize,
    /// The window before it, then its own bytes.
    bytes: Vec<u8>,
    window: usize,
    last: bool,
}

/// What the threads share.
struct Desk {
    waiting: Mutex<Receiver<Block>>,
    done: Mutex<Vec<(usize, Vec<u8>)>>,
    /// Buffers whose blocks are done.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Desk {
    /// Compresses a block into `room`, and keeps the result.
    fn pack(&self, block: Block, room: &mut Vec<u8>) {
        let (window, bytes) = block.bytes.split_at(block.window);
        let packed = deflate(window, bytes, block.last, room).to_vec();
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push((block.number, packed));
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(block.bytes);
    }

    /// Compresses what is waiting until no more can come.
    fn work(&self, room: &mut Vec<u8>) {
        let next = || self.waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok(block) = next() {
            self.pack(block, room);
        }
    }
}

/// Cuts what is written into blocks.
struct Writer<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    desk: &'e Desk,
    send: SyncSender<Block>,
    /// Threads that may still be begun.
    others: usize,
    block: Block,
    crc: flate2::Crc,
    length: u64,
    room: Vec<u8>,
}

impl Sink for Writer<'_, '_> {
    fn put(&mut self, mut bytes: &[u8]) {
        self.crc.update(bytes);
        self.length += bytes.len() as u64;
        loop {
            let free = self.block.window + BLOCK_BYTES - self.block.bytes.len();
            let (now, later) = bytes.split_at(free.min(bytes.len()));
            self.block.bytes.extend_from_slice(now);
            if later.is_empty() {
                return;
            }
            // what ends a block goes to others only once more comes behind it: the last one is told apart
            bytes = later;
            self.hand_on();
        }
    }
}

impl Writer<'_, '_> {
    /// Gives a full block to a thread that is free, or compresses it here where none is, and begins the next one.
    fn hand_on(&mut self) {
        let mut bytes = self.desk.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        bytes.clear();
        bytes.reserve(WINDOW_BYTES + BLOCK_BYTES);
        bytes.extend_from_slice(&self.block.bytes[self.block.bytes.len() - WINDOW_BYTES..]);
        let next = Block { number: self.block.number + 1, bytes, window: WINDOW_BYTES, last: false };
        let full = std::mem::replace(&mut self.block, next);
        if self.others > 0 {
            self.others -= 1;
            let desk = self.desk;
            self.scope.spawn(move || desk.work(&mut Vec::new()));
        }
        if let Err(TrySendError::Full(block) | TrySendError::Disconnected(block)) = self.send.try_send(full) {
            self.desk.pack(block, &mut self.room);
        }
    }

    /// Compresses what is left, and gives the checksum and the length of all.
    fn finish(mut self) -> (u32, u64) {
        self.block.last = true;
        self.desk.pack(self.block, &mut self.room);
        drop(self.send);
        self.desk.work(&mut self.room);
        (self.crc.sum(), self.length)
    }
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

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::super::compress::decompress;
    use super::super::layer::LayerLimits;
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
        // however it is written
        for piece in [1000, BLOCK_BYTES - 1, BLOCK_BYTES + 1] {
            assert!(gzip_of(|sink| text.as_bytes().chunks(piece).for_each(|bytes| sink.put(bytes))) == packed, "{piece}");
        }
        let exact = &text.as_bytes()[..2 * BLOCK_BYTES];
        assert!(decompress(&gzip(exact), &LayerLimits::default()).expect("comes back") == exact);
    }
}
