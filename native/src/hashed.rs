//! The hash of rows that are Arrow values again, as they were kept: what [`crate::hash`] makes of them on the wire.
//!
//! The server's text of a value is written anew from the Arrow value and the column's MySQL type, so that rows that a
//! file holds can be compared with rows that the server sums.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, PrimitiveArray, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, TimeUnit};

use crate::date::{Date, DateTime, MICROS_PER_DAY};
use crate::error::{Error, Result};
use crate::hash::{first_half, hexadecimal};

/// How the values of a column are written: the forms of `mysql_arrow.hashes.Form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Length and text.
    Text,
    /// Hexadecimal.
    Bytes,
    /// Hexadecimal, of so many bytes.
    Bits(usize),
    /// The bytes of the double, hexadecimal.
    Float,
    /// Date and time, with so many digits of a second's fraction.
    Moment(u8),
    /// As the server prints it.
    Plain,
}

impl Form {
    /// # Errors
    /// There is no form of this name.
    pub fn parse(name: &str, digits: u8) -> Result<Self> {
        Ok(match name {
            "text" => Self::Text,
            "bytes" => Self::Bytes,
            "bits" => Self::Bits(digits.into()),
            "float" => Self::Float,
            "moment" => Self::Moment(digits),
            "plain" | "zeros" => Self::Plain,
            other => return Err(Error::Option(format!("{other:?} is no form of a hashed value"))),
        })
    }
}

/// The hash of each row, over some of the batch's columns in the order given.
///
/// # Errors
/// The batch has no such column, or it is of a type that the form does not write.
pub fn row_hashes(batch: &RecordBatch, columns: &[(String, Form)], problems: Option<&str>) -> Result<UInt64Array> {
    let told = problems.map(|name| texts(batch, name)).transpose()?.filter(|told| told.null_count() < told.len());
    let cells = columns
        .iter()
        .map(|(name, form)| Ok(Cell { name, values: Values::of(column(batch, name)?.as_ref(), name, *form)? }))
        .collect::<Result<Vec<_>>>()?;
    let mut row = Vec::new();
    let hash = |at: usize| {
        row.clear();
        for cell in &cells {
            cell.write(at, told, &mut row);
            row.push(b',');
        }
        first_half(&row)
    };
    Ok(UInt64Array::from_iter_values((0..batch.num_rows()).map(hash)))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow_array::ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::Schema(format!("there is no column {name:?} to hash")))
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    column(batch, name)?
        .as_string_opt::<i32>()
        .ok_or_else(|| Error::Schema(format!("the column {name:?} of problems is no text")))
}

struct Cell<'a> {
    name: &'a str,
    values: Values<'a>,
}

/// A column's values with the way in which they are written, decided once for a batch.
enum Values<'a> {
    Null,
    Text(&'a arrow_array::StringArray),
    LongText(&'a arrow_array::LargeStringArray),
    PlainText(&'a arrow_array::StringArray),
    Bytes(&'a arrow_array::BinaryArray),
    LongBytes(&'a arrow_array::LargeBinaryArray),
    Bool(&'a arrow_array::BooleanArray),
    Int(&'a PrimitiveArray<Int32Type>),
    Long(&'a PrimitiveArray<Int64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>, usize),
    BoolBits(&'a arrow_array::BooleanArray, usize),
    IntBits(&'a PrimitiveArray<Int32Type>, usize),
    LongBits(&'a PrimitiveArray<Int64Type>, usize),
    DecimalBits(&'a PrimitiveArray<Decimal128Type>, usize),
    Float(&'a PrimitiveArray<Float32Type>),
    Double(&'a PrimitiveArray<Float64Type>),
    Date(&'a PrimitiveArray<Date32Type>),
    Moment(&'a PrimitiveArray<TimestampMicrosecondType>, u8),
}

impl<'a> Values<'a> {
    fn of(array: &'a dyn Array, name: &str, form: Form) -> Result<Self> {
        use DataType as T;
        Ok(match (form, array.data_type()) {
            (_, T::Null) => Self::Null,
            (Form::Text, T::Utf8) => Self::Text(array.as_string()),
            (Form::Text, T::LargeUtf8) => Self::LongText(array.as_string()),
            (Form::Plain, T::Utf8) => Self::PlainText(array.as_string()),
            (Form::Bytes, T::Binary) => Self::Bytes(array.as_binary()),
            (Form::Bytes, T::LargeBinary) => Self::LongBytes(array.as_binary()),
            (Form::Plain, T::Boolean) => Self::Bool(array.as_boolean()),
            (Form::Plain, T::Int32) => Self::Int(array.as_primitive()),
            (Form::Plain, T::Int64) => Self::Long(array.as_primitive()),
            (Form::Plain, T::Decimal128(_, scale)) => {
                Self::Decimal(array.as_primitive(), usize::try_from(*scale).unwrap_or(0))
            }
            (Form::Bits(bytes), T::Boolean) => Self::BoolBits(array.as_boolean(), bytes),
            (Form::Bits(bytes), T::Int32) => Self::IntBits(array.as_primitive(), bytes),
            (Form::Bits(bytes), T::Int64) => Self::LongBits(array.as_primitive(), bytes),
            (Form::Bits(bytes), T::Decimal128(_, 0)) => Self::DecimalBits(array.as_primitive(), bytes),
            (Form::Float, T::Float32) => Self::Float(array.as_primitive()),
            (Form::Float, T::Float64) => Self::Double(array.as_primitive()),
            (Form::Plain, T::Date32) => Self::Date(array.as_primitive()),
            (Form::Moment(digits), T::Timestamp(TimeUnit::Microsecond, _)) => {
                Self::Moment(array.as_primitive(), digits)
            }
            (form, other) => {
                return Err(Error::Option(format!("the column {name:?} is {other}, which is not hashed as {form:?}")));
            }
        })
    }

    fn is_null(&self, at: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Text(array) | Self::PlainText(array) => array.is_null(at),
            Self::LongText(array) => array.is_null(at),
            Self::Bytes(array) => array.is_null(at),
            Self::LongBytes(array) => array.is_null(at),
            Self::Bool(array) | Self::BoolBits(array, _) => array.is_null(at),
            Self::Int(array) | Self::IntBits(array, _) => array.is_null(at),
            Self::Long(array) | Self::LongBits(array, _) => array.is_null(at),
            Self::Decimal(array, _) | Self::DecimalBits(array, _) => array.is_null(at),
            Self::Float(array) => array.is_null(at),
            Self::Double(array) => array.is_null(at),
            Self::Date(array) => array.is_null(at),
            Self::Moment(array, _) => array.is_null(at),
        }
    }
}

impl Cell<'_> {
    #[inline]
    fn write(&self, at: usize, told: Option<&StringArray>, out: &mut Vec<u8>) {
        if self.values.is_null(at) {
            out.push(if told.is_some_and(|told| told.is_valid(at) && tells(told.value(at), self.name)) {
                b'U'
            } else {
                b'N'
            });
            return;
        }
        match &self.values {
            Values::Null => {}
            Values::Text(array) => counted(array.value(at).as_bytes(), out),
            Values::LongText(array) => counted(array.value(at).as_bytes(), out),
            Values::PlainText(array) => out.extend_from_slice(array.value(at).as_bytes()),
            Values::Bytes(array) => hexadecimal(array.value(at), out),
            Values::LongBytes(array) => hexadecimal(array.value(at), out),
            Values::Bool(array) => out.push(b'0' + u8::from(array.value(at))),
            Values::Int(array) => number(array.value(at).into(), out),
            Values::Long(array) => number(array.value(at), out),
            Values::Decimal(array, scale) => decimal(array.value(at), *scale, out),
            Values::BoolBits(array, bytes) => bits(array.value(at).into(), *bytes, out),
            Values::IntBits(array, bytes) => bits(array.value(at).into(), *bytes, out),
            Values::LongBits(array, bytes) => bits(array.value(at).into(), *bytes, out),
            Values::DecimalBits(array, bytes) => bits(array.value(at), *bytes, out),
            Values::Float(array) => hexadecimal(&f64::from(array.value(at)).to_le_bytes(), out),
            Values::Double(array) => hexadecimal(&array.value(at).to_le_bytes(), out),
            Values::Date(array) => Date::of_days(array.value(at)).print(out),
            Values::Moment(array, digits) => moment(array.value(at)).print(*digits, out),
        }
    }
}

/// Whether a row's problems, ``d: '2021-00-00' is no date; …``, name the column. No name and no value has the separators.
fn tells(problems: &str, name: &str) -> bool {
    problems.split("; ").any(|problem| problem.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ")))
}

fn counted(text: &[u8], out: &mut Vec<u8>) {
    number(i64::try_from(text.len()).unwrap_or(i64::MAX), out);
    out.push(b':');
    out.extend_from_slice(text);
}

fn number(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The lowest bytes of a number that is not negative.
fn bits(value: i128, bytes: usize, out: &mut Vec<u8>) {
    let all = value.to_be_bytes();
    hexadecimal(&all[all.len() - bytes.min(all.len())..], out);
}

fn decimal(value: i128, scale: usize, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(&digits[whole..]);
    }
}

fn moment(micros: i64) -> DateTime {
    let (days, rest) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    let seconds = rest / 1_000_000;
    DateTime {
        date: Date::of_days(i32::try_from(days).unwrap_or(0)),
        hour: (seconds / 3600) as u8,
        minute: (seconds / 60 % 60) as u8,
        second: (seconds % 60) as u8,
        micros: (rest % 1_000_000) as u32,
    }
}
