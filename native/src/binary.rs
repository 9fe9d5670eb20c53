//! Values of the binary protocol: numbers little-endian, dates in parts, the rest as length-encoded strings.

use crate::column::{Column, Form, Kind};
use crate::date;
use crate::error::Result;
use crate::value::Value;
use crate::wire::Wire;

#[inline(always)]
pub fn value<'a>(column: &Column, wire: &mut Wire<'a>) -> Result<Value<'a>> {
    let unsigned = matches!(column.kind, Kind::Int { unsigned: true, .. } | Kind::Year);
    Ok(match column.form {
        Form::I8 => {
            let [byte] = wire.array()?;
            Value::Int(if unsigned { byte.into() } else { (byte as i8).into() })
        }
        Form::I16 => {
            let bytes = wire.array()?;
            Value::Int(if unsigned { u16::from_le_bytes(bytes).into() } else { i16::from_le_bytes(bytes).into() })
        }
        Form::I32 => {
            let bytes = wire.array()?;
            Value::Int(if unsigned { u32::from_le_bytes(bytes).into() } else { i32::from_le_bytes(bytes).into() })
        }
        Form::I64 => {
            let bytes = wire.array()?;
            if unsigned { Value::Unsigned(u64::from_le_bytes(bytes)) } else { Value::Int(i64::from_le_bytes(bytes)) }
        }
        Form::F32 => Value::F32(f32::from_le_bytes(wire.array()?)),
        Form::F64 => Value::F64(f64::from_le_bytes(wire.array()?)),
        Form::Date => {
            let moment = date::read_moment(wire.bytes()?)?;
            if column.kind == Kind::Date { Value::Date(moment.date) } else { Value::DateTime(moment) }
        }
        Form::Time => Value::Time(date::read_time(wire.bytes()?)?),
        Form::Bytes => {
            let bytes = wire.bytes()?;
            if matches!(column.kind, Kind::Decimal { .. }) { Value::Decimal(bytes) } else { Value::Bytes(bytes) }
        }
    })
}
