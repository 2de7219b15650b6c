//! `mimamori`: see `mimamori help`.

/// Many small values go between threads on the way to the database and back; this allocator is
/// quicker at that than the system's and gives memory back after an import (`docs/figures.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mimamori_server::cli::run()
}
