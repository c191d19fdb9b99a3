//! Link options of the binary; nothing is generated.

#![expect(clippy::disallowed_methods, reason = "how cargo speaks to a build script")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A position-independent executable this size has 28,000 addresses that the loader must correct, in 136 pages of their own,
    // before `main` runs: a fifth of what a small render takes. Everything else (heap, stack, libraries) is placed at random still.
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if linux && gnu && std::env::var_os("CARGO_FEATURE_CLI").is_some() {
        println!("cargo::rustc-link-arg-bin=hydrant=-no-pie");
    }
}
