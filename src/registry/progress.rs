//! How far a transfer is: told piece by piece, to whoever wants to show it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::oci::{Descriptor, Digest};

/// Blobs below this many bytes are gone before anybody could look.
const WORTH_SHOWING: u64 = 1 << 20;
/// Bytes handed to the network at once where progress is told.
const PIECE_BYTES: usize = 64 << 10;

/// Hears of transfers as they go on.
pub(crate) trait Progress: Send + Sync {
    /// Of a blob of `total` bytes, `done` are read or sent.
    fn moved(&self, blob: Digest, done: u64, total: u64);
}

/// Who is told, if anybody.
#[derive(Clone, Default)]
pub(super) struct Told(pub(super) Option<Arc<dyn Progress>>);

impl Told {
    /// Tells how far a blob is, if it is worth it.
    pub(super) fn moved(&self, blob: &Descriptor, done: u64) {
        if let Some(progress) = self.0.as_ref().filter(|_| blob.size >= WORTH_SHOWING) {
            progress.moved(blob.digest, done, blob.size);
        }
    }

    /// The body of an upload of the whole blob.
    pub(super) fn body(&self, blob: &Descriptor, bytes: Bytes) -> reqwest::Body {
        if self.0.is_none() || blob.size < WORTH_SHOWING {
            return bytes.into();
        }
        reqwest::Body::wrap(Pieces { left: bytes, blob: blob.clone(), told: self.clone() })
    }
}

/// A body that is sent in pieces, each told of when the network asks for it.
struct Pieces {
    left: Bytes,
    blob: Descriptor,
    told: Told,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PIECE_BYTES);
        let piece = self.left.split_to(length);
        self.told.moved(&self.blob, self.blob.size.saturating_sub(self.left.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    /// Exact, so that the request has a length: registries refuse uploads without one.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::faulty::{Anonymous, Faulty, Reply, answer, artifact, client, run};
    use super::*;
    use crate::oci::{Artifact, Blob, media_type};

    #[derive(Default)]
    struct Heard(Mutex<Vec<(u64, u64)>>);

    impl Progress for Heard {
        fn moved(&self, _blob: Digest, done: u64, total: u64) {
            self.0.lock().expect("unlocked").push((done, total));
        }
    }

    fn check(heard: &Heard, total: u64) {
        let heard = heard.0.lock().expect("unlocked");
        assert!(heard.len() > 3, "piece by piece: {heard:?}");
        assert!(heard.is_sorted() && heard.iter().all(|(_, of)| *of == total), "{heard:?}");
        assert_eq!(heard.last(), Some(&(total, total)));
    }

    #[test]
    fn uploads_and_downloads_are_told_of_and_uploads_have_a_length() {
        let big = Blob::new(media_type::TAR, vec![7; 3 << 20]);
        let total = big.descriptor.size;
        let mut image = artifact().image;
        image.layers = vec![big.descriptor.clone()];
        let artifact = Artifact::new(image, artifact().config.expect("a config"), vec![big]).expect("JSON");
        let (kept, name) = (artifact.clone(), artifact.layers[0].descriptor.digest.to_string());
        let registry = Faulty::start(move |asked, before| match asked.method.as_str() {
            "GET" if asked.path.contains("/manifests/") => answer(200, &kept.manifest),
            "GET" if asked.path.ends_with(&name) => answer(200, &kept.layers[0].bytes),
            "GET" => answer(200, b"{}"),
            "HEAD" => answer(404, b""),
            "POST" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
            _ => answer(201, b""),
        });
        let (sent, read) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
        let pusher = client(Arc::new(Anonymous)).with_progress(Some(sent.clone()));
        run(pusher.push(&registry.location(), &artifact, &mut |_| {})).expect("pushed");
        check(&sent, total);
        let upload =
            registry.asked().into_iter().find(|asked| asked.method == "PUT" && asked.body.len() as u64 == total);
        assert!(upload.is_some(), "the whole blob in one request of that length");
        let puller = client(Arc::new(Anonymous)).with_progress(Some(read.clone()));
        run(puller.pull(&registry.location())).expect("pulled");
        check(&read, total);
    }
}
