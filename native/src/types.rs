//! Which Arrow type a column becomes: the one that the caller's schema names, if the values can go there, or the
//! natural one.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::column::{Column, Kind};
use crate::error::{Error, Result};

pub const MAX_DIGITS: u8 = 38;

/// The schema of the batches, without the column of problems.
///
/// # Errors
/// A column is missing, is too much, has another name, or cannot go into its type at all.
pub fn resolve(columns: &[Column], target: Option<&SchemaRef>) -> Result<SchemaRef> {
    let Some(schema) = target else {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, natural(column.kind), true)).collect();
        return Ok(Arc::new(Schema::new(fields)));
    };
    let found: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let wanted: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if found != wanted {
        return Err(Error::Schema(format!("it has the columns {wanted:?}, the result has {found:?}")));
    }
    for (column, field) in columns.iter().zip(schema.fields()) {
        check(column.kind, field.data_type()).map_err(|reason| Error::Type {
            column: column.name.clone(),
            mysql: column.kind.to_string(),
            target: name(field.data_type()),
            reason: reason.into(),
        })?;
    }
    Ok(schema.clone())
}

fn natural(kind: Kind) -> DataType {
    match kind {
        Kind::Null => DataType::Null,
        Kind::Int { bytes: 1, unsigned: false } => DataType::Int8,
        Kind::Int { bytes: 1, unsigned: true } => DataType::UInt8,
        Kind::Int { bytes: 2, unsigned: false } | Kind::Year => DataType::Int16,
        Kind::Int { bytes: 2, unsigned: true } => DataType::UInt16,
        Kind::Int { bytes: 3 | 4, unsigned: false } => DataType::Int32,
        Kind::Int { bytes: 3 | 4, unsigned: true } => DataType::UInt32,
        Kind::Int { unsigned: false, .. } => DataType::Int64,
        Kind::Int { unsigned: true, .. } => DataType::UInt64,
        Kind::Float => DataType::Float32,
        Kind::Double => DataType::Float64,
        Kind::Decimal { precision, scale } if precision <= MAX_DIGITS => DataType::Decimal128(precision, scale as i8),
        Kind::Decimal { .. } | Kind::Text => DataType::Utf8,
        Kind::Date => DataType::Date32,
        Kind::DateTime { instant: false, .. } => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::DateTime { instant: true, .. } => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Time { .. } => DataType::Duration(TimeUnit::Microsecond),
        Kind::Bit { .. } | Kind::Bytes => DataType::Binary,
    }
}

/// Whether values of the kind can go into the type; single values may still be out of its range.
fn check(kind: Kind, target: &DataType) -> std::result::Result<(), &'static str> {
    use DataType as T;
    if !is_known(target) {
        return Err("no MySQL type becomes this");
    }
    let fits = match kind {
        Kind::Null => true,
        Kind::Int { .. } => target.is_integer() || matches!(target, T::Boolean | T::Decimal128(..)),
        Kind::Year => target.is_integer(),
        Kind::Float | Kind::Double => matches!(target, T::Float32 | T::Float64),
        Kind::Decimal { scale, .. } => match target {
            T::Decimal128(_, target_scale) if (*target_scale as u8) < scale => {
                return Err("its scale would lose digits");
            }
            T::Decimal128(..) | T::Utf8 | T::LargeUtf8 => true,
            integer if integer.is_integer() && scale > 0 => return Err("an integer would lose digits"),
            integer => integer.is_integer(),
        },
        Kind::Date => matches!(target, T::Date32),
        Kind::DateTime { .. } => matches!(target, T::Timestamp(..)),
        Kind::Time { .. } => matches!(target, T::Duration(_) | T::Int64 | T::Utf8 | T::LargeUtf8),
        Kind::Bit { bits: 1 } if matches!(target, T::Boolean) => true,
        Kind::Bit { .. } => target.is_integer() || matches!(target, T::Decimal128(..) | T::Binary | T::LargeBinary),
        Kind::Text => matches!(target, T::Utf8 | T::LargeUtf8 | T::Binary | T::LargeBinary),
        Kind::Bytes => matches!(target, T::Binary | T::LargeBinary),
    };
    if fits { Ok(()) } else { Err("its values are of another nature") }
}

fn is_known(target: &DataType) -> bool {
    use DataType as T;
    match target {
        T::Null | T::Boolean | T::Float32 | T::Float64 | T::Date32 => true,
        T::Utf8 | T::LargeUtf8 | T::Binary | T::LargeBinary => true,
        T::Decimal128(precision, scale) => *precision <= MAX_DIGITS && (0..=*precision as i8).contains(scale),
        T::Timestamp(TimeUnit::Microsecond, zone) => zone.as_deref().is_none_or(is_utc),
        T::Duration(TimeUnit::Microsecond) => true,
        integer => integer.is_integer(),
    }
}

/// The type's name as pyarrow has it.
pub fn name(target: &DataType) -> String {
    use DataType as T;
    match target {
        T::Boolean => "bool".into(),
        T::Float32 => "float".into(),
        T::Float64 => "double".into(),
        T::Utf8 => "string".into(),
        T::LargeUtf8 => "large_string".into(),
        T::LargeBinary => "large_binary".into(),
        T::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        T::Date32 => "date32[day]".into(),
        T::Timestamp(TimeUnit::Microsecond, None) => "timestamp[us]".into(),
        T::Timestamp(TimeUnit::Microsecond, Some(zone)) => format!("timestamp[us, tz={zone}]"),
        T::Duration(TimeUnit::Microsecond) => "duration[us]".into(),
        other => other.to_string().to_lowercase(),
    }
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "+00:00" | "Etc/UTC" | "Z")
}
