//! The one way by which functions draw randomness: from the render's host, by the call that runs.
//!
//! A host may derive its bytes from a key, the inputs and the call, so that a render can be repeated; nothing here may take bytes from
//! anywhere else, nor in an order that depends on anything but the arguments.

use crate::gotmpl::{Ctx, FuncError};

/// Draws for one call.
pub(super) struct Entropy<'c, 'e>(&'c mut Ctx<'e>);

impl<'c, 'e> Entropy<'c, 'e> {
    /// The draws of the call that runs in `ctx`; refused where templates are run out of their order.
    pub(super) fn of(ctx: &'c mut Ctx<'e>) -> Result<Entropy<'c, 'e>, FuncError> {
        ctx.before_draw()?;
        Ok(Entropy(ctx))
    }

    /// Fills a buffer.
    pub(super) fn fill(&mut self, out: &mut [u8]) {
        self.0.random(out);
    }

    /// Some bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A number below `limit`, which must not be 0, each as likely as the others.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // Draws beyond the last whole multiple of the limit would favour small numbers.
        let fair = u64::MAX - (u64::MAX % limit + 1) % limit;
        loop {
            let draw = u64::from_be_bytes(self.bytes());
            if draw <= fair {
                return draw % limit;
            }
        }
    }
}
