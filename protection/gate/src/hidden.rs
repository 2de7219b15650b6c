//! Values on their way from the database to a screen.

use mimamori_storage::Value;

use crate::class::Class;

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// May be shown.
    Shown(Value),
    /// Was not fetched.
    Withheld(Class),
}

/// Columns of one row, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) names: std::sync::Arc<Vec<&'static str>>,
    pub(crate) fields: Vec<Field>,
}

impl Record {
    /// The field of a column; `None` when the column was not asked for.
    pub fn field(&self, column: &str) -> Option<&Field> {
        self.names
            .iter()
            .position(|n| *n == column)
            .and_then(|i| self.fields.get(i))
    }
    /// Text of a shown column; empty for null.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.field(column)? {
            Field::Shown(Value::Text(text)) => Some(text),
            Field::Shown(_) => Some(""),
            Field::Withheld(_) => None,
        }
    }
    /// Integer of a shown column.
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.field(column)? {
            Field::Shown(Value::Int(n)) => Some(*n),
            _ => None,
        }
    }
    /// Bytes of a shown column.
    pub fn bytes(&self, column: &str) -> Option<&[u8]> {
        match self.field(column)? {
            Field::Shown(Value::Bytes(b)) => Some(b),
            _ => None,
        }
    }
    /// Whether the column was withheld.
    pub fn withheld(&self, column: &str) -> bool {
        matches!(self.field(column), Some(Field::Withheld(_)))
    }
}

/// Read but not to be shown: no `Debug`, no `Display`, no way to look before the line stands.
///
/// It can be worked on in the dark:
///
/// ```
/// use mimamori_gate::Hidden;
/// fn shorten(hidden: Hidden<String>) -> Hidden<String> {
///     let short = hidden.map(|text| text);
///     short
/// }
/// ```
///
/// but not be looked at:
///
/// ```compile_fail,E0616
/// use mimamori_gate::Hidden;
/// fn shorten(hidden: Hidden<String>) -> Hidden<String> {
///     let short = hidden.map(|text| text);
///     let _ = &short.0;
///     short
/// }
/// ```
///
/// nor be copied:
///
/// ```compile_fail,E0599
/// use mimamori_gate::Hidden;
/// fn shorten(hidden: Hidden<String>) -> Hidden<String> {
///     let short = hidden.map(|text| text);
///     let _ = short.clone();
///     short
/// }
/// ```
pub struct Hidden<T>(pub(crate) T);

impl Hidden<()> {
    /// No value: for a look that leaves its line although nothing is read.
    pub fn nothing() -> Self {
        Hidden(())
    }
}

impl<T> Hidden<T> {
    /// Computes on the value without showing it.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Hidden<U> {
        Hidden(f(self.0))
    }
    /// Both together, to be revealed by one line.
    pub fn and<U>(self, other: Hidden<U>) -> Hidden<(T, U)> {
        Hidden((self.0, other.0))
    }
}

/// Plaintext whose line is durable.
///
/// ```
/// use mimamori_gate::Revealed;
/// fn show(shown: Revealed<String>) -> Revealed<String> {
///     shown
/// }
/// ```
///
/// Nobody but the gate says that a line is durable:
///
/// ```compile_fail,E0451
/// use mimamori_gate::Revealed;
/// fn show(shown: Revealed<String>) -> Revealed<String> {
///     Revealed { line: 1, ..shown }
/// }
/// ```
#[derive(Debug)]
pub struct Revealed<T> {
    value: T,
    line: u64,
}

impl<T> Revealed<T> {
    pub(crate) fn new(value: T, line: u64) -> Self {
        Self { value, line }
    }
    /// The number of the line that stands for this look.
    pub fn line(&self) -> u64 {
        self.line
    }
    /// The value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Revealed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
