//! Replacement templates: `$1`, `$name`, `${name}`, `$$`.

/// A group that a template names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group<'t> {
    /// By number.
    Number(usize),
    /// By name.
    Name(&'t str),
}

/// Writes `template` with its groups filled in. `$` before anything else stands for itself.
pub(super) fn expand<'a>(out: &mut Vec<u8>, mut template: &[u8], value: impl Fn(Group<'_>) -> &'a [u8]) {
    while let Some(at) = template.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&template[..at]);
        template = &template[at..];
        if template.get(1) == Some(&b'$') {
            out.push(b'$');
            template = &template[2..];
            continue;
        }
        if let Some((group, length)) = reference(template) {
            out.extend_from_slice(value(group));
            template = &template[length..];
        } else {
            out.push(b'$');
            template = &template[1..];
        }
    }
    out.extend_from_slice(template);
}

/// The group named at the start of `template` and the length of its mention.
fn reference(template: &[u8]) -> Option<(Group<'_>, usize)> {
    let braced = template.get(1) == Some(&b'{');
    let start = if braced { 2 } else { 1 };
    let text = std::str::from_utf8(template.get(start..)?).unwrap_or_else(|fault| {
        let valid = &template[start..start + fault.valid_up_to()];
        std::str::from_utf8(valid).unwrap_or("")
    });
    let length: usize = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
    let name = &text[..length];
    if name.is_empty() || braced && text.as_bytes().get(length) != Some(&b'}') {
        return None;
    }
    let group = match name.parse::<usize>() {
        Ok(number) if number < 100_000_000 && (name == "0" || !name.starts_with('0')) => Group::Number(number),
        _ => Group::Name(name),
    };
    Some((group, start + length + usize::from(braced)))
}
