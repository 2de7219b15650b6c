//! A look at a layout while it is drawn:
//! `cargo run -p mimamori-sheets --example look LAYOUT.typ VALUES.json OUT.png [PAGE]`.
#![allow(
    clippy::print_stderr,
    missing_docs,
    reason = "a tool for the desk tells what it found"
)]

use mimamori_sheets::{Fonts, Layout, Printer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("LAYOUT.typ VALUES.json OUT.png [PAGE]")
    };
    let (layout, values, out) = (next()?, next()?, next()?);
    let page = arguments.next().map_or(Ok(1), |p| p.parse())?;
    let text = std::fs::read_to_string(layout)?;
    let layout = Layout {
        name: "下見",
        // One layout for the life of this tool.
        text: Box::leak(text.into_boxed_str()),
    };
    let values = serde_json::from_slice(&std::fs::read(values)?)?;
    let sheet = Printer::new(Fonts::system()?).sheet(layout, &values)?;
    for one in sheet.unprintable() {
        eprintln!("{} {} {:?}", one.codes(), one.why.japanese(), one.place);
    }
    eprintln!("{} pages", sheet.pages());
    std::fs::write(out, sheet.picture(page, 1.6)?)?;
    Ok(())
}
