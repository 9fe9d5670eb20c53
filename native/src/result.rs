//! The decoder: bytes of a reply in, record batches out. It reads no socket and knows no clock.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::column::Column;
use crate::error::{Error, Result, broken};
use crate::packet::Packets;
use crate::policy::{Exceptions, Policies};
use crate::rows::Rows;
use crate::types;
use crate::wire::Wire;

/// The server allows 4096 columns a table, and not many more a result.
const MAX_COLUMNS: u64 = 65_535;
const MORE_RESULTS: u16 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Binary,
    Text,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub protocol: Protocol,
    pub schema: Option<SchemaRef>,
    pub rows_per_batch: usize,
    pub bytes_per_batch: usize,
    pub max_packet: usize,
    pub policies: Policies,
    /// Columns to which other policies apply.
    pub exceptions: Exceptions,
    /// Name of the column that tells what is wrong with a row.
    pub problems: Option<String>,
    pub hashes: bool,
    /// Count the rows and throw them away.
    pub discard: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: Protocol::Binary,
            schema: None,
            rows_per_batch: 65_536,
            bytes_per_batch: 16 << 20,
            max_packet: 1 << 30,
            policies: Policies::default(),
            exceptions: Exceptions::default(),
            problems: None,
            hashes: false,
            discard: false,
        }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        // Offsets of 32 bits hold a batch, a packet beyond it and the longest replacement of bad text.
        let limits = [
            ("rows_per_batch", self.rows_per_batch, 1, 1 << 24),
            ("bytes_per_batch", self.bytes_per_batch, 1, 256 << 20),
            ("max_packet", self.max_packet, 1, 1 << 30),
        ];
        for (name, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return Err(Error::Option(format!("{name}={value} is not between {least} and {most}")));
            }
        }
        let mut policies = std::iter::once(&self.policies).chain(self.exceptions.values());
        if self.problems.is_none() && policies.any(Policies::tell_problems) {
            return Err(Error::Option("the policy 'problem' needs `problems`, the name of a column".into()));
        }
        Ok(())
    }
}

enum State {
    Header,
    Columns(usize),
    /// An EOF packet follows the columns, unless the client said that it needs none.
    AfterColumns,
    Rows,
    Done,
    Failed,
}

pub struct Decoder {
    options: Options,
    packets: Packets,
    state: State,
    columns: Vec<Column>,
    rows: Option<Rows>,
    schema: Option<SchemaRef>,
    row_count: u64,
    byte_count: u64,
    warnings: u16,
    extra_results: u64,
}

impl Decoder {
    /// # Errors
    /// An option is out of its range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self {
            packets: Packets::new(options.max_packet),
            options,
            state: State::Header,
            columns: vec![],
            rows: None,
            schema: None,
            row_count: 0,
            byte_count: 0,
            warnings: 0,
            extra_results: 0,
        })
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.packets.feed(bytes);
    }

    /// Room to read the next bytes into; `filled` tells how many came.
    pub fn space(&mut self, wanted: usize) -> &mut [u8] {
        self.packets.space(wanted)
    }

    pub fn filled(&mut self, count: usize) {
        self.packets.filled(count);
    }

    /// The schema of the batches, once the columns are known.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Whether the reply has ended and every batch was taken.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Done) && self.rows.as_ref().is_none_or(Rows::is_empty)
    }

    pub fn stats(&self) -> Stats {
        let counts = |pick: fn(&crate::rows::Counts) -> u64| match &self.rows {
            Some(rows) => rows.counts().map(|(name, counts)| (name.to_owned(), pick(counts))).collect(),
            None => vec![],
        };
        Stats {
            rows: self.row_count,
            bytes: self.byte_count,
            warnings: self.warnings,
            extra_results: self.extra_results,
            nulled: counts(|counts| counts.nulled),
            replaced: counts(|counts| counts.replaced),
        }
    }

    /// The sum of the hashes of the rows that were decoded.
    pub fn hash_sum(&self) -> u128 {
        self.rows.as_ref().and_then(|rows| rows.hash.as_ref()).map_or(0, |hash| hash.sum())
    }

    /// Reads the packets up to the first row, so that `schema` is known. False until enough bytes have come.
    pub fn read_schema(&mut self) -> Result<bool> {
        while self.schema.is_none() && !matches!(self.state, State::Done) {
            if !self.step()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next batch, or None until more bytes have come or because all is read: `is_finished` tells which.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let ended = matches!(self.state, State::Done);
            if let Some(rows) = &mut self.rows
                && (rows.is_full() || ended && !rows.is_empty())
            {
                return rows.finish().map(Some);
            }
            if ended || !self.step()? {
                return Ok(None);
            }
        }
    }

    /// Takes packets: one, or rows until a batch is full. False if none is whole.
    fn step(&mut self) -> Result<bool> {
        if matches!(self.state, State::Failed) {
            return broken("the decoder has failed before");
        }
        let done = self.try_step();
        if done.is_err() {
            self.state = State::Failed;
        }
        done
    }

    fn try_step(&mut self) -> Result<bool> {
        if matches!(self.state, State::AfterColumns | State::Rows) {
            return self.read_rows();
        }
        let Some(packet) = self.packets.next_packet()? else { return Ok(false) };
        self.byte_count += packet.len() as u64 + 4;
        match self.state {
            State::Header => {
                let next = match packet {
                    [0x00, rest @ ..] => {
                        let (warnings, status) = read_ok(rest)?;
                        self.warnings = warnings;
                        if status & MORE_RESULTS == 0 { State::Done } else { State::Header }
                    }
                    [0xFF, rest @ ..] => return Err(server_error(rest)),
                    [0xFB, ..] => return broken("the server asks for a local file"),
                    packet => {
                        let mut wire = Wire::new(packet);
                        let count = wire.length()?;
                        if count > MAX_COLUMNS || !wire.rest.is_empty() {
                            return broken(format!("a reply begins with {:#04x}", packet.first().unwrap_or(&0)));
                        }
                        self.columns.clear();
                        self.extra_results += u64::from(self.schema.is_some());
                        State::Columns(count as usize)
                    }
                };
                self.state = next;
            }
            State::Columns(left) => {
                self.columns.push(Column::parse(packet)?);
                self.state = if left > 1 { State::Columns(left - 1) } else { State::AfterColumns };
                if left == 1 && self.rows.is_none() && self.extra_results == 0 {
                    self.begin_rows()?;
                }
            }
            State::AfterColumns | State::Rows | State::Done | State::Failed => {}
        }
        Ok(true)
    }

    fn begin_rows(&mut self) -> Result<()> {
        let schema = types::resolve(&self.columns, self.options.schema.as_ref())?;
        let is_column = |name: &String| self.columns.iter().any(|column| column.name == *name);
        if let Some(name) = self.options.exceptions.keys().find(|name| !is_column(name)) {
            return Err(Error::Schema(format!("it has no column {name:?}, for which there is a policy")));
        }
        let schema = match &self.options.problems {
            Some(name) => with_problems(&schema, name)?,
            None => schema,
        };
        self.schema = Some(schema.clone());
        if !self.options.discard {
            self.rows = Some(Rows::new(std::mem::take(&mut self.columns), schema, &self.options));
        }
        Ok(())
    }

    fn read_rows(&mut self) -> Result<bool> {
        let mut taken = false;
        while let Some(packet) = self.packets.next_packet()? {
            taken = true;
            self.byte_count += packet.len() as u64 + 4;
            if matches!(self.state, State::AfterColumns) {
                self.state = State::Rows;
                // Five bytes: with CLIENT_DEPRECATE_EOF the end is an OK packet of seven or more.
                if matches!(packet, [0xFE, _, _, _, _]) {
                    continue;
                }
            }
            match packet {
                [0xFE, rest @ ..] if packet.len() < 0xFF_FFFF => {
                    let (warnings, status) = read_end(rest)?;
                    self.end(warnings, status);
                    return Ok(true);
                }
                [0xFF, rest @ ..] => return Err(server_error(rest)),
                row => match &mut self.rows {
                    Some(rows) if self.extra_results == 0 => {
                        rows.push(row)?;
                        self.row_count += 1;
                        if rows.is_full() {
                            return Ok(true);
                        }
                    }
                    _ => self.row_count += u64::from(self.extra_results == 0),
                },
            }
        }
        Ok(taken)
    }

    /// A procedure sends more replies after its first one; they are read and left out.
    fn end(&mut self, warnings: u16, status: u16) {
        self.warnings = warnings;
        self.state = if status & MORE_RESULTS == 0 { State::Done } else { State::Header };
    }
}

#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub rows: u64,
    pub bytes: u64,
    pub warnings: u16,
    /// Results that followed the first one and were left out.
    pub extra_results: u64,
    pub nulled: Vec<(String, u64)>,
    pub replaced: Vec<(String, u64)>,
}

fn with_problems(schema: &SchemaRef, name: &str) -> Result<SchemaRef> {
    if schema.fields().iter().any(|field| field.name() == name) {
        return Err(Error::Schema(format!("it has a column {name:?}, which is also the name for the problems")));
    }
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(name, DataType::Utf8, true)));
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// A batch that may have no column at all.
pub fn batch(schema: SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}

/// Warnings and status of an OK packet.
fn read_ok(rest: &[u8]) -> Result<(u16, u16)> {
    let mut wire = Wire::new(rest);
    wire.length()?;
    wire.length()?;
    let status = wire.u16()?;
    Ok((wire.u16()?, status))
}

/// Warnings and status of the end of rows: an EOF packet, or an OK packet with EOF's first byte.
fn read_end(rest: &[u8]) -> Result<(u16, u16)> {
    if let [a, b, c, d] = *rest {
        return Ok((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])));
    }
    read_ok(rest)
}

fn server_error(rest: &[u8]) -> Error {
    let (errno, message) = rest.split_at(rest.len().min(2));
    let errno = errno.iter().rev().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
    let (sqlstate, message) = match message {
        [b'#', a, b, c, d, e, rest @ ..] => (String::from_utf8_lossy(&[*a, *b, *c, *d, *e]).into_owned(), rest),
        _ => ("HY000".to_owned(), message),
    };
    Error::Server { errno, sqlstate, message: String::from_utf8_lossy(message).into_owned() }
}
