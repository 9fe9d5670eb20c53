//! Rows into columns: the loop that every value passes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use crate::builder::{Builder, Repaired};
use crate::column::{Column, Kind};
use crate::date::Calendar;
use crate::error::{Error, Result, broken};
use crate::hash::RowHash;
use crate::policy::{Policies, Policy, Reject};
use crate::result::{Options, Protocol, batch};
use crate::value::Value;
use crate::wire::Wire;
use crate::{binary, text, types};

/// What a policy did to a column.
#[derive(Default)]
pub struct Counts {
    pub nulled: u64,
    pub replaced: u64,
}

struct Cell {
    column: Column,
    digits: u8,
    nullable: bool,
    builder: Builder,
    calendar: Calendar,
    policies: Policies,
    counts: Counts,
}

pub struct Rows {
    cells: Vec<Cell>,
    schema: SchemaRef,
    protocol: Protocol,
    pub hash: Option<RowHash>,
    /// Rows of this batch that have problems; None if nobody asked.
    problems: Option<BTreeMap<usize, String>>,
    rows: usize,
    bytes: usize,
    width: usize,
    max_rows: usize,
    max_bytes: usize,
}

impl Rows {
    /// `schema` has one field a column, and one more for the problems if the options name it.
    pub fn new(columns: Vec<Column>, schema: SchemaRef, options: &Options) -> Self {
        let cells: Vec<Cell> = columns
            .into_iter()
            .zip(schema.fields())
            .map(|(column, field)| Cell {
                digits: column.kind.digits(),
                nullable: field.is_nullable(),
                builder: Builder::new(field.data_type().clone()),
                calendar: Calendar::default(),
                policies: options.exceptions.get(&column.name).copied().unwrap_or(options.policies),
                counts: Counts::default(),
                column,
            })
            .collect();
        Self {
            width: cells.iter().map(|cell| cell.builder.width()).sum(),
            cells,
            schema,
            protocol: options.protocol,
            hash: options.hashes.then(RowHash::default),
            problems: options.problems.is_some().then(BTreeMap::new),
            rows: 0,
            bytes: 0,
            max_rows: options.rows_per_batch,
            max_bytes: options.bytes_per_batch,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn is_full(&self) -> bool {
        self.rows >= self.max_rows || self.bytes >= self.max_bytes
    }

    pub fn counts(&self) -> impl Iterator<Item = (&str, &Counts)> {
        self.cells.iter().map(|cell| (cell.column.name.as_str(), &cell.counts))
    }

    #[inline]
    pub fn push(&mut self, packet: &[u8]) -> Result<()> {
        let mut wire = Wire::new(packet);
        match self.protocol {
            Protocol::Binary => self.push_binary(&mut wire)?,
            Protocol::Text => self.push_text(&mut wire)?,
        }
        if !wire.rest.is_empty() {
            return broken(format!("a row has {} bytes after its last column", wire.rest.len()));
        }
        if let Some(hash) = &mut self.hash {
            hash.end_row();
        }
        self.rows += 1;
        self.bytes += self.width + packet.len();
        Ok(())
    }

    fn push_binary(&mut self, wire: &mut Wire) -> Result<()> {
        if wire.u8()? != 0 {
            return broken("a binary row begins with 0x00");
        }
        // The first two bits of the NULL bitmap are reserved.
        let nulls = wire.take((self.cells.len() + 9) / 8)?;
        for (at, cell) in self.cells.iter_mut().enumerate() {
            if nulls[(at + 2) / 8] >> ((at + 2) % 8) & 1 == 1 {
                cell.push_null(&mut self.hash)?;
                continue;
            }
            let value = binary::value(&cell.column, wire)?;
            cell.push(&value, &mut self.hash).or_else(|why| {
                self.bytes += cell.reject(why, &value, self.rows, &mut self.problems)?;
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    }

    fn push_text(&mut self, wire: &mut Wire) -> Result<()> {
        for cell in &mut self.cells {
            let Some(bytes) = wire.nullable_bytes()? else {
                cell.push_null(&mut self.hash)?;
                continue;
            };
            let value = text::value(&cell.column, &mut cell.calendar, bytes)?;
            cell.push(&value, &mut self.hash).or_else(|why| {
                self.bytes += cell.reject(why, &value, self.rows, &mut self.problems)?;
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    }

    /// The rows so far as a batch; the next one begins.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.cells.len() + 1);
        for cell in &mut self.cells {
            arrays.push(cell.finish(&mut self.problems)?);
        }
        if let Some(problems) = &mut self.problems {
            let problems = std::mem::take(problems);
            let mut column = StringBuilder::new();
            let mut next = 0;
            for (row, text) in problems {
                column.append_nulls(row - next);
                column.append_value(text);
                next = row + 1;
            }
            column.append_nulls(rows - next);
            arrays.push(Arc::new(column.finish()));
        }
        batch(self.schema.clone(), arrays, rows)
    }
}

impl Cell {
    #[inline(always)]
    fn push(&mut self, value: &Value, hash: &mut Option<RowHash>) -> std::result::Result<(), Reject> {
        if let Some(hash) = hash {
            hash.piece(&self.column, value);
        }
        self.builder.push(value, &mut self.calendar, self.digits)
    }

    #[inline(always)]
    fn push_null(&mut self, hash: &mut Option<RowHash>) -> Result<()> {
        if let Some(hash) = hash {
            hash.null();
        }
        if !self.nullable {
            return Err(self.error("NULL".into(), "; the schema says that the column has none"));
        }
        self.builder.push_null();
        Ok(())
    }

    /// Does with a value what the policy says. Returns the bytes that the text about it takes.
    #[cold]
    fn reject(
        &mut self,
        why: Reject,
        value: &Value,
        row: usize,
        problems: &mut Option<BTreeMap<usize, String>>,
    ) -> Result<usize> {
        let (policy, hint) = match why {
            Reject::Date => (self.policies.dates, ""),
            Reject::Range | Reject::Text => (self.policies.range, "; the type is too narrow"),
            Reject::Nature => (Policy::Error, "; the server sent something else than it announced"),
        };
        if policy == Policy::Error || !self.nullable {
            return Err(self.error(value.show(self.column.kind), hint));
        }
        self.builder.push_null();
        self.counts.nulled += 1;
        let told = if policy == Policy::Problem { self.tell(row, &value.show(self.column.kind), problems) } else { 0 };
        Ok(told)
    }

    fn tell(&self, row: usize, shown: &str, problems: &mut Option<BTreeMap<usize, String>>) -> usize {
        let Some(problems) = problems else { return 0 };
        let text = format!("{}: {shown} is no {}", self.column.name, person(&self.builder.target));
        let told = text.len();
        problems.entry(row).and_modify(|all| *all = format!("{all}; {text}")).or_insert(text);
        told
    }

    fn finish(&mut self, problems: &mut Option<BTreeMap<usize, String>>) -> Result<ArrayRef> {
        let mut bad: Vec<(usize, String)> = vec![];
        let policy = self.policies.text;
        let (mut nulled, mut replaced) = (0, 0);
        let (column, target, nullable) = (self.column.name.clone(), self.builder.target.clone(), self.nullable);
        let array = self.builder.finish(|row, bytes| {
            // In hexadecimal whole: what is valid before the wrong byte could read like another column's problem.
            let shown = Value::Bytes(bytes).show(Kind::Bytes);
            match policy {
                Policy::Replace => {
                    replaced += 1;
                    Ok(Repaired::Text(String::from_utf8_lossy(bytes).into_owned()))
                }
                policy if policy != Policy::Error && nullable => {
                    nulled += 1;
                    if policy == Policy::Problem {
                        bad.push((row, shown));
                    }
                    Ok(Repaired::Null)
                }
                _ => Err(Error::Value {
                    column: column.clone(),
                    value: shown,
                    target: types::name(&target),
                    hint: "; its bytes are no UTF-8",
                }),
            }
        })?;
        self.counts.nulled += nulled;
        self.counts.replaced += replaced;
        for (row, shown) in bad {
            self.tell(row, &shown, problems);
        }
        Ok(array)
    }

    #[cold]
    fn error(&self, value: String, hint: &'static str) -> Error {
        Error::Value { column: self.column.name.clone(), value, target: types::name(&self.builder.target), hint }
    }
}

/// A type's name in a sentence for a person.
fn person(target: &arrow_schema::DataType) -> String {
    use arrow_schema::DataType as T;
    match target {
        T::Date32 => "date".into(),
        T::Timestamp(..) => "date and time".into(),
        T::Utf8 | T::LargeUtf8 => "text".into(),
        other => types::name(other),
    }
}
