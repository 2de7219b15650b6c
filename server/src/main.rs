//! `mimamori`: see `mimamori help`.

/// Many small values go between threads on the way to the database and back; this allocator is
/// quicker at that than the system's and gives memory back after an import (`docs/figures.md`). What is given back
/// is wiped first, so that a number, a password or a name does not wait in free memory for the next dump.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> =
    zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

fn main() -> std::process::ExitCode {
    mimamori_server::cli::run()
}
