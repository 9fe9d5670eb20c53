//! One column of a batch while it grows: plain vectors that become Arrow buffers without a copy.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, DurationMicrosecondType, TimestampMicrosecondType};
use arrow_array::{ArrayRef, BooleanArray, GenericBinaryArray, GenericStringArray, NullArray, PrimitiveArray, types};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use crate::date::Calendar;
use crate::decimal;
use crate::policy::Reject;
use crate::value::Value;

/// The values of a column. Offsets have 32 bits: a batch is cut long before 2 GiB.
pub enum Values {
    Null,
    Bool(BooleanBufferBuilder),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Decimal { values: Vec<i128>, scale: u8, factor: i128, limit: i128 },
    Days(Vec<i32>),
    Moments(Vec<i64>),
    Spans(Vec<i64>),
    Blobs { offsets: Vec<i32>, bytes: Vec<u8> },
}

pub struct Builder {
    pub target: DataType,
    values: Values,
    nulls: NullBufferBuilder,
    length: usize,
}

impl Builder {
    pub fn new(target: DataType) -> Self {
        use DataType as T;
        let values = match &target {
            T::Null => Values::Null,
            T::Boolean => Values::Bool(BooleanBufferBuilder::new(0)),
            T::Int8 => Values::I8(vec![]),
            T::Int16 => Values::I16(vec![]),
            T::Int32 => Values::I32(vec![]),
            T::Int64 => Values::I64(vec![]),
            T::UInt8 => Values::U8(vec![]),
            T::UInt16 => Values::U16(vec![]),
            T::UInt32 => Values::U32(vec![]),
            T::UInt64 => Values::U64(vec![]),
            T::Float32 => Values::F32(vec![]),
            T::Float64 => Values::F64(vec![]),
            T::Decimal128(precision, scale) => Values::Decimal {
                values: vec![],
                scale: *scale as u8,
                factor: decimal::limit(*scale as u8) + 1,
                limit: decimal::limit(*precision),
            },
            T::Date32 => Values::Days(vec![]),
            T::Timestamp(..) => Values::Moments(vec![]),
            T::Duration(_) => Values::Spans(vec![]),
            _ => Values::Blobs { offsets: vec![0], bytes: vec![] },
        };
        Self { target, values, nulls: NullBufferBuilder::new(0), length: 0 }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes that a row takes beside the text or bytes in it.
    pub fn width(&self) -> usize {
        match &self.values {
            Values::Null => 0,
            Values::Bool(_) | Values::I8(_) | Values::U8(_) => 1,
            Values::I16(_) | Values::U16(_) => 2,
            Values::I32(_) | Values::U32(_) | Values::F32(_) | Values::Days(_) | Values::Blobs { .. } => 4,
            Values::I64(_) | Values::U64(_) | Values::F64(_) | Values::Moments(_) | Values::Spans(_) => 8,
            Values::Decimal { .. } => 16,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, value: &Value, calendar: &mut Calendar, digits: u8) -> Result<(), Reject> {
        match (&mut self.values, value) {
            (Values::Null, _) => return Err(Reject::Nature),
            (Values::Bool(out), value) => out.append(truth(value)?),
            (Values::I8(out), value) => out.push(integer(value)?),
            (Values::I16(out), value) => out.push(integer(value)?),
            (Values::I32(out), Value::Int(value)) => out.push(i32::try_from(*value).or(Err(Reject::Range))?),
            (Values::I32(out), value) => out.push(integer(value)?),
            (Values::I64(out), Value::Int(value)) => out.push(*value),
            (Values::I64(out), Value::Time(value)) => out.push(value.micros()),
            (Values::I64(out), value) => out.push(integer(value)?),
            (Values::U8(out), value) => out.push(integer(value)?),
            (Values::U16(out), value) => out.push(integer(value)?),
            (Values::U32(out), value) => out.push(integer(value)?),
            (Values::U64(out), value) => out.push(integer(value)?),
            (Values::F32(out), Value::F32(value)) => out.push(*value),
            (Values::F32(out), Value::F64(value)) => out.push(narrow(*value)?),
            (Values::F64(out), Value::F32(value)) => out.push(f64::from(*value)),
            (Values::F64(out), Value::F64(value)) => out.push(*value),
            (Values::Decimal { values, scale, limit, .. }, Value::Decimal(text)) => {
                match decimal::parse(text, *scale) {
                    Some(number) if number.unsigned_abs() <= limit.unsigned_abs() => values.push(number),
                    _ if decimal::is_number(text) => return Err(Reject::Range),
                    _ => return Err(Reject::Nature),
                }
            }
            (Values::Decimal { values, factor, limit, .. }, value) => {
                let number = integer::<i128>(value)?.checked_mul(*factor).ok_or(Reject::Range)?;
                if number.unsigned_abs() > limit.unsigned_abs() {
                    return Err(Reject::Range);
                }
                values.push(number);
            }
            (Values::Days(out), Value::Date(date)) => out.push(calendar.days(*date).ok_or(Reject::Date)?),
            (Values::Moments(out), Value::DateTime(moment)) => out.push(calendar.micros(*moment).ok_or(Reject::Date)?),
            (Values::Spans(out), Value::Time(time)) => out.push(time.micros()),
            (Values::Blobs { offsets, bytes }, value) => {
                match value {
                    Value::Bytes(value) => bytes.extend_from_slice(value),
                    Value::Decimal(text) if !decimal::is_number(text) => return Err(Reject::Nature),
                    value => value.print(digits, bytes),
                }
                offsets.push(offset(bytes)?);
            }
            _ => return Err(Reject::Nature),
        }
        self.nulls.append_non_null();
        self.length += 1;
        Ok(())
    }

    #[inline]
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Null => {}
            Values::Bool(out) => out.append(false),
            Values::I8(out) => out.push(0),
            Values::I16(out) => out.push(0),
            Values::I32(out) | Values::Days(out) => out.push(0),
            Values::I64(out) | Values::Moments(out) | Values::Spans(out) => out.push(0),
            Values::U8(out) => out.push(0),
            Values::U16(out) => out.push(0),
            Values::U32(out) => out.push(0),
            Values::U64(out) => out.push(0),
            Values::F32(out) => out.push(0.0),
            Values::F64(out) => out.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Blobs { offsets, .. } => offsets.push(*offsets.last().unwrap_or(&0)),
        }
        self.nulls.append_null();
        self.length += 1;
    }

    /// The array of what was pushed; the builder is empty again. `repair` sees the text of a column that holds bytes
    /// which are no UTF-8, and says what stands there instead.
    pub fn finish<E: From<ArrowError>>(
        &mut self,
        repair: impl FnMut(usize, &[u8]) -> Result<Repaired, E>,
    ) -> Result<ArrayRef, E> {
        let length = std::mem::take(&mut self.length);
        let nulls = std::mem::replace(&mut self.nulls, NullBufferBuilder::new(0)).finish();
        Ok(match &mut self.values {
            Values::Null => Arc::new(NullArray::new(length)),
            Values::Bool(out) => Arc::new(BooleanArray::new(out.finish(), nulls)),
            Values::I8(out) => primitive::<types::Int8Type>(out, nulls),
            Values::I16(out) => primitive::<types::Int16Type>(out, nulls),
            Values::I32(out) => primitive::<types::Int32Type>(out, nulls),
            Values::I64(out) => primitive::<types::Int64Type>(out, nulls),
            Values::U8(out) => primitive::<types::UInt8Type>(out, nulls),
            Values::U16(out) => primitive::<types::UInt16Type>(out, nulls),
            Values::U32(out) => primitive::<types::UInt32Type>(out, nulls),
            Values::U64(out) => primitive::<types::UInt64Type>(out, nulls),
            Values::F32(out) => primitive::<types::Float32Type>(out, nulls),
            Values::F64(out) => primitive::<types::Float64Type>(out, nulls),
            Values::Decimal { values, .. } => typed::<Decimal128Type>(values, nulls, &self.target),
            Values::Days(out) => primitive::<types::Date32Type>(out, nulls),
            Values::Moments(out) => typed::<TimestampMicrosecondType>(out, nulls, &self.target),
            Values::Spans(out) => typed::<DurationMicrosecondType>(out, nulls, &self.target),
            Values::Blobs { offsets, bytes } => {
                let (offsets, bytes) = (again(offsets), again(bytes));
                if let Values::Blobs { offsets, .. } = &mut self.values {
                    offsets.push(0);
                }
                return self.blobs(offsets, bytes, nulls, repair);
            }
        })
    }

    fn blobs<E: From<ArrowError>>(
        &self,
        offsets: Vec<i32>,
        bytes: Vec<u8>,
        nulls: Option<NullBuffer>,
        repair: impl FnMut(usize, &[u8]) -> Result<Repaired, E>,
    ) -> Result<ArrayRef, E> {
        let offsets = OffsetBuffer::new(offsets.into());
        let bytes = Buffer::from_vec(bytes);
        Ok(match self.target {
            DataType::Binary => Arc::new(GenericBinaryArray::try_new(offsets, bytes, nulls)?),
            DataType::LargeBinary => Arc::new(GenericBinaryArray::try_new(long(&offsets), bytes, nulls)?),
            _ => {
                // Arrow checks the whole column's bytes at once; only if they are bad, each value is looked at.
                let array = match GenericStringArray::<i32>::try_new(offsets.clone(), bytes.clone(), nulls.clone()) {
                    Ok(array) => array,
                    Err(_) => repaired(&offsets, &bytes, nulls, repair)?,
                };
                if self.target == DataType::LargeUtf8 {
                    let (offsets, bytes, nulls) = array.into_parts();
                    Arc::new(GenericStringArray::try_new(long(&offsets), bytes, nulls)?)
                } else {
                    Arc::new(array)
                }
            }
        })
    }
}

/// What stands in the place of text that is none.
pub enum Repaired {
    Null,
    Text(String),
}

fn repaired<E: From<ArrowError>>(
    offsets: &OffsetBuffer<i32>,
    bytes: &[u8],
    nulls: Option<NullBuffer>,
    mut repair: impl FnMut(usize, &[u8]) -> Result<Repaired, E>,
) -> Result<GenericStringArray<i32>, E> {
    let mut out = arrow_array::builder::StringBuilder::new();
    for (row, bounds) in offsets.windows(2).enumerate() {
        let value = &bytes[bounds[0] as usize..bounds[1] as usize];
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.append_null();
        } else if let Ok(text) = std::str::from_utf8(value) {
            out.append_value(text);
        } else {
            match repair(row, value)? {
                Repaired::Null => out.append_null(),
                // A replacement is at most three times as long; a batch is far shorter than a third of 2 GiB.
                Repaired::Text(text) => out.append_value(text),
            }
        }
    }
    Ok(out.finish())
}

fn long(offsets: &OffsetBuffer<i32>) -> OffsetBuffer<i64> {
    OffsetBuffer::new(offsets.iter().map(|&offset| i64::from(offset)).collect())
}

/// Takes a vector and leaves one with as much room: the next batch will be about as large.
fn again<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len();
    std::mem::replace(values, Vec::with_capacity(room))
}

fn primitive<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(again(values)), nulls))
}

fn typed<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, nulls: Option<NullBuffer>, target: &DataType) -> ArrayRef {
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(again(values)), nulls);
    Arc::new(array.with_data_type(target.clone()))
}

#[inline(always)]
fn integer<T: TryFrom<i64> + TryFrom<u64> + TryFrom<i128>>(value: &Value) -> Result<T, Reject> {
    match value {
        Value::Int(value) => T::try_from(*value).or(Err(Reject::Range)),
        Value::Unsigned(value) => T::try_from(*value).or(Err(Reject::Range)),
        Value::Decimal(text) => match decimal::parse(text, 0) {
            Some(value) => T::try_from(value).or(Err(Reject::Range)),
            None if decimal::is_number(text) => Err(Reject::Range),
            None => Err(Reject::Nature),
        },
        Value::Bytes(bits) if bits.len() <= 8 => {
            let value = bits.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
            T::try_from(value).or(Err(Reject::Range))
        }
        _ => Err(Reject::Nature),
    }
}

fn truth(value: &Value) -> Result<bool, Reject> {
    match value {
        Value::Int(0) | Value::Unsigned(0) | Value::Bytes([0]) => Ok(false),
        Value::Int(1) | Value::Unsigned(1) | Value::Bytes([1]) => Ok(true),
        Value::Int(_) | Value::Unsigned(_) => Err(Reject::Range),
        _ => Err(Reject::Nature),
    }
}

fn narrow(value: f64) -> Result<f32, Reject> {
    let narrowed = value as f32;
    if f64::from(narrowed) == value || value.is_nan() { Ok(narrowed) } else { Err(Reject::Range) }
}

#[inline(always)]
fn offset(bytes: &[u8]) -> Result<i32, Reject> {
    i32::try_from(bytes.len()).or(Err(Reject::Nature))
}
