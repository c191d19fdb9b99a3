//! Rego as OPA reads it, for a library that reads it a little otherwise.
//!
//! In: a module. Out: a module of the same meaning, in which
//!
//! * a line that begins with a parenthesis is a statement of its own, and no call of the name before it,
//! * a rule with several bodies is several rules,
//! * `not f(a.b)` first asks for `a.b`, as OPA's compiler has it: where that is undefined the body fails, and is not negated.

/// The name of what is asked for before a negation.
const HOISTED: &str = "hydrant_argument_";

/// The module as the library reads it.
pub(super) fn normalised(text: &str) -> String {
    hoisted(&separated(text))
}

/// What a scan stands in.
#[derive(Clone, Copy, PartialEq)]
enum In {
    Code,
    Text,
    Raw,
    Comment,
}

/// Walks over the characters of code, with what each stands in.
struct Scan {
    state: In,
    escaped: bool,
}

impl Scan {
    fn new() -> Scan {
        Scan { state: In::Code, escaped: false }
    }

    /// What the character stands in; quotes count as outside.
    fn step(&mut self, letter: char) -> In {
        let before = self.state;
        match (self.state, letter) {
            (In::Code, '"') => self.state = In::Text,
            (In::Code, '`') => self.state = In::Raw,
            (In::Code, '#') => self.state = In::Comment,
            (In::Text, _) if self.escaped => self.escaped = false,
            (In::Text, '\\') => self.escaped = true,
            (In::Text, '"' | '\n') | (In::Raw, '`') | (In::Comment, '\n') => self.state = In::Code,
            _ => {}
        }
        if before == In::Code { self.state } else { before }
    }
}

/// Semicolons before parentheses that begin a line, and heads before bodies that follow a body.
fn separated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut scan = Scan::new();
    let (mut depth, mut nested) = (0usize, 0usize);
    // the last character of code, and whether a line ended since
    let (mut last, mut fresh) = ('\n', false);
    let mut head = String::new();
    let mut chained = false;
    for letter in text.chars() {
        let inside = scan.step(letter);
        if inside == In::Code && letter == '(' && fresh && depth > 0 && (last.is_alphanumeric() || "_])\"`}".contains(last)) {
            out.push_str("; ");
        }
        if inside == In::Code && letter == '{' && depth == 0 && nested == 0 {
            let value = head.trim_end().ends_with('=') || head.trim_end().ends_with("default");
            if chained && head.trim().is_empty() && !value {
                let head = kept(&out);
                out.push_str(&head);
            }
        }
        out.push(letter);
        if inside == In::Comment {
            continue;
        }
        if inside == In::Code {
            match letter {
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && nested == 0 {
                        chained = true;
                        head.clear();
                        (last, fresh) = ('}', false);
                        continue;
                    }
                }
                '(' | '[' if depth == 0 => nested += 1,
                ')' | ']' if depth == 0 => nested = nested.saturating_sub(1),
                _ => {}
            }
        }
        if depth == 0 && letter != '{' {
            head.push(letter);
            if !letter.is_whitespace() {
                chained = false;
            }
        }
        if letter == '\n' {
            fresh = true;
        } else if !letter.is_whitespace() {
            (last, fresh) = (letter, false);
        }
    }
    out
}

/// The head of the rule whose body ended last: what stands between the body before it and its own.
fn kept(out: &str) -> String {
    let mut scan = Scan::new();
    let (mut depth, mut nested, mut start, mut found) = (0usize, 0usize, 0usize, String::new());
    for (at, letter) in out.char_indices() {
        if scan.step(letter) != In::Code {
            continue;
        }
        match letter {
            '{' if depth == 0 && nested == 0 => {
                let text = out[start..at].lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
                // modules begin with a package and imports, which are no part of a head
                let text = text.trim();
                let head = text.rsplit("\n\n").next().unwrap_or_default().trim();
                let head = head.rsplit('\n').next().unwrap_or_default().trim();
                if !head.is_empty() {
                    head.clone_into(&mut found);
                }
                depth += 1;
            }
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && nested == 0 {
                    start = at + 1;
                }
            }
            '(' | '[' if depth == 0 => nested += 1,
            ')' | ']' if depth == 0 => nested = nested.saturating_sub(1),
            _ => {}
        }
    }
    if found.starts_with("else") { String::new() } else { format!("\n{found} ") }
}

/// References among the arguments of negated calls, asked for before the negation.
fn hoisted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut count = 0;
    let mut scan = Scan::new();
    let mut skip_to = 0;
    for (at, letter) in text.char_indices() {
        let inside = scan.step(letter);
        if at < skip_to {
            continue;
        }
        let begins = inside == In::Code && text[at..].starts_with("not ") && !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '.');
        if let Some((call, length)) = begins.then(|| negated_call(&text[at + 4..])).flatten() {
            let (name, arguments) = call;
            let mut asked = String::new();
            let mut rest = Vec::new();
            for argument in arguments {
                if is_reference(argument.trim()) {
                    count += 1;
                    asked.push_str(&format!("{HOISTED}{count} := {}; ", argument.trim()));
                    rest.push(format!("{HOISTED}{count}"));
                } else {
                    rest.push(argument.to_owned());
                }
            }
            if !asked.is_empty() {
                out.push_str(&format!("{asked}not {name}({})", rest.join(",")));
                skip_to = at + 4 + length;
                continue;
            }
        }
        out.push(letter);
    }
    out
}

/// The name and arguments of a call that a text begins with, and its length; nothing for anything else.
fn negated_call(text: &str) -> Option<((&str, Vec<&str>), usize)> {
    let open = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'))?;
    if open == 0 || !text[open..].starts_with('(') {
        return None;
    }
    let mut scan = Scan::new();
    let (mut depth, mut start, mut arguments) = (0, open + 1, Vec::new());
    for (at, letter) in text.char_indices().skip_while(|(at, _)| *at < open) {
        if scan.step(letter) != In::Code {
            continue;
        }
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    arguments.push(&text[start..at]);
                    return Some(((&text[..open], arguments), at + 1));
                }
            }
            ',' if depth == 1 => {
                arguments.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// `a.b`, `a["b"].c`: a way into a value that may lead nowhere; variables alone are always there.
fn is_reference(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let mut parts = text.split('.');
    let first = parts.next().is_some_and(|part| plain(part) && !part.starts_with(|first: char| first.is_ascii_digit()));
    let mut more = false;
    first && parts.all(|part| { more = true; plain(part) }) && more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parenthesis_on_a_new_line_is_a_statement() {
        let text = "package a\np(x) {\n  input.n\n  (x - 1) >= input.n\n}\n";
        assert_eq!(normalised(text), "package a\np(x) {\n  input.n\n  ; (x - 1) >= input.n\n}\n");
        let text = "p {\n  x := 1 +\n    (2)\n  f(\n    (1))\n}\n";
        assert_eq!(normalised(text), text);
    }

    #[test]
    fn bodies_become_rules() {
        let text = "package a\n\nv[{\"msg\": m}] {\n  m := \"{\"\n} {\n  m := \"b\" # } {\n}\n";
        assert_eq!(normalised(text), "package a\n\nv[{\"msg\": m}] {\n  m := \"{\"\n} \nv[{\"msg\": m}] {\n  m := \"b\" # } {\n}\n");
        let text = "f(x) = y {\n  y := x\n}\n\ng {\n  true\n} else {\n  false\n}\n";
        assert_eq!(normalised(text), text);
    }

    #[test]
    fn references_are_asked_for_before_a_negation() {
        let text = "p {\n  not f(a, b.c, \"x, y\")\n}\n";
        assert_eq!(normalised(text), "p {\n  hydrant_argument_1 := b.c; not f(a,hydrant_argument_1, \"x, y\")\n}\n");
        let text = "p {\n  cannot(a.b)\n  not x.y\n  not f(g(a.b))\n}\n";
        assert_eq!(normalised(text), text);
    }
}
