//! Link options of the binary; no code is generated.

#![expect(clippy::disallowed_methods, reason = "how cargo speaks to a build script")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A position-independent executable this size has 28,000 addresses that the loader must correct, in 136 pages of their own,
    // before `main` runs: a fifth of what a small render takes. Everything else (heap, stack, libraries) is placed at random still.
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if linux && gnu && std::env::var_os("CARGO_FEATURE_CLI").is_some() {
        println!("cargo::rustc-link-arg-bin=hydrant=-no-pie");
        // The unwinder, which only prints backtraces here, is linked in: a library more to load costs a tenth of a millisecond at
        // each start. The standard library asks for the shared one; what the linker finds under that name says where else to look.
        let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
        if is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("PROFILE", "release") {
            let folder = std::env::var("OUT_DIR").expect("cargo names it");
            std::fs::write(format!("{folder}/libgcc_s.so"), "GROUP ( libgcc_eh.a libgcc.a )\n")
                .expect("a folder to write to");
            println!("cargo::rustc-link-search=native={folder}");
        }
    }
}
