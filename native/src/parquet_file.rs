//! Batches into a Parquet file: one thread reads and decodes, another encodes and writes.

use std::collections::HashSet;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::{Error, Result};

/// Batches that wait for the encoder. More would not be faster, only larger.
const WAITING: usize = 1;

/// Values of a column that are looked at before its encoding is decided.
const SAMPLE: usize = 8192;

/// Values that Parquet packs with the same number of bits.
const MINI_BLOCK: usize = 32;

/// Rows of a page, six times the writer's own limit, which is for skipping by pages and takes an index that no file
/// here has. Not more: a column with a dictionary holds eight bytes a row until its page is complete.
const PAGE_ROWS: usize = 1 << 17;

/// Values between two looks at a page's size.
const STEP: usize = 8192;

#[derive(Clone, Debug)]
pub struct Settings {
    pub row_group_rows: usize,
    /// Encoded bytes of a row group, all of which are in memory until it is complete.
    pub row_group_bytes: usize,
    /// Of zstd; 0 writes uncompressed pages.
    pub level: i32,
    pub dictionary: Dictionary,
    /// Whether integers, decimals and times that lie near each other are packed as differences.
    pub delta: bool,
    /// Columns of one value each, put after the others: names, and arrays of length 1.
    pub constants: Vec<(Field, ArrayRef)>,
}

#[derive(Clone, Debug)]
pub enum Dictionary {
    /// For columns of which the first batch shows few distinct values.
    Sampled,
    All,
    None,
    Named(HashSet<String>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            row_group_rows: 1 << 20,
            row_group_bytes: 32 << 20,
            level: 1,
            dictionary: Dictionary::Sampled,
            delta: true,
            constants: vec![],
        }
    }
}

enum Message {
    Batch(RecordBatch),
    /// Everything was read: only then the file gets its footer.
    End,
}

/// Writes every batch that `next` gives and returns the number of rows.
///
/// # Errors
/// The reader's error before the writer's: a file whose read failed has no footer.
pub fn write<W: Write + Send>(
    schema: &SchemaRef,
    next: &mut dyn FnMut() -> Result<Option<RecordBatch>>,
    out: W,
    settings: &Settings,
) -> Result<u64> {
    let schema = with_constants(schema, &settings.constants);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        // Not `scope.spawn`, which panics where the machine has no room for another thread.
        let encoder = thread::Builder::new().spawn_scoped(scope, || encode(schema, receiver, out, settings))?;
        let read = loop {
            match next() {
                Ok(Some(batch)) => {
                    if sender.send(Message::Batch(batch)).is_err() {
                        break Ok(()); // the encoder has failed, and says below why
                    }
                }
                Ok(None) => {
                    sender.send(Message::End).ok();
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        drop(sender);
        let written =
            encoder.join().unwrap_or_else(|_| Err(Error::Io(std::io::Error::other("the Parquet writer panicked"))));
        read.and(written)
    })
}

fn encode<W: Write + Send>(schema: SchemaRef, batches: Receiver<Message>, out: W, settings: &Settings) -> Result<u64> {
    let mut rows = 0;
    let mut constants = Constants::new(settings);
    let mut out = Some(out);
    let mut writer: Option<ArrowWriter<W>> = None;
    for message in batches {
        let batch = match message {
            Message::Batch(batch) => constants.append(&schema, batch)?,
            Message::End => RecordBatch::new_empty(schema.clone()),
        };
        let ended = batch.num_rows() == 0;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => {
                let Some(out) = out.take() else { return Ok(rows) };
                none.insert(ArrowWriter::try_new(out, schema.clone(), Some(properties(settings, &batch)?))?)
            }
        };
        if ended {
            writer.finish()?;
            writer.inner_mut().flush()?;
            return Ok(rows);
        }
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    Ok(rows)
}

fn properties(settings: &Settings, sample: &RecordBatch) -> Result<WriterProperties> {
    let compression = match settings.level {
        0 => Compression::UNCOMPRESSED,
        level => Compression::ZSTD(ZstdLevel::try_new(level)?),
    };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(STEP)
        .set_max_row_group_row_count(Some(settings.row_group_rows))
        .set_max_row_group_bytes(Some(settings.row_group_bytes))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(format!("mysql-arrow {}", env!("CARGO_PKG_VERSION")));
    for (field, array) in sample.schema_ref().fields().iter().zip(sample.columns()) {
        let wanted = match &settings.dictionary {
            Dictionary::Sampled => repeats(array),
            Dictionary::All => true,
            Dictionary::None => false,
            Dictionary::Named(names) => names.contains(field.name()),
        };
        let path = ColumnPath::from(field.name().as_str());
        if !wanted && settings.delta && packs(array) {
            // What is left are the bits that differ, which zstd only costs time to look at.
            builder = builder
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_compression(path.clone(), Compression::UNCOMPRESSED);
        }
        builder = builder.set_column_dictionary_enabled(path, wanted);
    }
    Ok(builder.build())
}

/// Whether a sample has each value at least four times on average.
fn repeats(array: &ArrayRef) -> bool {
    let rows = array.len();
    let step = (rows / SAMPLE).max(1);
    let at: Vec<usize> = (0..rows).step_by(step).filter(|&row| array.is_valid(row)).collect();
    if at.is_empty() {
        return true; // nothing but NULL so far: a dictionary costs nothing
    }
    let few = |distinct: usize| distinct * 4 <= at.len().max(8);
    match array.data_type() {
        DataType::Utf8 => few(at.iter().map(|&row| array.as_string::<i32>().value(row)).collect::<HashSet<_>>().len()),
        DataType::Binary => {
            few(at.iter().map(|&row| array.as_binary::<i32>().value(row)).collect::<HashSet<_>>().len())
        }
        DataType::LargeUtf8 => {
            few(at.iter().map(|&row| array.as_string::<i64>().value(row)).collect::<HashSet<_>>().len())
        }
        DataType::LargeBinary => {
            few(at.iter().map(|&row| array.as_binary::<i64>().value(row)).collect::<HashSet<_>>().len())
        }
        other => {
            let Some(width) = other.primitive_width() else { return false };
            let data = array.to_data();
            let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
            few(at.iter().map(|&row| &bytes[row * width..][..width]).collect::<HashSet<_>>().len())
        }
    }
}

/// Whether differences of neighbours, in a sample, need at most five eighths of the bits that the values have.
///
/// Packing them takes a fraction of zstd's time. Beyond that zstd may find more, such as days written as microseconds.
fn packs(array: &ArrayRef) -> bool {
    let Some(bits) = stored_bits(array.data_type()) else { return false };
    let (width, data) = (array.data_type().primitive_width().unwrap_or(8), array.to_data());
    let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
    let is_signed = !array.data_type().is_unsigned_integer();
    let value = |row: usize| {
        let bytes = &bytes[row * width..][..width.min(8)];
        let sign = if is_signed && bytes.last().is_some_and(|&byte| byte > 127) { -1i64 } else { 0 };
        bytes.iter().rev().fold(sign, |value, &byte| value << 8 | i64::from(byte))
    };
    let blocks = array.len().div_ceil(MINI_BLOCK);
    let (mut total, mut looked_at) = (0, 0);
    for block in (0..blocks).step_by((blocks * MINI_BLOCK / SAMPLE).max(1)) {
        let rows = block * MINI_BLOCK..((block + 1) * MINI_BLOCK).min(array.len());
        let values: Vec<i64> = rows.filter(|&row| array.is_valid(row)).map(value).collect();
        let deltas = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
        let (least, most) = deltas.fold((i64::MAX, i64::MIN), |(a, b), delta| (a.min(delta), b.max(delta)));
        if least <= most {
            total += 64 - most.wrapping_sub(least).leading_zeros();
            looked_at += 1;
        }
    }
    looked_at > 0 && total * 8 <= bits * 5 * looked_at
}

/// Bits of the integer that Parquet stores; None for what is no integer there.
fn stored_bits(target: &DataType) -> Option<u32> {
    use DataType as T;
    match target {
        T::Decimal128(..=9, _) | T::Date32 => Some(32),
        T::Decimal128(..=18, _) | T::Timestamp(..) | T::Duration(_) | T::Int64 | T::UInt64 => Some(64),
        other if other.is_integer() => Some(32),
        _ => None,
    }
}

fn with_constants(schema: &SchemaRef, constants: &[(Field, ArrayRef)]) -> SchemaRef {
    if constants.is_empty() {
        return schema.clone();
    }
    let fields = schema.fields().iter().map(|field| field.as_ref().clone());
    let more = constants.iter().map(|(field, _)| field.clone());
    SchemaRef::new(Schema::new_with_metadata(fields.chain(more).collect::<Vec<_>>(), schema.metadata().clone()))
}

/// Repeats constants as often as a batch has rows; most batches have as many as the one before.
struct Constants<'a> {
    values: &'a [(Field, ArrayRef)],
    repeated: Vec<ArrayRef>,
    rows: usize,
}

impl<'a> Constants<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self { values: &settings.constants, repeated: vec![], rows: 0 }
    }

    fn append(&mut self, schema: &SchemaRef, batch: RecordBatch) -> Result<RecordBatch> {
        if self.values.is_empty() {
            return Ok(batch);
        }
        if self.rows != batch.num_rows() {
            self.rows = batch.num_rows();
            let first = UInt32Array::from(vec![0; self.rows]);
            let repeat = |(_, value): &(Field, ArrayRef)| arrow_select::take::take(value, &first, None);
            self.repeated = self.values.iter().map(repeat).collect::<std::result::Result<_, _>>()?;
        }
        let columns = batch.columns().iter().chain(&self.repeated).cloned().collect();
        crate::result::batch(schema.clone(), columns, self.rows)
    }
}
