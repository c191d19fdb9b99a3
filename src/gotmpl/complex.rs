//! Complex constants, which Go's templates have and no chart uses: they print, and compare, and no more.

use std::any::Any;
use std::borrow::Cow;

use super::text::float;
use super::{Kind, Object, Val};

/// A `complex128`.
#[derive(Debug)]
pub(super) struct Complex {
    pub(super) real: f64,
    pub(super) imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> Cow<'_, str> {
        "complex128".into()
    }

    fn kind(&self) -> Kind {
        Kind::Complex128
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        let imaginary = float(self.imaginary, b'g', -1);
        let sign = if imaginary.starts_with(['-', '+']) { "" } else { "+" };
        out.extend_from_slice(format!("({}{sign}{imaginary}i)", float(self.real, b'g', -1)).as_bytes());
    }

    fn is_stringer(&self) -> bool {
        false
    }

    fn plain(&self) -> Val {
        Val::Nil
    }

    fn truth(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Complex>().is_some_and(|other| (self.real, self.imaginary) == (other.real, other.imaginary))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
