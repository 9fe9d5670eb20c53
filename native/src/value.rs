//! One value on its way from a packet to a column: borrowed from the packet, never an object of its own.

use crate::date::{Date, DateTime, Time};
use crate::float;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Int(i64),
    Unsigned(u64),
    F32(f32),
    F64(f64),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    /// The digits of a DECIMAL, as text in both protocols.
    Decimal(&'a [u8]),
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The value as the server prints it, with `digits` of a fraction of a second. Bytes stay bytes.
    pub fn print(&self, digits: u8, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Self::Unsigned(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Self::F32(value) => float::print(f64::from(*value), out),
            Self::F64(value) => float::print(*value, out),
            Self::Date(value) => value.print(out),
            Self::DateTime(value) => value.print(digits, out),
            Self::Time(value) => value.print(digits, out),
            Self::Decimal(text) => crate::decimal::print(text, out),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// The value for a person: short, quoted where it is text.
    pub fn show(&self, digits: u8) -> String {
        const LONGEST: usize = 60;
        let mut text = Vec::new();
        self.print(digits, &mut text);
        let cut = text.len() > LONGEST;
        text.truncate(LONGEST);
        let shown = match std::str::from_utf8(&text) {
            Ok(text) => text.to_owned(),
            // The cut was in the middle of a character.
            Err(error) if cut && error.error_len().is_none() => {
                String::from_utf8_lossy(&text[..error.valid_up_to()]).into()
            }
            Err(_) => text.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02X}")),
        };
        let dots = if cut { "…" } else { "" };
        match self {
            Self::Int(_) | Self::Unsigned(_) | Self::F32(_) | Self::F64(_) | Self::Decimal(_) => {
                format!("{shown}{dots}")
            }
            _ => format!("'{shown}{dots}'"),
        }
    }
}
