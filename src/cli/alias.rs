//! Called through a link named `helm` or `kustomize`: the same arguments that those take, for the commands that Hydrant
//! answers; the rest is refused by name. Every failure exits with 1, as theirs do.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::compat::{Helm, Kustomize, Profile};
use crate::diag::{Diagnostic, Result};

/// The environment variable that holds the profile of calls by another name.
pub(super) const COMPAT_VARIABLE: &str = "HYDRANT_COMPAT";

/// What a call by another name asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Hydrant's own command line.
    Run(Vec<OsString>),
    /// A text to print.
    Print(String),
}

/// The tool whose name the binary is called by.
pub(super) fn tool(program: &OsStr) -> Option<&'static str> {
    let name = Path::new(program).file_name()?.to_str()?;
    ["helm", "kustomize"].into_iter().find(|tool| *tool == name)
}

/// Understands a call by another name. `compat` is what [`COMPAT_VARIABLE`] holds.
pub(super) fn call(tool: &'static str, arguments: &[OsString], compat: &str) -> Result<Call> {
    let command =
        arguments.iter().find(|word| !word.as_encoded_bytes().starts_with(b"-")).and_then(|word| word.to_str());
    let flag = |names: &[&str]| arguments.iter().any(|word| names.iter().any(|name| word == name));
    match (tool, command) {
        ("helm", Some("version")) => {
            Ok(Call::Print(helm_version(Profile::parse(compat)?, flag(&["--short", "-c", "--client"]))))
        }
        ("kustomize", Some("version")) => Ok(Call::Print(kustomize_version(Profile::parse(compat)?))),
        ("helm", Some("template")) => Ok(Call::Run(own("template", "template", arguments, compat, &[]))),
        ("helm", Some(theirs @ ("pull" | "fetch"))) => Ok(Call::Run(own(theirs, "helm-pull", arguments, compat, &[]))),
        ("helm", Some(theirs @ ("show" | "inspect"))) => Ok(Call::Run(own(theirs, "show", arguments, compat, &[]))),
        ("helm", Some(theirs @ ("dependency" | "dep" | "dependencies"))) => {
            Ok(Call::Run(own(theirs, "deps", arguments, compat, &["--charts-only"])))
        }
        ("kustomize", Some("build")) => {
            Ok(Call::Run(own("build", "build", arguments, compat, &["--kustomizations-only", "--no-charts"])))
        }
        (_, Some(other)) => {
            let message = format!("hydrant does not answer `{tool} {other}`");
            Err(Box::new(Diagnostic::input("alias-command", message).hint(format!("call the real {tool} for it"))))
        }
        (_, None) => Ok(Call::Run(vec!["hydrant".into(), "--help".into()])),
    }
}

/// The arguments with the command's own name in front and the profile behind.
fn own(theirs: &str, ours: &str, arguments: &[OsString], compat: &str, more: &[&str]) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["hydrant".into(), ours.into()];
    let at = arguments.iter().position(|word| word == theirs);
    words.extend(arguments.iter().enumerate().filter(|(index, _)| Some(*index) != at).map(|(_, word)| word.clone()));
    words.extend(more.iter().map(OsString::from));
    if !compat.is_empty() {
        words.extend(["--compat".into(), compat.into()]);
    }
    words
}

fn helm_version(profile: Profile, short: bool) -> String {
    let version = match profile.helm {
        Helm::V3 => "v3.17.3",
        Helm::V4_1 => "v4.1.4",
        Helm::V4_3 => "v4.3.1",
    };
    if short {
        format!("{version}+hydrant\n")
    } else {
        format!("version.BuildInfo{{Version:\"{version}\", GitCommit:\"hydrant\"}}\n")
    }
}

fn kustomize_version(profile: Profile) -> String {
    let version = match profile.kustomize {
        Kustomize::V5_4 => "v5.4.2",
        Kustomize::V5_7 => "v5.7.1",
        Kustomize::V5_8 => "v5.8.1",
    };
    format!("{version}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect()
    }

    #[test]
    fn calls_are_told_apart() {
        assert_eq!(tool(OsStr::new("/usr/bin/helm")), Some("helm"));
        assert_eq!(tool(OsStr::new("hydrant")), None);
        let run = |tool, text: &str, compat| call(tool, &words(text), compat).expect("answered");
        assert_eq!(
            run("helm", "template rel chart", "helm-3"),
            Call::Run(words("hydrant template rel chart --compat helm-3"))
        );
        assert_eq!(
            run("kustomize", "build . --enable-helm", ""),
            Call::Run(words("hydrant build . --enable-helm --kustomizations-only --no-charts"))
        );
        assert_eq!(run("kustomize", "build", ""), Call::Run(words("hydrant build --kustomizations-only --no-charts")));
        assert_eq!(run("helm", "version -c --short", "helm-3"), Call::Print("v3.17.3+hydrant\n".into()));
        assert_eq!(run("kustomize", "version", "kustomize-5.8"), Call::Print("v5.8.1\n".into()));
        assert_eq!(run("helm", "pull web --repo u", ""), Call::Run(words("hydrant helm-pull web --repo u")));
        assert_eq!(
            run("helm", "dep up chart", "helm-3"),
            Call::Run(words("hydrant deps up chart --charts-only --compat helm-3"))
        );
        assert!(call("helm", &words("install x y"), "").expect_err("refused").message.contains("helm install"));
    }
}
