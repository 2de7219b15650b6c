//! The handover in this instance: its folders, its approvals, and whom it asks about the papers.

use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use mimamori_handover::course::Channel;
use mimamori_handover::{
    Asked, Grant, GrantedItem, Grants, Handover, Position, Proof, Scanner, Settings,
};
use mimamori_kernel::id::ContractId;
use mimamori_oversight::{HandedOver, Oversight, StillOut};
use mimamori_trace::Trace;

use crate::config::Config;
use crate::instance::Instance;

/// The newest signed position of the trace: the second and third line of the checkpoint.
fn position(trace: Trace) -> Position {
    Arc::new(move || {
        let note = trace.newest_checkpoint().ok().flatten()?;
        let mut lines = note.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        let root = base64::engine::general_purpose::STANDARD
            .decode(lines.next()?)
            .ok()?;
        Some((size, hex::encode(root)))
    })
}

/// Class of an item in the manifest.
fn class(item: &str) -> &'static str {
    match item {
        "name_kana" | "name_kanji" | "birth_date" | "sex" => "identity",
        "address" => "address",
        "phone" | "email" => "contact",
        _ => "health",
    }
}

/// What the approved sheets of a contract open, in the words of the handover.
fn granted(paper: mimamori_oversight::Grant) -> Grant {
    let line = paper.items.first().map(|item| item.line.clone());
    let channels = paper.channels.iter().filter_map(|way| match way.channel {
        mimamori_oversight::Channel::Lgwan => Some(Channel::Folder),
        mimamori_oversight::Channel::Medium => Some(Channel::Medium),
        mimamori_oversight::Channel::Paper => None,
    });
    Grant {
        contract: paper.contract,
        title: paper.subject,
        partner: paper.partner,
        purpose: paper.purpose,
        legal_ground: paper.legal_ground,
        line: format!("{}（{}）", line.unwrap_or_default(), paper.sheet.words()),
        channels: channels.collect(),
        items: paper
            .items
            .into_iter()
            .map(|item| GrantedItem {
                class: class(&item.id).into(),
                id: item.id,
                name: item.name,
            })
            .collect(),
        until: paper.until,
    }
}

/// What a contract opens: the room of the papers says it, and nobody else.
fn grants(papers: Oversight) -> Grants {
    Arc::new(move |visitor, contract, day| -> Asked {
        let papers = papers.clone();
        Box::pin(async move {
            let paper = papers.grant(&visitor, contract, day).await;
            paper.map(granted).map_err(|error| error.to_string())
        })
    })
}

/// Tells the closing day what is still out.
struct Counted(Handover);

impl HandedOver for Counted {
    fn still_out(
        &self,
        contract: ContractId,
    ) -> Pin<Box<dyn Future<Output = Option<StillOut>> + Send + '_>> {
        Box::pin(async move {
            let out = self.0.still_out(contract).await;
            let out = out.inspect_err(|error| tracing::error!(error = ?error, "nothing counted"));
            out.ok().map(|out| StillOut {
                packages: out.packages,
                media: out.media,
                slips: out.slips,
                papers: 0,
                files: out.files,
                certificates: out.certificates,
            })
        })
    }
}

/// Where the virus scanner listens, if the town named one.
fn scanner(config: &Config) -> Option<Scanner> {
    let text = config.handover.as_ref()?.clamd.as_ref()?;
    Some(match text.parse() {
        Ok(address) => Scanner::Address(address),
        Err(_) => Scanner::Socket(text.into()),
    })
}

/// The room of an instance, and the room of its papers, each with its way to the other.
pub(crate) fn rooms(instance: &Instance, papers: Oversight) -> (Handover, Oversight) {
    let room = Handover::new(
        instance.gate.clone(),
        instance.clock.clone(),
        instance.random.clone(),
        Settings {
            town: instance.config.town.clone(),
            folder: instance.dir.join("handover"),
            secret: instance.keys.wrapping.clone(),
            proof: Proof {
                origin: instance.identity.passkey_origin().map(str::to_owned),
                simulated: instance.demo_face.clone(),
            },
            scanner: scanner(&instance.config),
        },
        position(instance.trace.clone()),
        grants(papers.clone()),
    );
    (
        room.clone(),
        papers.with_handed_over(Arc::new(Counted(room))),
    )
}
