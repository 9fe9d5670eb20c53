//! Bytes of row images as values: numbers, dates, padding, addresses, each in the server's own packing.

use crate::date::{Date, DateTime, Time};

/// Digits of a DECIMAL in four bytes.
const GROUP: usize = 9;

/// A character of MySQL's latin1.
pub fn cp1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..0xA0 => FROM_80[usize::from(byte - 0x80)],
        other => other.into(),
    }
}

/// Zero has two forms that are equal in SQL and not in the lake; what is no number is equal to nothing.
pub fn number<T: Copy + Into<f64>>(value: T) -> Result<T, String> {
    let wide: f64 = value.into();
    match wide.is_finite() && !(wide == 0.0 && wide.is_sign_negative()) {
        true => Ok(value),
        false => Err(format!("a key is {wide:?}")),
    }
}

pub fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

pub fn padded<'a>(bytes: &'a [u8], length: usize, room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    if bytes.len() > length {
        return Err(format!("{} bytes are more than the {length} of its type", bytes.len()));
    }
    if bytes.len() == length {
        return Ok(bytes);
    }
    room.extend_from_slice(bytes);
    room.resize(length, 0);
    Ok(room)
}

/// Microseconds of a fraction that takes up to three bytes, two digits in each.
fn fraction(bytes: &[u8]) -> u32 {
    let value = big_endian(bytes) as u32;
    value * [1_000_000, 10_000, 100, 1][bytes.len().min(3)]
}

pub fn datetime(bytes: &[u8], digits: u8) -> DateTime {
    let (whole, part) = bytes.split_at(bytes.len() - usize::from(digits.div_ceil(2)));
    let packed = big_endian(whole) & 0x7F_FFFF_FFFF;
    let (day, clock) = (packed >> 17, packed & 0x1_FFFF);
    let months = day >> 5;
    DateTime {
        date: Date { year: (months / 13) as u16, month: (months % 13) as u8, day: (day & 31) as u8 },
        hour: (clock >> 12) as u8,
        minute: (clock >> 6 & 63) as u8,
        second: (clock & 63) as u8,
        micros: fraction(part),
    }
}

/// Seconds since 1970. None at all is the date of zeros, which is none.
pub fn timestamp(bytes: &[u8], digits: u8) -> DateTime {
    let (whole, part) = bytes.split_at(bytes.len() - usize::from(digits.div_ceil(2)));
    let seconds = big_endian(whole) as u32;
    let micros = fraction(part);
    if seconds == 0 && micros == 0 {
        return DateTime::default();
    }
    let (day, clock) = (seconds / 86_400, seconds % 86_400);
    DateTime {
        date: Date::of_days(day as i32),
        hour: (clock / 3600) as u8,
        minute: (clock / 60 % 60) as u8,
        second: (clock % 60) as u8,
        micros,
    }
}

/// Counted from the middle of the range, so that a negative fraction borrows from the second before it.
pub fn time(bytes: &[u8], digits: u8) -> Time {
    let count = usize::from(digits.div_ceil(2));
    let packed = big_endian(bytes) as i64 - (1 << (23 + 8 * count));
    let units = packed.unsigned_abs();
    let (clock, part) = (units >> (8 * count), units & ((1 << (8 * count)) - 1));
    Time {
        negative: packed < 0,
        hours: (clock >> 12 & 0x3FF) as u32,
        minutes: (clock >> 6 & 63) as u8,
        seconds: (clock & 63) as u8,
        micros: part as u32 * [0, 10_000, 100, 1][count.min(3)],
    }
}

/// Bytes that so many digits take, before or behind the point.
pub fn decimal_bytes(digits: u8) -> usize {
    usize::from(digits) / GROUP * 4 + (usize::from(digits) % GROUP).div_ceil(2)
}

/// Groups of nine digits, big-endian, the first and the last one shorter; a negative number has all its bits inverted,
/// and the highest bit says that a number is not negative.
pub fn print_decimal(bytes: &[u8], whole: usize, scale: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let mut rest = bytes;
    let mut is_first = true;
    let mut group = |digits: usize, out: &mut Vec<u8>| {
        let (taken, left) = rest.split_at((digits).div_ceil(2).min(4).min(rest.len()));
        rest = left;
        let mut value = taken.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(if negative { !byte } else { byte }));
        if std::mem::take(&mut is_first) && !taken.is_empty() {
            value ^= 0x80 << (8 * (taken.len() - 1));
        }
        if value >= 10u32.pow(digits as u32) {
            return Err(format!("{value} is no group of {digits} digits"));
        }
        let mut place = 10u32.pow(digits as u32) / 10;
        while place > 0 {
            out.push(b'0' + (value / place % 10) as u8);
            place /= 10;
        }
        Ok(())
    };
    if negative {
        out.push(b'-');
    }
    out.push(b'0');
    if !whole.is_multiple_of(GROUP) {
        group(whole % GROUP, out)?;
    }
    for _ in 0..whole / GROUP {
        group(GROUP, out)?;
    }
    if scale > 0 {
        out.push(b'.');
    }
    for _ in 0..scale / GROUP {
        group(GROUP, out)?;
    }
    if !scale.is_multiple_of(GROUP) {
        group(scale % GROUP, out)?;
    }
    Ok(())
}

/// MariaDB's UUID, in the order in which it is stored.
pub fn uuid<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 16];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no UUID", bytes.len())) };
    start.copy_from_slice(bytes);
    for (at, byte) in whole.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            room.push(b'-');
        }
        room.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    Ok(room)
}

pub fn inet4<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 4];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no INET4", bytes.len())) };
    start.copy_from_slice(bytes);
    room.extend_from_slice(std::net::Ipv4Addr::from(whole).to_string().as_bytes());
    Ok(room)
}

pub fn inet6<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 16];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no INET6", bytes.len())) };
    start.copy_from_slice(bytes);
    // An address of IPv4 in one of IPv6 is printed as such, where it is more than 16 bits.
    let text = match whole {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if (a, b) != (0, 0) => {
            format!("::{}", std::net::Ipv4Addr::new(a, b, c, d))
        }
        whole => std::net::Ipv6Addr::from(whole).to_string(),
    };
    room.extend_from_slice(text.as_bytes());
    Ok(room)
}
