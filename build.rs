//! Link options of the binary; no code is generated.

#![expect(clippy::disallowed_methods, reason = "how cargo speaks to a build script")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // what `tools/profile/rustc` adds; Cargo does not look at it
    println!("cargo::rerun-if-changed=tools/profile");
    println!("cargo::rerun-if-env-changed=HYDRANT_PROFILE");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    let cli = std::env::var_os("CARGO_FEATURE_CLI").is_some();
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") || !cli {
        return;
    }
    // A position-independent executable this size has 28,000 addresses that the loader must correct, in 136 pages of their own,
    // before `main` runs: a fifth of what a small render takes. Everything else (heap, stack, libraries) is placed at random still.
    println!("cargo::rustc-link-arg-bin=hydrant=-no-pie");
    // The C library and the unwinder are linked in, where the system has them to link: to find and bind the shared ones takes a
    // fifth of a small render. The standard library asks for shared ones; what the linker finds under their names says where else
    // to look. Names of hosts are still resolved as `nsswitch.conf` says.
    let shared = std::env::var_os("HYDRANT_SHARED_LIBC").is_some();
    let needed = ["libc.a", "libm.a", "libgcc_eh.a"];
    println!("cargo::rerun-if-env-changed=HYDRANT_SHARED_LIBC");
    if is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("PROFILE", "release") && !shared && needed.into_iter().all(has) {
        let folder = std::env::var("OUT_DIR").expect("cargo names it");
        for (name, members) in [("libgcc_s", "libgcc_eh.a libgcc.a"), ("libc", "libc.a"), ("libm", "libm.a")] {
            std::fs::write(format!("{folder}/{name}.so"), format!("GROUP ( {members} )\n"))
                .expect("a folder to write to");
        }
        println!("cargo::rustc-link-arg-bin=hydrant=-static");
        println!("cargo::rustc-link-arg-bin=hydrant=-L{folder}");
    }
}

/// True if the system's linker knows a library of that name.
fn has(name: &str) -> bool {
    let found = std::process::Command::new("cc").arg(format!("-print-file-name={name}")).output();
    found.is_ok_and(|output| output.stdout.starts_with(b"/"))
}
