//! One value on its way from a packet to a column: borrowed from the packet, never an object of its own.

use std::io::Write;

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
        let mut shown = String::from_utf8_lossy(&text).into_owned();
        if shown.contains('\u{FFFD}') {
            let mut hex = Vec::new();
            text.iter().for_each(|byte| write!(hex, "{byte:02X}").expect("a Vec takes every byte"));
            shown = format!("0x{}", String::from_utf8_lossy(&hex));
        }
        let dots = if cut { "…" } else { "" };
        match self {
            Self::Int(_) | Self::Unsigned(_) | Self::F32(_) | Self::F64(_) | Self::Decimal(_) => {
                format!("{shown}{dots}")
            }
            _ => format!("'{shown}{dots}'"),
        }
    }
}
