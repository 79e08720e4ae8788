//! The `cunlian-hub` binary.

fn main() -> std::process::ExitCode {
    cunlian_hub::main_with(std::env::args_os().collect())
}
