//! A second reading of the demands, without Cedar: both must agree on every cell.

use mimamori_gate::{Action, Class, Facts, Purpose, Rules, Standing};
use mimamori_identity::{AuthLevel, OrgKind, Role};
use mimamori_server::instance::ROOMS;

struct Cell {
    role: Role,
    kind: OrgKind,
    standing: Standing,
    action: Action,
    purpose: Purpose,
    class: Class,
    facts: Facts,
    own: bool,
}

/// A designated handler of the insurance section, verified, at a registered terminal.
fn handles(cell: &Cell) -> bool {
    let standing = cell.standing;
    cell.kind == OrgKind::Department
        && matches!(cell.role, Role::Clerk | Role::LeadOfficer)
        && standing.handler
        && standing.terminal
        && standing.auth == AuthLevel::Verified
}

/// What the documents say; `false` where they say nothing (S0-44: approved staff only).
fn demanded(cell: &Cell) -> bool {
    // S4-73: an initial password opens nothing.
    let standing = cell.standing;
    if standing.auth == AuthLevel::PasswordInitial {
        return false;
    }
    // S0-13: two purposes alone. S0-46, S0-59: a department's designated handlers alone. S0-48: at a registered
    // terminal, by ID, password and a verification; for the number itself one of the last five minutes.
    if matches!(cell.class, Class::Number | Class::NumberRecord) {
        let purpose = matches!(
            cell.purpose,
            Purpose::CareInsurance | Purpose::CommunitySupport
        );
        let place = standing.terminal && standing.auth == AuthLevel::Verified;
        let now = standing.fresh || cell.class == Class::NumberRecord;
        let handler = cell.kind == OrgKind::Department && standing.handler;
        if !(purpose && place && now && handler) {
            return false;
        }
    }
    // S4-75: everybody but a citizen sees the own registration, whatever else is closed.
    // S0-48: and revokes a lost passkey of the own.
    if cell.own && cell.action.code() == "passkey.end"
        || matches!(cell.action.code(), "account.own" | "account.leave")
    {
        return cell.own
            && cell.kind != OrgKind::Citizens
            && cell.purpose == Purpose::Operation
            && cell.class == Class::Staff;
    }
    // S0-59, TK-2: contractors no person's data ever; a university gets extracts, not records. S0-72: a contractor
    // reads what the machine did, without anybody's data.
    if matches!(cell.kind, OrgKind::Contractor | OrgKind::University) {
        return (cell.role, cell.kind) == (Role::Contractor, OrgKind::Contractor)
            && cell.action.code() == "operation.open"
            && cell.purpose == Purpose::Operation
            && cell.class == Class::Aggregate;
    }
    match cell.action.code() {
        "person.search" | "person.list" | "person.open" => {
            let insured = cell.facts.has(Facts::INSURED);
            let office = cell.kind == OrgKind::Department;
            let work = match cell.role {
                // S0-04: insured persons and household members.
                Role::Clerk | Role::LeadOfficer => cell.purpose == Purpose::CareInsurance,
                // S0-05: insured persons only, so nobody's household either.
                Role::CareClerk => {
                    cell.purpose == Purpose::CareManagement
                        && insured
                        && cell.class != Class::Household
                }
                _ => false,
            };
            // S4-55: who is under support measures cannot be found through an officer.
            let tells_where = matches!(
                cell.class,
                Class::Address | Class::Contact | Class::Household | Class::Residency
            );
            let hidden =
                cell.facts.has(Facts::PROTECTED) && tells_where && cell.role != Role::LeadOfficer;
            office && work && !hidden
        }
        // S4-04, S4-09: a citizen's own entries; whoever works here asks as a citizen too.
        "trace.own" | "statement.own" => {
            cell.own
                && cell.purpose == Purpose::Own
                && cell.class == Class::AccessLog
                && cell.role == Role::Citizen
                && cell.kind == OrgKind::Citizens
        }
        // S0-04, S0-44: the section that keeps the register changes it; where a protected person lives
        // only its lead officer (S4-55), who alone says who is protected and who is one person.
        "person.move"
        | "person.enter"
        | "person.correct"
        | "person.correct-place"
        | "person.flag"
        | "person.merge"
        | "person.settle" => {
            let lead = cell.role == Role::LeadOfficer;
            let for_lead = matches!(
                cell.action.code(),
                "person.flag" | "person.merge" | "person.settle"
            ) || cell.facts.has(Facts::PROTECTED)
                && matches!(
                    cell.class,
                    Class::Address | Class::Contact | Class::Household | Class::Residency
                );
            cell.kind == OrgKind::Department
                && cell.purpose == Purpose::CareInsurance
                && (lead || cell.role == Role::Clerk && !for_lead)
        }
        // S0-06, S0-44: the section's lead officer orders an import; it shows counts only.
        "residents.import" => {
            cell.kind == OrgKind::Department
                && cell.role == Role::LeadOfficer
                && cell.purpose == Purpose::Operation
                && cell.class == Class::Aggregate
        }
        // S0-06, S0-44: who orders an import may look at the first rows of its files.
        "import.preview" => {
            cell.kind == OrgKind::Department
                && cell.role == Role::LeadOfficer
                && cell.purpose == Purpose::Operation
        }
        // S0-26: numbers of users, also for those who keep the machine.
        "people.overview" => {
            operates(cell, Class::Aggregate)
                && matches!(
                    cell.role,
                    Role::OperationsManager
                        | Role::ProgrammeDirector
                        | Role::Auditor
                        | Role::SystemAdministrator
                )
        }
        // S0-26, S4-13, S4-101: who leads and who audits reads the registrations.
        "people.list" | "people.open" | "request.list" | "review.list" | "organisation.list"
        | "contract.list" | "handler.list" | "terminal.list" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::OperationsManager | Role::ProgrammeDirector | Role::Auditor
                )
        }
        // S4-16, S4-24, S4-28: a second person approves.
        "request.decide" => {
            operates(cell, Class::Staff)
                && matches!(cell.role, Role::OperationsManager | Role::ProgrammeDirector)
        }
        // S4-28, S4-54, S4-74, S4-76: the office does it, and nobody for himself.
        "people.stop" | "password.reset" | "password.propose" | "certificate.print"
        | "role.propose" | "role.end" | "scope.propose" | "resident.propose" | "review.answer"
        | "passkey.open" | "handler.propose" => {
            operates(cell, Class::Staff) && cell.role == Role::OperationsManager && !cell.own
        }
        "people.register"
        | "organisation.change"
        | "contract.propose"
        | "contract.end"
        | "batch.propose"
        | "batch.decline"
        | "batch.issue"
        // S0-46, S0-48: passkeys, designations and terminals go through the office.
        | "passkey.end"
        | "handler.end"
        | "terminal.propose"
        | "terminal.end" => operates(cell, Class::Staff) && cell.role == Role::OperationsManager,
        // S0-04, S0-05, S0-45: who may open a person's record may write down why.
        "note.write" => {
            cell.kind == OrgKind::Department
                && cell.class == Class::Identity
                && match cell.role {
                    Role::Clerk | Role::LeadOfficer => cell.purpose == Purpose::CareInsurance,
                    Role::CareClerk => {
                        cell.purpose == Purpose::CareManagement && cell.facts.has(Facts::INSURED)
                    }
                    _ => false,
                }
        }
        // S0-45, S4-100, S4-101: the auditor watches the use of the system, as an audit and nothing else.
        "trace.search" | "trace.export" | "out.list" | "alert.list" | "alert.open"
        | "alert.answer" => {
            cell.kind == OrgKind::Department
                && cell.role == Role::Auditor
                && cell.purpose == Purpose::Audit
                && cell.class == Class::AccessLog
        }
        "monitor.run" => {
            cell.kind == OrgKind::Department
                && cell.role == Role::Auditor
                && cell.purpose == Purpose::Operation
                && cell.class == Class::Aggregate
        }
        // S0-72: those who keep the machine, also under contract, read what it did without anybody's data.
        "operation.open" => {
            operates(cell, Class::Aggregate)
                && matches!(cell.role, Role::SystemAdministrator | Role::Auditor)
        }
        // S1-55: signed by the auditor; S4-99, S4-102: read by those who answer for the operation.
        "report.make" | "report.open" => {
            let readers = [Role::OperationsManager, Role::ProgrammeDirector];
            cell.kind == OrgKind::Department
                && cell.purpose == Purpose::Audit
                && cell.class == Class::Aggregate
                && (cell.role == Role::Auditor
                    || cell.action.code() == "report.open" && readers.contains(&cell.role))
        }
        // S0-04, S0-13: the insurance section works with qualifications and cards. S4-55: nothing that tells where
        // somebody under support measures lives; that card is the lead officer's, and never in a batch.
        "qualification.list"
        | "qualification.open"
        | "qualification.decide"
        | "qualification.download"
        | "card.list"
        | "card.preview"
        | "card.print"
        | "card.batch"
        | "card.change" => {
            let code = cell.action.code();
            let lead = cell.role == Role::LeadOfficer;
            let office = cell.kind == OrgKind::Department && (lead || cell.role == Role::Clerk);
            let tells_where = matches!(
                cell.class,
                Class::Address | Class::Contact | Class::Household | Class::Residency
            );
            let careful = [
                "card.preview",
                "card.print",
                "card.change",
                "qualification.download",
            ];
            let hidden = cell.facts.has(Facts::PROTECTED)
                && (code == "card.batch" || (!lead && (tells_where || careful.contains(&code))));
            office && cell.purpose == Purpose::CareInsurance && !hidden
        }
        // S0-44: orders for jobs that show counts only.
        "eligibility.derive" | "card.gather" => {
            let clerk = cell.action.code() == "card.gather" && cell.role == Role::Clerk;
            cell.kind == OrgKind::Department
                && (clerk || cell.role == Role::LeadOfficer)
                && cell.purpose == Purpose::Operation
                && cell.class == Class::Aggregate
        }
        // S0-18: the section's own register.
        "business.list" => {
            cell.kind == OrgKind::Department
                && matches!(cell.role, Role::Clerk | Role::LeadOfficer)
                && cell.purpose == Purpose::CareInsurance
                && cell.class == Class::Aggregate
        }
        // S0-11, S0-13, S0-46: the insurance section's designated handlers.
        "number.open" | "number.reveal" | "number.find" | "number.found" | "number.register"
        | "number.correct" | "number.delete" | "number.load" | "number.outside"
        | "number.settle" => {
            let purpose = matches!(
                cell.purpose,
                Purpose::CareInsurance | Purpose::CommunitySupport
            );
            handles(cell) && purpose
        }
        "number.prepare" | "number.check" => {
            handles(cell) && cell.purpose == Purpose::Operation && cell.class == Class::Aggregate
        }
        // S1-02, S1-04, S1-18: the health section alone, for this programme alone. S4-55: no letter to a protected
        // person from a batch, and no place of one for anybody but the lead officer.
        "candidate.list" | "candidate.open" | "candidate.write" | "invitation.print" => {
            let tells_where = matches!(
                cell.class,
                Class::Address | Class::Contact | Class::Household | Class::Residency
            );
            let letter = cell.action.code() == "invitation.print";
            let hidden = cell.facts.has(Facts::PROTECTED) && (tells_where || letter);
            cell.kind == OrgKind::Department
                && cell.role == Role::HealthClerk
                && cell.purpose == Purpose::KidneyPrevention
                && !hidden
        }
        "checkup.import" | "rule.decide" | "selection.run" | "evaluation.run" => {
            operates(cell, Class::Aggregate) && cell.role == Role::HealthClerk
        }
        // S0-50: the machine writes down what the numbers room did.
        "number.outcome" => false,
        // S1-47, TK-12: the machine counts what did not come back.
        "handover.count" => false,
        // S0-47: keys are the work of those who keep the machine.
        "number.rotate" => {
            operates(cell, Class::Aggregate) && cell.role == Role::SystemAdministrator
        }
        // S0-01, S1-01, S1-10: who works under a paper, who answers for it and who watches read it, and what it opens.
        "council.list" | "council.open" | "grant.read" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::Clerk
                        | Role::CareClerk
                        | Role::HealthClerk
                        | Role::LeadOfficer
                        | Role::ProgrammeDirector
                        | Role::OperationsManager
                        | Role::Auditor
                )
        }
        // S1-01, S1-16, S0-52, TK-1, TK-13: the office writes the papers and keeps the register of contracts.
        "council.enter" | "sheet.draft" | "register.enter" | "obligation.record"
        | "checklist.answer" | "closing.confirm" => {
            operates(cell, Class::Staff) && cell.role == Role::OperationsManager
        }
        // S1-01, S1-16: a second one who answers for it approves.
        "sheet.decide" => {
            operates(cell, Class::Staff)
                && matches!(cell.role, Role::OperationsManager | Role::ProgrammeDirector)
        }
        // S0-33, S0-74, S1-33, S1-47, TK-16: read by those who answer for it and by the auditor.
        "sheet.print" | "obligation.list" | "checklist.open" | "checklist.print"
        | "closing.open" | "control.list" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::OperationsManager | Role::ProgrammeDirector | Role::Auditor
                )
        }
        // S1-33: another one, or the auditor, looks at an answer.
        "checklist.review" => {
            operates(cell, Class::Staff)
                && matches!(cell.role, Role::OperationsManager | Role::Auditor)
        }
        // S1-45, S2-43, TK-8: ledger, media and the state of packages, for those who work with them and who watch.
        "handover.list" | "ledger.list" | "medium.list" | "incoming.list" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::Clerk
                        | Role::CareClerk
                        | Role::HealthClerk
                        | Role::LeadOfficer
                        | Role::ProgrammeDirector
                        | Role::OperationsManager
                        | Role::Auditor
                )
        }
        // S1-16, S1-42, S1-47, S2-42, TK-12: the section in charge does the work.
        "handover.request" | "handover.seal" | "handover.carry" | "handover.confirm"
        | "medium.enter" | "incoming.take" | "incoming.accept" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::Clerk | Role::CareClerk | Role::HealthClerk | Role::LeadOfficer
                )
        }
        // S1-16, S1-42: two who answer for it approve what goes out.
        "handover.approve" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::LeadOfficer | Role::ProgrammeDirector | Role::OperationsManager
                )
        }
        // S1-43: the slip travels with another person.
        "handover.slip" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::Clerk
                        | Role::CareClerk
                        | Role::HealthClerk
                        | Role::LeadOfficer
                        | Role::ProgrammeDirector
                        | Role::OperationsManager
                )
        }
        // S1-48, S1-50: whose keys count.
        "partner.enter" => {
            operates(cell, Class::Staff)
                && matches!(cell.role, Role::LeadOfficer | Role::OperationsManager)
        }
        // TK-19: after an accident.
        "leak.trace" => {
            operates(cell, Class::Staff)
                && matches!(
                    cell.role,
                    Role::LeadOfficer | Role::OperationsManager | Role::Auditor
                )
        }
        other => panic!("{other}: no second reading of this action"),
    }
}

/// An act of the town's own office on one class of its own records.
fn operates(cell: &Cell, class: Class) -> bool {
    cell.kind == OrgKind::Department && cell.purpose == Purpose::Operation && cell.class == class
}

/// Everything that number work needs, and each time one part less.
const STANDINGS: [Standing; 5] = [
    Standing::WHOLE,
    Standing {
        handler: false,
        ..Standing::WHOLE
    },
    Standing {
        terminal: false,
        ..Standing::WHOLE
    },
    Standing {
        fresh: false,
        ..Standing::WHOLE
    },
    Standing {
        auth: AuthLevel::Password,
        ..Standing::WHOLE
    },
];

/// Counts the cells of one role; panics where the two readings differ.
fn compare(rules: &Rules, role: Role, kind: OrgKind, auth: AuthLevel, masks: &[i64]) -> usize {
    let mut cells = 0;
    for action in rules.actions() {
        // The office's own records and counts are about no resident: no facts are ever asked.
        let office = |c: &Class| matches!(c, Class::Staff | Class::Aggregate);
        let masks = match action.classes().iter().all(office) {
            true => &masks[..1],
            false => masks,
        };
        let classes = action.classes().iter().copied().chain([Class::Number]);
        for class in classes {
            let plain = [Standing::from(auth)];
            let standings: &[Standing] = match action.of_number() {
                true => &STANDINGS,
                false => &plain,
            };
            for (purpose, standing) in Purpose::ALL
                .iter()
                .flat_map(|p| standings.iter().map(move |s| (*p, *s)))
            {
                for (mask, own) in masks.iter().flat_map(|m| [(*m, false), (*m, true)]) {
                    let facts = Facts(mask);
                    let cell = Cell {
                        role,
                        kind,
                        standing,
                        action,
                        purpose,
                        class,
                        facts,
                        own,
                    };
                    let real =
                        rules.allows(role, kind, standing, action, purpose, class, facts, own);
                    assert_eq!(
                        real,
                        demanded(&cell),
                        "{} of {} ({standing:?}) {} for {}: {} with facts {mask}, own {own}",
                        role.code(),
                        kind.code(),
                        action.code(),
                        purpose.code(),
                        class.code(),
                    );
                    cells += 1;
                }
            }
        }
    }
    cells
}

#[test]
fn policies_and_an_independent_reading_of_the_demands_agree_on_every_cell() {
    let rules = Rules::new(ROOMS).unwrap();
    let every: Vec<i64> = Facts::EVERY.collect();
    // A protected insured person who died: where a role or a sign-in is wrong anyway.
    let some = [26];
    let cells: usize = std::thread::scope(|scope| {
        let one = |roles: &'static [Role]| {
            let (rules, every) = (&rules, &every);
            scope.spawn(move || {
                let mut cells = 0;
                for role in roles {
                    for kind in OrgKind::ALL {
                        let own_kind = kind.may_hold(*role);
                        let masks = if own_kind { every.as_slice() } else { &some };
                        cells += compare(rules, *role, kind, AuthLevel::Password, masks);
                        cells += compare(rules, *role, kind, AuthLevel::PasswordInitial, &some);
                        cells += compare(rules, *role, kind, AuthLevel::Verified, &some);
                    }
                }
                cells
            })
        };
        static ALL: [Role; 14] = Role::ALL;
        let (left, right) = ALL.split_at(6);
        [one(left), one(right)]
            .into_iter()
            .map(|t| t.join().unwrap())
            .sum()
    });
    println!("{cells} cells, both readings agree");
    assert!(cells > 100_000);
}

#[test]
fn a_protected_address_opens_for_the_lead_officer_and_not_for_the_clerk() {
    let rules = Rules::new(ROOMS).unwrap();
    let ask = |role, class| {
        rules.allows(
            role,
            OrgKind::Department,
            AuthLevel::Password.into(),
            mimamori_residents::action::PERSON_OPEN,
            Purpose::CareInsurance,
            class,
            Facts(Facts::RESIDENT | Facts::INSURED | Facts::PROTECTED),
            false,
        )
    };
    assert!(ask(Role::LeadOfficer, Class::Address));
    assert!(!ask(Role::Clerk, Class::Address));
    assert!(ask(Role::Clerk, Class::Identity));
}
