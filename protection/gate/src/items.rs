//! Data-item catalogue: the class of every column (台帳).

use std::collections::BTreeMap;

use crate::class::Class;
use crate::error::GateError;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Class code.
    pub class: String,
    /// Legal item name, as a register of files would print it.
    pub item: String,
    /// How long it is kept.
    pub retention: String,
    /// How it is erased.
    pub erase: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    column: Vec<Item>,
}

/// All rooms' items.
#[derive(Debug, Default)]
pub struct Catalogue {
    items: Vec<Item>,
    classes: BTreeMap<(String, String), Class>,
}

impl Catalogue {
    /// Adds one room's `items.toml`.
    pub fn add(&mut self, text: &str) -> Result<(), GateError> {
        let file: File = toml::from_str(text).map_err(|e| GateError::Rules(e.to_string()))?;
        for item in file.column {
            let class = Class::from_code(&item.class).ok_or_else(|| {
                GateError::Rules(format!("{}.{}: {}", item.table, item.column, item.class))
            })?;
            let key = (item.table.clone(), item.column.clone());
            if self.classes.insert(key, class).is_some() {
                return Err(GateError::Rules(format!(
                    "{}.{} twice",
                    item.table, item.column
                )));
            }
            self.items.push(item);
        }
        Ok(())
    }

    /// The class of a column; an unclassified column cannot be read.
    pub fn class(&self, table: &str, column: &str) -> Result<Class, GateError> {
        self.classes
            .get(&(table.to_owned(), column.to_owned()))
            .copied()
            .ok_or_else(|| GateError::Rules(format!("{table}.{column} has no class")))
    }

    /// All items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }
}
