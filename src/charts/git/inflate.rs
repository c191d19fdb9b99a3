//! Zlib streams as git's objects are kept in, whole in memory.
//!
//! In: compressed bytes. Out: what they hold, and how many of them it took. Objects are many and small: the decoder, which is
//! larger than most of them, is made once for many.

use flate2::{Decompress, FlushDecompress, Status};

/// A decoder, used again and again.
#[derive(Debug)]
pub(super) struct Inflater(Decompress);

impl Inflater {
    /// One that has read nothing yet.
    pub(super) fn new() -> Inflater {
        Inflater(Decompress::new(true))
    }

    /// The `size` bytes that a stream holds, and the stream's length; nothing if it is broken or holds another number.
    pub(super) fn exactly(&mut self, packed: &[u8], size: usize) -> Option<(Vec<u8>, usize)> {
        // the stream's end is found only where there is room for more
        let (bytes, length) = self.within(packed, size + 1)?;
        (bytes.len() == size).then_some((bytes, length))
    }

    /// The bytes that a stream holds; nothing if it is broken or holds more than `limit`.
    pub(super) fn whole(&mut self, packed: &[u8], limit: usize) -> Option<Vec<u8>> {
        let mut room = packed.len().saturating_mul(4).max(4096).min(limit + 1);
        loop {
            match self.within(packed, room) {
                Some((bytes, _)) if bytes.len() <= limit => return Some(bytes),
                None if room <= limit => room = room.saturating_mul(8).min(limit + 1),
                _ => return None,
            }
        }
    }

    /// What a stream holds if that fits into `room`.
    fn within(&mut self, packed: &[u8], room: usize) -> Option<(Vec<u8>, usize)> {
        self.0.reset(true);
        let mut bytes = Vec::with_capacity(room);
        let status = self.0.decompress_vec(packed, &mut bytes, FlushDecompress::Finish).ok()?;
        (status == Status::StreamEnd).then(|| (bytes, self.0.total_in() as usize))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("to memory");
        encoder.finish().expect("to memory")
    }

    #[test]
    fn a_stream_gives_what_was_put_in_and_its_length() {
        let mut inflater = Inflater::new();
        for size in [0, 1, 4095, 4096, 4097, 300_000] {
            let text: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let mut stream = packed(&text);
            let length = stream.len();
            assert_eq!(inflater.whole(&stream, size), Some(text.clone()), "{size}");
            stream.extend(b"what stands behind it");
            assert_eq!(inflater.exactly(&stream, size), Some((text.clone(), length)), "{size}");
            assert_eq!(inflater.exactly(&stream, size + 1), None, "{size} are not one more");
            assert!(size == 0 || inflater.exactly(&stream, size - 1).is_none(), "{size} are not one less");
            assert_eq!(inflater.exactly(&stream[..length - 1], size), None, "{size}, cut");
        }
    }

    #[test]
    fn a_stream_that_holds_more_than_the_limit_is_refused() {
        let mut inflater = Inflater::new();
        let stream = packed(&vec![0; 1 << 20]);
        assert!(stream.len() < 2000);
        assert_eq!(inflater.whole(&stream, (1 << 20) - 1), None);
        assert_eq!(inflater.whole(&stream, 1 << 20).map(|bytes| bytes.len()), Some(1 << 20));
        assert_eq!(inflater.whole(b"no stream", 1 << 20), None);
    }
}
