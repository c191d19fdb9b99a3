//! The `hydrant` binary; everything is in the library's `cli` room.

/// Charts are many small values that come and go; the system's allocator spends a fifth of a render on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hydrant::cli::main()
}
