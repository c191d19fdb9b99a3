//! Keys as flags name them: a PEM file, or `env://VARIABLE`, as cosign has it.

#![expect(clippy::disallowed_methods, reason = "key files are read here and handed on")]

use crate::diag::{Diagnostic, Result};
use crate::trust::{PrivateKey, PublicKey};

use super::terminal::Terminal;

/// The variable that holds the password of an encrypted key, as cosign has it.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// The private key that a flag names.
pub(super) fn private(name: &str) -> Result<PrivateKey> {
    PrivateKey::read(&text(name)?, Terminal::environment(PASSWORD).as_deref()).map_err(named(name))
}

/// The public key that a flag names.
pub(super) fn public(name: &str) -> Result<PublicKey> {
    PublicKey::read(&text(name)?).map_err(named(name))
}

/// The text of the public key that a flag names, which was read and is one.
pub(super) fn public_text(name: &str) -> Result<String> {
    public(name)?;
    text(name)
}

fn named(name: &str) -> impl Fn(Box<Diagnostic>) -> Box<Diagnostic> {
    move |fault| Box::new(fault.trail(format!("in the key `{name}`"), None))
}

fn text(name: &str) -> Result<String> {
    if let Some(variable) = name.strip_prefix("env://") {
        return Terminal::environment(variable).ok_or_else(|| {
            let fault = Diagnostic::input("key-unreadable", format!("the variable `{variable}` is not set"));
            Box::new(fault.hint("put the key's PEM text into it"))
        });
    }
    std::fs::read_to_string(name).map_err(|error| {
        let fault = Diagnostic::input("key-unreadable", format!("cannot read the key `{name}`: {error}"));
        Box::new(fault.hint("give a PEM file; `cosign generate-key-pair` makes a pair"))
    })
}
