//! The sum over all rows: a row that was changed, moved, removed or put back does not fit it.

use mimamori_encryption::Secret;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::NumberRef;
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Location, Row, Synchronous, Value, Writer};
use subtle::ConstantTimeEq as _;

use super::{KekSource, Ring};
use crate::NumbersError;
use crate::keys::{Kek, Marked, Version, plus, state_mark};

/// Wraps the key of the sum.
pub(super) const PLACE: &str = "numbers_state|key";

/// Every column of a row, in the order of [`mark`].
pub(super) const COLUMNS: &str =
    "reference, version, revision, sealed, ix, acquired, method, proof, registered, changed";

/// The value of `marks` where the sum holds every column.
const MARKS: i64 = 2;

/// Epoch, number of rows and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    pub epoch: i64,
    pub count: i64,
    pub sum: [u8; 32],
}

/// Reads or makes the keys.
pub(super) async fn opened(
    writer: &mut Writer,
    source: &KekSource,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<(Kek, Ring), NumbersError> {
    let row = writer
        .fetch("SELECT kek, salt, wrapped FROM numbers_state", vec![])
        .await?;
    let Some(row) = row.first() else {
        return made(writer, source, clock, random).await;
    };
    let kek = source.load(row.bytes(1)?)?;
    if kek.id() != row.text(0)? {
        return Err(NumbersError::OtherKey);
    }
    let state = kek.unwrap(PLACE, row.bytes(2)?)?;
    let sql = "SELECT version, data, ix FROM numbers_key ORDER BY version";
    let versions = writer.fetch(sql, vec![]).await?;
    let versions = versions
        .iter()
        .map(|row| Version::unwrapped(&kek, row.int(0)?, row.bytes(1)?, row.bytes(2)?))
        .collect::<Result<_, _>>()?;
    Ok((kek, Ring { versions, state }))
}

async fn made(
    writer: &mut Writer,
    source: &KekSource,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<(Kek, Ring), NumbersError> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let kek = source.load(&salt)?;
    let (state, first) = (Secret::random(random), Version::random(1, random));
    let whole = Whole {
        epoch: 0,
        count: 0,
        sum: [0; 32],
    };
    let args = vec![
        kek.id().into(),
        (&salt).into(),
        kek.wrap(PLACE, &state, random)?.into(),
        0i64.into(),
        0i64.into(),
        (&whole.sum).into(),
        (&state_mark(&state, false, 0, 0, &whole.sum)).into(),
        MARKS.into(),
    ];
    writer.begin().await?;
    let done = async {
        let sql = "INSERT INTO numbers_state (one, kek, salt, wrapped, epoch, count, sum, mark, marks) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)";
        writer.execute(sql, args).await?;
        add_version(writer, &kek, &first, clock, random).await
    };
    match done.await {
        Ok(()) => writer.commit().await?,
        Err(error) => {
            writer.rollback().await?;
            return Err(error);
        }
    }
    Ok((
        kek,
        Ring {
            versions: vec![first],
            state,
        },
    ))
}

/// Writes a version's keys, wrapped.
pub(super) async fn add_version(
    writer: &mut Writer,
    kek: &Kek,
    version: &Version,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<(), NumbersError> {
    let (data, ix) = version.wrapped(kek, random)?;
    let args = vec![
        version.number.into(),
        data.into(),
        ix.into(),
        clock.now().0.into(),
    ];
    let sql = "INSERT INTO numbers_key (version, data, ix, made) VALUES (?, ?, ?, ?)";
    writer.execute(sql, args).await?;
    Ok(())
}

/// What the state row says, when its mark is right.
pub(super) async fn read(writer: &mut Writer, key: &Secret) -> Result<Whole, NumbersError> {
    match stated(writer, key).await? {
        (whole, false) => Ok(whole),
        (_, true) => Err(NumbersError::Moved("状態")),
    }
}

/// The same, and whether the sum is of the first kind still.
async fn stated(writer: &mut Writer, key: &Secret) -> Result<(Whole, bool), NumbersError> {
    let sql = "SELECT epoch, count, sum, mark, marks FROM numbers_state";
    let rows = writer.fetch(sql, vec![]).await?;
    let row = rows.first().ok_or(NumbersError::Moved("状態"))?;
    let whole = Whole {
        epoch: row.int(0)?,
        count: row.int(1)?,
        sum: row.array(2)?,
    };
    let first = row.int(4)? != MARKS;
    let mark = state_mark(key, first, whole.epoch, whole.count, &whole.sum);
    match bool::from(mark.as_slice().ct_eq(row.bytes(3)?)) {
        true => Ok((whole, first)),
        false => Err(NumbersError::Moved("状態")),
    }
}

/// Writes the state that follows, one epoch later.
pub(super) async fn write(
    writer: &mut Writer,
    key: &Secret,
    next: Whole,
) -> Result<(), NumbersError> {
    let epoch = next.epoch + 1;
    let mark = state_mark(key, false, epoch, next.count, &next.sum);
    let args: Vec<Value> = vec![
        epoch.into(),
        next.count.into(),
        (&next.sum).into(),
        (&mark).into(),
        MARKS.into(),
    ];
    let sql = "UPDATE numbers_state SET epoch = ?, count = ?, sum = ?, mark = ?, marks = ?";
    writer.execute(sql, args).await?;
    Ok(())
}

/// What one row adds to the sum; it holds [`COLUMNS`].
pub(super) fn mark(key: &Secret, row: &Row) -> Result<[u8; 32], NumbersError> {
    marked(row, |row| row.mark(key))
}

fn marked(row: &Row, mark: impl Fn(&Marked<'_>) -> [u8; 32]) -> Result<[u8; 32], NumbersError> {
    let reference = NumberRef::from_bytes(row.array(0)?);
    Ok(mark(&Marked {
        reference: &reference,
        version: row.int(1)?,
        revision: row.int(2)?,
        sealed: row.bytes(3)?,
        index: row.bytes(4)?,
        known: [row.text(5)?, row.text(6)?, row.text(7)?],
        times: [row.int(8)?, row.int(9)?],
    }))
}

/// Adds up every row and compares.
///
/// # Errors
/// [`NumbersError::Moved`] when they do not fit.
pub(super) async fn check(writer: &mut Writer, ring: &Ring) -> Result<Whole, NumbersError> {
    writer.begin().await?;
    let found = async {
        let told = read(writer, &ring.state).await?;
        let found = summed(writer, |row| row.mark(&ring.state)).await?;
        fits(told, found)
    }
    .await;
    writer.rollback().await?;
    found
}

/// Gives a database whose sum does not hold every column one that does, after the sum that it has was proved.
///
/// # Errors
/// [`NumbersError::Moved`] when its rows do not fit the sum that it has; nothing is changed then.
pub(super) async fn upgraded(writer: &mut Writer, ring: &Ring) -> Result<(), NumbersError> {
    let key = &ring.state;
    writer.begin().await?;
    let done = async {
        let (told, first) = stated(writer, key).await?;
        if !first {
            return Ok(());
        }
        fits(told, summed(writer, |row| row.first(key)).await?)?;
        let (count, sum) = summed(writer, |row| row.mark(key)).await?;
        write(writer, key, Whole { count, sum, ..told }).await
    }
    .await;
    super::write::ended(writer, done).await
}

fn fits(told: Whole, found: (i64, [u8; 32])) -> Result<Whole, NumbersError> {
    match found == (told.count, told.sum) {
        true => Ok(told),
        false => Err(NumbersError::Moved("行")),
    }
}

/// Number of rows, and the sum of their marks.
async fn summed(
    writer: &mut Writer,
    mark: impl Fn(&Marked<'_>) -> [u8; 32],
) -> Result<(i64, [u8; 32]), NumbersError> {
    let (mut sum, mut count) = ([0; 32], 0i64);
    let mut after: Vec<u8> = vec![];
    let sql = format!(
        "SELECT {COLUMNS} FROM numbers_record WHERE reference > ? ORDER BY reference LIMIT 5000"
    );
    loop {
        let rows = writer.fetch(&sql, vec![after.clone().into()]).await?;
        for row in &rows {
            sum = plus(&sum, &marked(row, &mark)?);
            count += 1;
        }
        match rows.last() {
            Some(last) => after = last.bytes(0)?.to_vec(),
            None => return Ok((count, sum)),
        }
    }
}

/// Whether the database in this file is wrapped under this key.
///
/// # Errors
/// [`NumbersError::Storage`].
pub async fn asks_for(file: &std::path::Path, kek: &Kek) -> Result<bool, NumbersError> {
    let location = Location::File {
        path: file.to_owned(),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await?;
    let row = db
        .fetch_one("SELECT kek FROM numbers_state", vec![])
        .await?;
    db.close().await;
    row.map_or(Ok(false), |row| Ok(row.text(0)? == kek.id()))
}
