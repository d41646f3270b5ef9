//! The `lottning` command: everything it does is in [`lottning::cli`].

fn main() -> std::process::ExitCode {
    lottning::cli::main()
}
