//! The `cunlian-node` binary.

fn main() -> std::process::ExitCode {
    cunlian_node::main_with(std::env::args_os().collect())
}
