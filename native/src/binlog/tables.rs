//! The tables whose changes are wanted, and what was found of each.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::image::{MAX_KEY, Walk};
use super::key::{Kind, Misfit};
use super::keys::{Keys, Operation};
use super::layout::{Column, Map};
use crate::builder::{Builder, Repaired};
use crate::date::Calendar;
use crate::error::{Error, Result};
use crate::policy::Reject;
use crate::types;

/// The column beside the key's that says what happened to the row.
pub const OPERATION: &str = "_operation";

/// A column of a table as `information_schema` has it.
#[derive(Clone, Debug)]
pub struct Described {
    pub name: String,
    /// E.g. `bigint(20) unsigned`.
    pub mysql: String,
    /// Of text, else empty.
    pub charset: String,
}

/// A table whose changes are wanted. `schema` has the key's columns, in the order in which they are told.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub columns: Vec<Described>,
    pub key: Vec<String>,
    pub schema: SchemaRef,
}

/// Whether a table's changes are told, and if not why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    Followed,
    /// They cannot be told by its row events; nothing is hidden.
    Elsewhere(String),
    /// Changes may be hidden.
    Lost(String),
}

pub struct Table {
    pub wanted: Wanted,
    places: Vec<usize>,
    kinds: Vec<Kind>,
    pub trust: Trust,
    pub keys: Keys,
    pub rows: u64,
}

impl Table {
    pub fn new(wanted: Wanted) -> Self {
        let mut table =
            Self { wanted, places: vec![], kinds: vec![], trust: Trust::Followed, keys: Keys::default(), rows: 0 };
        for name in table.wanted.key.clone() {
            match table.resolve(&name) {
                Ok((place, kind)) => {
                    table.places.push(place);
                    table.kinds.push(kind);
                }
                Err(reason) => {
                    table.leave(format!("the key {name} {reason}"));
                    break;
                }
            }
        }
        if !(1..=MAX_KEY).contains(&table.wanted.key.len()) {
            table.leave(format!(
                "its key has {} columns, and row events are read for 1 to {MAX_KEY}",
                table.wanted.key.len()
            ));
        }
        table
    }

    fn resolve(&self, name: &str) -> std::result::Result<(usize, Kind), String> {
        let place = self.wanted.columns.iter().position(|column| column.name == name);
        let place = place.ok_or("is no column of the table")?;
        let column = &self.wanted.columns[place];
        Ok((place, Kind::parse(&column.mysql, &column.charset)?))
    }

    pub fn is_followed(&self) -> bool {
        self.trust == Trust::Followed
    }

    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Changes cannot be told here, and can be found otherwise.
    pub fn leave(&mut self, reason: String) {
        if self.trust == Trust::Followed {
            self.trust = Trust::Elsewhere(reason);
            self.keys = Keys::default();
        }
    }

    /// Changes may be hidden.
    pub fn distrust(&mut self, reason: String) {
        if !matches!(self.trust, Trust::Lost(_)) {
            self.trust = Trust::Lost(reason);
            self.keys = Keys::default();
        }
    }

    /// Holds a map against the table's description. None if it tells no keys, and why is noted.
    pub fn walk(&mut self, map: &Map) -> Option<Walk> {
        let (columns, names) = match map.columns() {
            Ok(found) => found,
            Err(error) => {
                self.leave(format!("its columns are not understood: {}", error.why()));
                return None;
            }
        };
        let described = &self.wanted.columns;
        if columns.len() != described.len() {
            let (then, now) = (columns.len(), described.len());
            self.distrust(format!("it had {then} columns and has {now}: it was altered"));
            return None;
        }
        let differs = |names: &Vec<&[u8]>| {
            names.len() != described.len()
                || names.iter().zip(described).any(|(name, column)| *name != column.name.as_bytes())
        };
        if names.as_ref().is_some_and(differs) {
            self.distrust("its columns were named otherwise: it was altered".into());
            return None;
        }
        self.check_types(&columns)?;
        Some(Walk::new(&columns, &self.places))
    }

    fn check_types(&mut self, columns: &[Column]) -> Option<()> {
        for (at, &place) in self.places.iter().enumerate() {
            let name = &self.wanted.key[at];
            match self.kinds[at].fits(&columns[place]) {
                Ok(()) => {}
                Err(Misfit::Other) => {
                    let mysql = &self.wanted.columns[place].mysql;
                    self.distrust(format!("its column {name} was not {mysql}: it was altered"));
                    return None;
                }
                Err(Misfit::Form) => {
                    self.leave(format!("the key {name} is stored in a form that is not read from row events"));
                    return None;
                }
            }
        }
        Some(())
    }

    /// All keys, each with what happened to it last. The table is left if one has no value.
    pub fn batch(&mut self) -> Result<Option<RecordBatch>> {
        if !self.is_followed() {
            return Ok(None);
        }
        match self.columns() {
            Ok(columns) => Ok(Some(RecordBatch::try_new(self.schema(), columns)?)),
            Err(Error::Value { column, value, .. }) => {
                self.leave(format!("the key {column} cannot be taken from the binlog: {value}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn schema(&self) -> SchemaRef {
        let mut fields: Vec<_> = self.wanted.schema.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(OPERATION, DataType::Utf8, false)));
        Arc::new(Schema::new(fields))
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let fields = self.wanted.schema.fields();
        let mut cells: Vec<_> = self
            .kinds
            .iter()
            .zip(fields)
            .map(|(kind, field)| (kind, Builder::new(field.data_type().clone()), Calendar::default(), field.name()))
            .collect();
        let mut room = vec![];
        for at in 0..self.keys.len() {
            let mut rest = self.keys.get(at);
            for (kind, builder, calendar, name) in &mut cells {
                let width = match kind.width() {
                    Some(width) => width,
                    None => {
                        let (length, behind) =
                            rest.split_first_chunk::<4>().ok_or_else(|| no_value(name, "cut off"))?;
                        rest = behind;
                        u32::from_le_bytes(*length) as usize
                    }
                };
                let (bytes, behind) = rest.split_at_checked(width).ok_or_else(|| no_value(name, "cut off"))?;
                rest = behind;
                let value = kind.value(bytes, &mut room).map_err(|reason| no_value(name, reason))?;
                let pushed = builder.push(&value, calendar, kind.digits());
                pushed.map_err(|reject| no_value(name, refusal(reject, &builder.target)))?;
            }
        }
        let mut columns = vec![];
        for (_, builder, _, name) in &mut cells {
            columns.push(builder.finish(|_, _| Err::<Repaired, _>(no_value(name, "it is no UTF-8")))?);
        }
        let operations = self.keys.operations().iter().copied().map(Operation::name);
        columns.push(Arc::new(StringArray::from_iter_values(operations)));
        Ok(columns)
    }
}

fn no_value(column: &str, value: impl Into<String>) -> Error {
    Error::Value { column: column.into(), value: value.into(), target: String::new(), hint: "" }
}

fn refusal(reject: Reject, target: &DataType) -> String {
    match reject {
        Reject::Date => "a value is no date".into(),
        Reject::Range => format!("a value is beyond {}", types::name(target)),
        Reject::Text | Reject::Nature => format!("its values are no {}", types::name(target)),
    }
}
