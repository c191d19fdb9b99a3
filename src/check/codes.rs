//! The codes of all checks: the vocabulary of `--skip`, of baselines and of `docs/checks.md`.

/// A check: its code, and what it finds.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// One line.
    pub finds: &'static str,
}

const fn code(code: &'static str, finds: &'static str) -> Code {
    Code { code, finds }
}

/// Every check, in the order of `docs/checks.md`.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
    code("schema-type", "a value of a type that the field does not take"),
    code("schema-format", "a text that is not in the form that the field needs"),
    code("schema-required", "a field that must stand and does not"),
    code("schema-unknown-field", "a field that the kind does not have"),
    code("schema-enum", "a word that is not one of the field's words"),
    code("schema-bounds", "a number, length or amount out of bounds"),
    code("schema-pattern", "a text that does not match the custom kind's pattern"),
    code("schema-junctor", "a value that does not fit `anyOf`, `oneOf` or `not`"),
    code("schema-duplicate", "an item that repeats another's key or name"),
    code("schema-duplicate-key", "a key that stands twice in a map"),
    code("schema-conflict", "fields that must not stand together"),
    code("schema-reference", "a name that nothing in the same object has"),
    code("schema-selector", "a selector that does not select its own template"),
    code("schema-name", "a name that the API server refuses"),
    code("schema-label", "a label or annotation that the API server refuses"),
    code("schema-scope", "a namespace on an object that lives outside of namespaces"),
    code("schema-rule", "a CEL rule of a custom kind that does not hold"),
    code("schema-rule-error", "a CEL rule of a custom kind that cannot be evaluated"),
    code("api-removed", "an `apiVersion` that this Kubernetes version does not serve"),
    code("kind-unknown", "a kind that its API group does not have"),
    code("set-no-crd", "a custom kind that nothing in the set defines"),
    code("set-namespace-missing", "an object without a namespace, whose kind lives in one"),
    code("set-duplicate", "an object that stands twice"),
    code("set-reference", "a reference to an object that is not in the set"),
    code("set-hash", "a reference to a name that lacks the hash of its generated object"),
    code("set-selector", "a selector that selects nothing in the set"),
    code("set-secret", "a Secret in plain text"),
    code("policy-denied", "an object that a policy denies"),
    code("policy-warned", "an object that a policy warns of"),
    code("policy-unevaluated", "a policy, or a part of one, that is not evaluated here"),
    code("policy-error", "a policy that fails while it is evaluated"),
];

/// The position of a code, which is known.
pub fn is_code(text: &str) -> bool {
    CODES.iter().any(|row| row.code == text)
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_check_has_its_place_in_the_docs() {
        let docs = include_str!("../../docs/checks.md");
        for row in CODES {
            assert!(docs.contains(&format!("### `{}`", row.code)), "docs/checks.md lacks `{}`", row.code);
        }
        assert_eq!(docs.matches("### `").count(), CODES.len(), "docs/checks.md has a code that is no check");
    }
}
