//! `mimamori demo`: a sample town in a fresh directory, and a role chooser instead of passwords.

use std::path::Path;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::Purpose;
use mimamori_identity::{
    Contract, DesignationDays, Mark, NewUser, Org, OrgKind, Role, Terms, designate, enter_contract,
    enter_terminal,
};
use mimamori_kernel::id::{ContractId, DesignationId, OrgId, TerminalId};
use mimamori_pages::{Frame, LimitedForm, Problem, html};
use mimamori_residents::{action, import};
use mimamori_storage::Statement;
use mimamori_testkit::{TownArgs, write_dirty_town, write_town};

use crate::config::{Config, Environment, Numbers, Zone};
use crate::error::StartError;
use crate::init::{enter, make, system_act};
use crate::instance::Instance;
use crate::serve::serve;
use crate::web::{Site, opened};

/// Organisation, login, name on the screen, role, what to try.
type Player = (
    OrgKind,
    &'static str,
    &'static str,
    &'static str,
    Role,
    &'static str,
);

/// The clerk who is a designated handler.
const HANDLER: &str = "handler-1";

/// The folder of the inbox with the sample town and its planted errors.
const DIRTY: &str = "見本の町（誤りあり）";

/// The people of the demo.
pub const PLAYERS: [Player; 10] = [
    (
        OrgKind::Department,
        "介護保険課",
        "clerk-1",
        "介護 はな",
        Role::Clerk,
        "住民を検索し、被保険者と世帯員の記録を開く",
    ),
    (
        OrgKind::Department,
        "介護保険課",
        "lead-1",
        "守屋 まこと",
        Role::LeadOfficer,
        "支援措置の対象者の住所まで見られる",
    ),
    (
        OrgKind::Department,
        "介護保険課",
        HANDLER,
        "番号 まもる",
        Role::Clerk,
        "特定個人情報取扱者。模擬の顔認証のあとで、個人番号を扱える",
    ),
    (
        OrgKind::Department,
        "地域包括ケア推進課",
        "care-1",
        "包括 あゆみ",
        Role::CareClerk,
        "被保険者だけを見られる。世帯員は断られる",
    ),
    (
        OrgKind::Department,
        "情報システム課",
        "system-1",
        "情報 たける",
        Role::SystemAdministrator,
        "個人の記録は見られない",
    ),
    (
        OrgKind::Department,
        "監査室",
        "audit-1",
        "監査 きよし",
        Role::Auditor,
        "職員の利用を調べ、点検の結果に回答する",
    ),
    (
        OrgKind::Department,
        "運営事務局",
        "kanri-1",
        "運営 みどり",
        Role::OperationsManager,
        "利用者の登録・停止・任命の申請。個人の記録は見られない",
    ),
    (
        OrgKind::Department,
        "運営事務局",
        "kanri-2",
        "運営 たかし",
        Role::OperationsManager,
        "もう一人が申請した任命を承認する",
    ),
    (
        OrgKind::Citizens,
        "市民",
        "citizen-1",
        "市民",
        Role::Citizen,
        "自分の記録を誰が見たかを確かめる",
    ),
    (
        OrgKind::Contractor,
        "見本情報サービス（委託先）",
        "vendor-1",
        "委託 つよし",
        Role::Contractor,
        "住民の記録には近づけない",
    ),
];

/// Makes the directory anew; only one that carries the demo's stamp is ever emptied.
async fn fresh(dir: &Path, port: u16, synchronous: Option<String>) -> Result<(), StartError> {
    if dir.join("mimamori.toml").exists() {
        if !Config::is_demo(dir)? {
            return Err(StartError::State(format!(
                "{} はデモのフォルダではありません。何も変えませんでした。",
                dir.display()
            )));
        }
        let lock = crate::instance::lock(dir)?;
        for entry in std::fs::read_dir(dir)
            .map_err(StartError::file(dir))?
            .flatten()
        {
            let path = entry.path();
            let done = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            done.map_err(StartError::file(path))?;
        }
        drop(lock);
    } else if dir.is_dir() && std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_some()) {
        return Err(StartError::State(format!(
            "{} は空ではありません。別のフォルダを --data で指定してください。",
            dir.display()
        )));
    }
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let room = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config {
        synchronous,
        numbers: Some(Numbers::new(room, format!("http://localhost:{port}"))),
        ..Config::new(Zone::Demo, Environment::Demo, "mimamori.example", listen)
    };
    make(dir, &config).await
}

async fn people(instance: &Instance) -> Result<(), StartError> {
    let mut orgs: Vec<Org> = Vec::new();
    for (kind, office, login, name, role, _) in PLAYERS {
        let known = orgs.iter().find(|o| o.name == office).cloned();
        let org = known.clone().unwrap_or(Org {
            id: OrgId::random(&*instance.random),
            kind,
            name: office.into(),
        });
        let user = NewUser {
            login: login.into(),
            name: name.into(),
            org: org.id,
            org_kind: kind,
            roles: vec![role],
            person: None,
            approved_by: None,
            until: None,
        };
        enter(instance, &user, known.is_none().then_some(&org)).await?;
        if kind == OrgKind::Contractor && known.is_none() {
            contract(instance, &org).await?;
        }
        if known.is_none() {
            orgs.push(org);
        }
    }
    let here = [
        std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::Ipv6Addr::LOCALHOST.into(),
    ];
    designate_handler(instance, &here).await
}

/// A maintenance contract to the end of the fiscal year that names no resident's data: without
/// one the partner's people could not sign in (S0-64).
pub async fn contract(instance: &Instance, org: &Org) -> Result<(), StartError> {
    let today = instance.clock.now().office_day();
    let year = mimamori_kernel::date::fiscal_year(today);
    let last = jiff::civil::Date::new(year + 1, 3, 31).unwrap_or(today);
    let terms = Terms {
        purposes: vec![Purpose::Operation.code().into()],
        classes: 0,
    };
    let id = ContractId::random(&*instance.random);
    let contract = Contract::new(
        id,
        org.id,
        "システム保守（見本）".into(),
        terms,
        (today, last),
    );
    let changes = enter_contract(&contract).into_statements();
    let line = system_act(instance, "contract.enter", "demo".into(), changes);
    instance.trace.record(line).await?;
    Ok(())
}

/// Designates the demo's handler to the end of the fiscal year and registers terminals by address (S0-46, S0-48).
pub async fn designate_handler(
    instance: &Instance,
    addresses: &[std::net::IpAddr],
) -> Result<(), StartError> {
    let now = instance.clock.now();
    let today = now.office_day();
    let year = mimamori_kernel::date::fiscal_year(today);
    let last = jiff::civil::Date::new(year + 1, 3, 31).unwrap_or(today);
    let find = async |login: &str| {
        let found = instance.identity.by_login(login).await?;
        found.ok_or_else(|| StartError::State(format!("{login} がいません")))
    };
    let (one, other) = (find("kanri-1").await?, find("kanri-2").await?);
    let to = find(HANDLER).await?;
    let days = DesignationDays {
        from: today,
        until: last,
        trained: today,
    };
    let id = DesignationId::random(&*instance.random);
    let mut change = designate(id, (&one, &other), &to, days, now)?;
    for address in addresses {
        let id = TerminalId::random(&*instance.random);
        let words = ("見本の端末", "見本の取扱区域");
        let mark = Mark::Address(*address);
        change = change.and(enter_terminal(id, &mark, words, &other.id, now));
    }
    let changes = change.into_statements();
    let line = system_act(instance, "handler.designate", "demo".into(), changes);
    instance.trace.record(line).await?;
    Ok(())
}

/// Makes the sample town and loads it through the same import as any town.
async fn load(
    dir: &Path,
    args: TownArgs,
    instance: &Instance,
    site: &Site,
) -> Result<import::Outcome, StartError> {
    let town = dir.join("sample-town");
    let out = town.clone();
    std::fs::create_dir_all(&out).map_err(StartError::file(&out))?;
    tokio::task::spawn_blocking(move || write_town(&args, &out))
        .await
        .map_err(|e| StartError::State(e.to_string()))??;
    let permit = instance.gate.job(action::IMPORT, None).await?;
    let order = import::Order {
        sample_only: true,
        ..import::Order::folder(&town)
    };
    let outcome = import::run(&permit, &*instance.random, &order, &site.progress).await?;
    let person = "SELECT p.person FROM residents_person p WHERE p.generation = (SELECT generation FROM residents_state WHERE one = 1) \
                  AND p.status = 1 AND p.insured = 1 AND p.protected = 0 AND p.special_address = 0 ORDER BY p.kana_key, p.address_number LIMIT 1";
    let link = Statement::expecting(
        format!(
            "UPDATE identity_user SET epoch = epoch + 1, person = ({person}) WHERE login = 'citizen-1'"
        ),
        vec![],
        1,
        "demo-citizen",
    );
    let mut links = vec![link];
    // Two officers live in the town, so that the rules about one's own record have somebody to find.
    for (login, place) in [("clerk-1", 0i64), ("lead-1", 12)] {
        links.push(Statement::expecting(
            "INSERT INTO identity_resident (user_id, address_number, own) \
             SELECT u.id, p.address_number, 1 FROM identity_user u, residents_person p WHERE u.login = ? \
             AND p.generation = (SELECT generation FROM residents_state WHERE one = 1) \
             AND p.person = (SELECT q.person FROM residents_person q WHERE q.generation = (SELECT generation FROM residents_state WHERE one = 1) AND q.status = 1 \
             AND q.insured = 1 AND q.protected = 0 ORDER BY q.kana_key DESC, q.address_number LIMIT 1 OFFSET ?)",
            vec![login.into(), place.into()],
            1,
            "demo-officer",
        ));
    }
    let line = system_act(
        instance,
        "account.link",
        "demo citizen and officers".into(),
        links,
    );
    instance.trace.record(line).await?;
    crate::insurance::derive(instance).await?;
    Ok(outcome)
}

/// The demo: serves at once, loads behind.
#[expect(clippy::print_stdout, reason = "the command line tells where to look")]
pub async fn run(
    dir: &Path,
    args: TownArgs,
    port: u16,
    synchronous: Option<String>,
) -> Result<(), StartError> {
    fresh(dir, port, synchronous).await?;
    let instance = std::sync::Arc::new(Instance::open(dir).await?);
    people(&instance).await?;
    let site = Site::new(&instance);
    println!("見本の町を用意しています。いますぐ開けます:\n\n    http://localhost:{port}/demo\n");
    println!(
        "証跡を確かめる: mimamori-verify trace {}\n終わるときは Ctrl-C を押してください。",
        dir.join("trace").display()
    );
    let (back, behind, to) = (instance.clone(), site.clone(), dir.to_owned());
    let variant = args.clone();
    tokio::spawn(async move {
        let started = back.clock.steady();
        match load(&to, args, &back, &behind).await {
            Ok(o) => {
                println!(
                    "取り込みが終わりました: {}人（被保険者{} 世帯員{}）、履歴{}行、世帯{}、{:.1}秒（証跡の行 {}）",
                    o.persons,
                    o.insured,
                    o.members,
                    o.rows,
                    o.households,
                    (back.clock.steady() - started) as f64 / 1e6,
                    o.line
                );
                // Beside the clean town its dirty variant, to be imported on the screen.
                let inbox = to.join("staging/inbox").join(DIRTY);
                let dirty = tokio::task::spawn_blocking(move || {
                    write_dirty_town(&variant, mimamori_testkit::HUGE, &inbox)
                });
                if !matches!(dirty.await, Ok(Ok(_))) {
                    tracing::error!("the dirty variant of the sample town could not be written");
                }
            }
            Err(error) => {
                *behind
                    .failed
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error.to_string());
                tracing::error!(error = ?error, "the sample town could not be loaded");
            }
        }
    });
    serve(&instance, site).await
}

struct Choice {
    login: &'static str,
    office: &'static str,
    role: &'static str,
    name: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "server/demo.html")]
struct DemoPage<'a> {
    frame: &'a Frame,
    users: Vec<Choice>,
    import: Option<(String, u64, u64)>,
    failed: String,
}

/// GET /demo
pub(crate) async fn chooser(
    State(site): State<Site>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let users = PLAYERS
        .map(|(_, office, login, name, role, text)| Choice {
            login,
            office,
            role: role.japanese(),
            name,
            text,
        })
        .into();
    let frame = frame.with_title("役割を選んで試す");
    html(DemoPage {
        frame: &frame,
        users,
        import: site.running(),
        failed: site.why_failed().unwrap_or_default(),
    })
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Chosen {
    login: String,
}

/// POST /demo/role
pub(crate) async fn choose(
    State(site): State<Site>,
    LimitedForm(chosen): LimitedForm<Chosen>,
) -> Response {
    let Some(grant) = site.demo else {
        return Problem::not_found().into_response();
    };
    let Some(player) = PLAYERS.iter().find(|p| p.2 == chosen.login) else {
        return Problem::bad_request("選んだ役割はありません。").into_response();
    };
    let account = match site.identity.by_login(player.2).await {
        Ok(Some(account)) => account,
        _ => return Problem::internal(None).into_response(),
    };
    match site.identity.open_for_demo(grant, &account, player.4) {
        Ok(signed) => opened(&site, signed, "demo").await,
        Err(_) => Problem::conflict("この利用者は、利用を終えたか、契約の期間の外です。")
            .with_next("ほかの役割を選んでください。デモのフォルダを消すと、最初から始められます。")
            .into_response(),
    }
}
