//! A TCP proxy on loopback that can cut what goes through it, hold it back, refuse what comes, or lie.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the proxy does with a new connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Lets it through.
    Pass,
    /// Ends it at once.
    Cut,
    /// Answers nonsense to whatever is asked.
    Lie,
}

/// The proxy.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) host: String,
    mode: Arc<AtomicU8>,
    held: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub(crate) fn start(target: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let host = listener.local_addr().expect("an address").to_string();
        let (mode, open) = (Arc::new(AtomicU8::new(Mode::Pass as u8)), Arc::new(Mutex::new(Vec::new())));
        let held = Arc::new(AtomicBool::new(false));
        let (own_mode, own_open, target) = (Arc::clone(&mode), Arc::clone(&open), target.to_owned());
        let own_held = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mode = own_mode.load(Ordering::SeqCst);
                if mode == Mode::Cut as u8 {
                    continue;
                }
                if mode == Mode::Lie as u8 {
                    std::thread::spawn(move || lie(stream));
                    continue;
                }
                let Ok(other) = TcpStream::connect(&target) else { continue };
                let mut open = own_open.lock().expect("free");
                open.extend([stream.try_clone(), other.try_clone()].into_iter().flatten());
                if let (Ok(from), Ok(to)) = (stream.try_clone(), other.try_clone()) {
                    let held = Arc::clone(&own_held);
                    std::thread::spawn(move || carry_unless(&held, from, to));
                }
                std::thread::spawn(move || carry(other, stream));
            }
        });
        Proxy { host, mode, held, open }
    }

    /// Holds back what clients send, or lets all of it go on: a wire that is slow in one direction.
    pub(crate) fn hold(&self, on: bool) {
        self.held.store(on, Ordering::SeqCst);
    }

    /// From now on so; what is open is cut.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        for stream in self.open.lock().expect("free").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// As [`carry`], but nothing moves on while it is held; not even the end of what is sent.
fn carry_unless(held: &AtomicBool, mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn lie(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    let _ = stream.read(&mut bytes);
    let body = "{\"schemaVersion\":2,\"layers\":[]}";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\n\
         docker-content-digest: sha256:{}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        "ab".repeat(32),
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
