//! `mimamori`: see `mimamori help`.

fn main() -> std::process::ExitCode {
    mimamori_server::cli::run()
}
