//! `--seed-file`: randomness that comes back, and the objects that would not without it.
//!
//! In: a file with a key. Out: bytes for each call of a template, from HMAC-SHA256 over the digest of what is rendered, the
//! call's place and how often it asked. Who lacks the key cannot compute them; a seed of public inputs alone would let
//! anybody do so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::diag::{Diagnostic, Result};
use crate::helm;
use crate::oci::Digest;
use crate::source::{Disk, Source as _};

use super::ambient::Ambient;
use super::input::absolute;
use super::terminal::Terminal;

/// Fewest bytes of a key: as many as a guesser must not get through.
const KEY_BYTES_MIN: usize = 16;

/// Now, as a seeded render sees it where SOURCE_DATE_EPOCH says nothing: 2020-01-01.
const EPOCH: i64 = 1_577_836_800;

/// The flag of every command that renders.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct SeedArgs {
    /// Take passwords and keys of templates from this key and what is rendered, so that renders agree; the clock
    /// then stands at SOURCE_DATE_EPOCH
    #[arg(long, value_name = "KEY")]
    seed_file: Option<PathBuf>,
}

impl SeedArgs {
    /// The fingerprint of the key, which gives nothing of it away; empty without one.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let Some(path) = self.seed_file.as_ref().and_then(|path| path.to_str()) else { return Ok(String::new()) };
        let key = Disk.read(&absolute(path)?)?;
        Ok(Digest::of(&[b"hydrant seed key\n", &key[..]].concat()).to_string())
    }

    /// The world of a render. Fails with code `seed` if the key cannot be read or is too short to be secret.
    pub(super) fn world(&self, dns: bool) -> Result<World> {
        let Some(path) = &self.seed_file else { return Ok(World::Ambient(Ambient::new(dns))) };
        let shown = path.display();
        let path = path.to_str().ok_or_else(|| seed_fault(format!("`{shown}` is not UTF-8")))?;
        let key = Disk.read(&absolute(path)?)?;
        if key.len() < KEY_BYTES_MIN {
            return Err(seed_fault(format!(
                "the key in `{shown}` has {} bytes, fewer than {KEY_BYTES_MIN}",
                key.len()
            )));
        }
        let seconds = match Terminal::environment("SOURCE_DATE_EPOCH") {
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| seed_fault(format!("SOURCE_DATE_EPOCH holds `{text}`, which is no number")))?,
            None => EPOCH,
        };
        Ok(World::Seeded(Seeded {
            key: key.to_vec(),
            seconds,
            ambient: Ambient::new(dns),
            inputs: [0; 32],
            asked: BTreeMap::new(),
        }))
    }
}

fn seed_fault(message: String) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::input("seed", message).hint("make a key with `head -c 32 /dev/urandom > KEY`, and keep it secret"),
    )
}

/// Refuses what another render would print otherwise: it would move every cluster at each push.
pub(super) fn refuse_unsteady(unsteady: &[String]) -> Result<()> {
    if unsteady.is_empty() {
        return Ok(());
    }
    let message = format!("each render prints these otherwise: {}", unsteady.join(", "));
    let fault = Diagnostic::input("not-reproducible", message);
    Err(Box::new(fault.hint("give `--seed-file KEY`, or set the values that the chart makes up")))
}

/// Tells of what another render would print otherwise.
pub(super) fn warn_unsteady(unsteady: &[String], terminal: &Terminal) {
    for name in unsteady {
        let warning = Diagnostic::warning("not-reproducible", format!("each render prints `{name}` otherwise"));
        terminal.report(&warning.hint("give `--seed-file KEY`, or set the values that the chart makes up"));
    }
}

/// The machine's own world, or one that comes back.
pub(super) enum World {
    Ambient(Ambient),
    Seeded(Seeded),
}

impl World {
    fn inner(&mut self) -> &mut dyn helm::Ambient {
        match self {
            World::Ambient(ambient) => ambient,
            World::Seeded(seeded) => seeded,
        }
    }
}

impl helm::Ambient for World {
    fn begin(&mut self, inputs: &dyn Fn() -> [u8; 32]) {
        self.inner().begin(inputs);
    }

    fn elsewhere(&self) -> Option<Box<dyn helm::Ambient>> {
        match self {
            World::Ambient(ambient) => ambient.elsewhere(),
            World::Seeded(_) => None,
        }
    }

    fn now(&mut self) -> (i64, u32) {
        self.inner().now()
    }

    fn random(&mut self, template: &str, offset: u32, out: &mut [u8]) {
        self.inner().random(template, offset, out);
    }

    fn host_address(&mut self, name: &str) -> String {
        self.inner().host_address(name)
    }
}

/// Randomness from a key.
pub(super) struct Seeded {
    key: Vec<u8>,
    seconds: i64,
    ambient: Ambient,
    /// The digest of what is being rendered.
    inputs: [u8; 32],
    /// How many blocks each call took so far.
    asked: BTreeMap<(String, u32), u64>,
}

impl helm::Ambient for Seeded {
    fn begin(&mut self, inputs: &dyn Fn() -> [u8; 32]) {
        self.inputs = inputs();
        self.asked.clear();
    }

    fn now(&mut self) -> (i64, u32) {
        (self.seconds, 0)
    }

    fn random(&mut self, template: &str, offset: u32, out: &mut [u8]) {
        let count = self.asked.entry((template.to_owned(), offset)).or_default();
        for chunk in out.chunks_mut(32) {
            let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
            mac.update(&self.inputs);
            mac.update(&(template.len() as u64).to_be_bytes());
            mac.update(template.as_bytes());
            mac.update(&offset.to_be_bytes());
            mac.update(&count.to_be_bytes());
            *count += 1;
            chunk.copy_from_slice(&mac.finalize().into_bytes()[..chunk.len()]);
        }
    }

    fn host_address(&mut self, name: &str) -> String {
        self.ambient.host_address(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::Ambient as _;

    fn drawn(key: &[u8], inputs: u8, template: &str, offset: u32) -> Vec<u8> {
        let mut seeded = Seeded {
            key: key.to_vec(),
            seconds: EPOCH,
            ambient: Ambient::new(false),
            inputs: [0; 32],
            asked: BTreeMap::new(),
        };
        seeded.begin(&|| [inputs; 32]);
        let mut out = vec![0; 40];
        seeded.random(template, offset, &mut out);
        let mut more = vec![0; 8];
        seeded.random(template, offset, &mut more);
        out.extend(more);
        out
    }

    #[test]
    fn bytes_come_back_and_depend_on_all_that_they_should() {
        let one = drawn(b"key", 1, "a", 5);
        assert_eq!(one, drawn(b"key", 1, "a", 5));
        assert_ne!(one[..8], one[40..], "a second draw is another one");
        for other in
            [drawn(b"kez", 1, "a", 5), drawn(b"key", 2, "a", 5), drawn(b"key", 1, "b", 5), drawn(b"key", 1, "a", 6)]
        {
            assert_ne!(one, other);
        }
    }
}
