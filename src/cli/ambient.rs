//! What a render must not find for itself, found here: the clock, randomness, and (with `--enable-dns`) addresses.

#![expect(clippy::disallowed_methods, reason = "the clock is read here and handed on")]

use std::io::Read as _;
use std::net::ToSocketAddrs as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::helm;

/// The process's own clock and randomness.
pub(super) struct Ambient {
    dns: bool,
    /// True once a render took the time or something random.
    asked: bool,
    /// How far the clock is ahead, in seconds.
    ahead: i64,
}

/// How far the clock of another world is ahead: no part of a date is the same there.
const ELSEWHERE_SECONDS: i64 = (400 * 24 * 60 + 61) * 60 + 61;

impl Ambient {
    /// `dns` lets `getHostByName` ask the network.
    pub(super) fn new(dns: bool) -> Ambient {
        Ambient { dns, asked: false, ahead: 0 }
    }
}

impl helm::Ambient for Ambient {
    fn elsewhere(&self) -> Option<Box<dyn helm::Ambient>> {
        let other = Ambient { dns: self.dns, asked: false, ahead: self.ahead + ELSEWHERE_SECONDS };
        self.asked.then(|| Box::new(other) as Box<dyn helm::Ambient>)
    }

    fn now(&mut self) -> (i64, u32) {
        self.asked = true;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs() as i64 + self.ahead, since.subsec_nanos())
    }

    fn random(&mut self, _template: &str, _offset: u32, out: &mut [u8]) {
        self.asked = true;
        let filled = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(out));
        if filled.is_err() {
            // without the kernel's randomness: the hasher's keys, which the standard library seeds from the system
            for chunk in out.chunks_mut(8) {
                let state = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0u8).to_le_bytes();
                chunk.copy_from_slice(&state[..chunk.len()]);
            }
        }
    }

    fn host_address(&mut self, name: &str) -> String {
        if !self.dns {
            return String::new();
        }
        let addresses = (name, 0).to_socket_addrs().into_iter().flatten().map(|address| address.ip().to_string());
        addresses.min().unwrap_or_default()
    }
}
