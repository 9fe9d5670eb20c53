//! Instants and times as row events hold them.

use super::bits::big_endian;
use crate::date::{Date, DateTime, Time};

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
        date: Date::of_days(day),
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
