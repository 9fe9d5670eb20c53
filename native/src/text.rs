//! Values of the text protocol: everything as the server prints it.

use crate::column::{Column, Kind};
use crate::date::{Calendar, Date, Time};
use crate::error::{Result, broken};
use crate::value::Value;

#[inline(always)]
pub fn value<'a>(column: &Column, calendar: &mut Calendar, text: &'a [u8]) -> Result<Value<'a>> {
    let parsed = match column.kind {
        Kind::Int { unsigned: true, bytes: 8 } => unsigned(text).map(Value::Unsigned),
        Kind::Int { .. } | Kind::Year => signed(text).map(Value::Int),
        Kind::Float => float(text).map(Value::F32),
        Kind::Double => float(text).map(Value::F64),
        Kind::Decimal { .. } => Some(Value::Decimal(text)),
        Kind::Date => Date::parse(text).map(Value::Date),
        Kind::DateTime { .. } => calendar.parse(text).map(Value::DateTime),
        Kind::Time { .. } => Time::parse(text).map(Value::Time),
        Kind::Bit { .. } | Kind::Text | Kind::Bytes | Kind::Null => Some(Value::Bytes(text)),
    };
    match parsed {
        Some(value) => Ok(value),
        None => no_such(column, text),
    }
}

#[cold]
fn no_such<T>(column: &Column, text: &[u8]) -> Result<T> {
    broken(format!("column {}: {} is no {}", column.name, Value::Bytes(text).show(Kind::Text), column.kind))
}

/// Digits, at most as many as surely fit; longer ones go the slow way.
#[inline(always)]
fn short_digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    text.iter().try_fold(0u64, |sum, &digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

#[inline(always)]
fn unsigned(text: &[u8]) -> Option<u64> {
    short_digits(text)
}

#[inline(always)]
fn signed(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => 0i64.checked_sub_unsigned(short_digits(digits)?),
        _ => i64::try_from(short_digits(text)?).ok(),
    }
}

fn float<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_to_their_ends() {
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(signed(b"9223372036854775808"), None);
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(unsigned(b"00000000000000000000042"), Some(42));
        for text in [&b""[..], b"-", b"1a", b"+1", b"--1"] {
            assert_eq!(signed(text), None);
        }
    }
}
