//! The `hydrant` binary; everything is in the library's `cli` room.

fn main() -> std::process::ExitCode {
    hydrant::cli::main()
}
