//! What can be done with the register of persons.

use mimamori_gate::Action;
use mimamori_gate::Class::{
    AccessLog, Address, Aggregate, Contact, Household, Identity, Insurance, Residency,
    RestrictedFlag,
};

/// Search for persons.
pub const PERSON_SEARCH: Action = Action::new(
    "person.search",
    "検索",
    &[Identity, Contact, Address, Insurance],
);

/// A page of search results.
pub const PERSON_LIST: Action = Action::new(
    "person.list",
    "一覧に表示",
    &[
        Identity,
        Address,
        Household,
        Insurance,
        Residency,
        RestrictedFlag,
    ],
);

/// One record.
pub const PERSON_OPEN: Action = Action::new(
    "person.open",
    "記録を閲覧",
    &[
        Identity,
        Contact,
        Address,
        Household,
        Insurance,
        Residency,
        RestrictedFlag,
    ],
);

/// A reception note on one person; its words are of the class of the person's name.
pub const NOTE_WRITE: Action = Action::new("note.write", "受付票を記入", &[Identity]);

/// The person's own page "who looked at my record".
pub const TRACE_OWN: Action = Action::new("trace.own", "閲覧記録を確認", &[AccessLog]);

/// The person's own statement as a file.
pub const STATEMENT_OWN: Action = Action::new("statement.own", "閲覧記録を保存", &[AccessLog]);

/// Import of residents and households.
pub const IMPORT: Action = Action::new("residents.import", "取込", &[Aggregate]);

/// The first rows of a file before its import, to see whether the columns fit.
pub const IMPORT_PREVIEW: Action = Action::new(
    "import.preview",
    "取込みの下見",
    &[
        Identity,
        Contact,
        Address,
        Household,
        Insurance,
        Residency,
        RestrictedFlag,
    ],
);

/// Residency events of a person in the register (異動).
pub const PERSON_MOVE: Action = Action::new(
    "person.move",
    "異動を入力",
    &[Identity, Address, Household, Residency],
);

/// Entry of a person who is not in the register (転入など).
pub const PERSON_ENTER: Action = Action::new(
    "person.enter",
    "新しい人を登録",
    &[Identity, Contact, Address, Household, Residency],
);

/// Correction of name, birth date and the like (訂正).
pub const PERSON_CORRECT: Action = Action::new("person.correct", "基本の情報を訂正", &[Identity]);

/// Correction of address, telephone and household.
pub const PERSON_CORRECT_PLACE: Action = Action::new(
    "person.correct-place",
    "住所・世帯を訂正",
    &[Identity, Contact, Address, Household, Residency],
);

/// Support measures (支援措置) begin or end.
pub const PERSON_FLAG: Action =
    Action::new("person.flag", "支援措置を登録", &[Identity, RestrictedFlag]);

/// Two records of one person become one, or two again (統合・分離).
pub const PERSON_MERGE: Action = Action::new(
    "person.merge",
    "統合・分離",
    &[Identity, Address, Household, Residency, RestrictedFlag],
);

/// A change on the screen is held against the files of an import (取込みとの突合).
pub const PERSON_SETTLE: Action = Action::new(
    "person.settle",
    "取込みと突合",
    &[
        Identity,
        Contact,
        Address,
        Household,
        Residency,
        RestrictedFlag,
    ],
);
