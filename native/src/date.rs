//! Dates and times as the server sends them, and as Arrow counts them.

use crate::error::{Result, broken};

const MICROS: i64 = 1_000_000;
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS;

/// As sent: zero and partial dates, and the 31st of February, are values of this type that are no dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateTime {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micros: u32,
}

/// A span between ±838:59:59.999999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    pub negative: bool,
    pub hours: u32,
    pub minutes: u8,
    pub seconds: u8,
    pub micros: u32,
}

impl Date {
    /// Days since 1970-01-01 in the Gregorian calendar, which the server too uses for all years; None if it is no date.
    #[inline]
    pub fn days(self) -> Option<i32> {
        if self.year == 0 || self.month == 0 || self.month > 12 || self.day == 0 || self.day > self.days_in_month() {
            return None;
        }
        // Years begin in March, so that the leap day is a year's last one.
        let (year, month) = (i32::from(self.year), i32::from(self.month));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let before_the_month = (153 * month + 2) / 5;
        Some(365 * year + year / 4 - year / 100 + year / 400 + before_the_month + i32::from(self.day) - 719_469)
    }

    /// The day that lies so many days after 1970-01-01: the inverse of `days`, from 0000-03-01 on.
    pub fn of_days(days: i32) -> Self {
        // Counted from 0000-03-01, in eras of 400 years.
        let days = days.saturating_add(719_468).max(0) as u32;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (year, first) = (era * 400 + year, (153 * month + 2) / 5);
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        Self { year: year as u16, month: month as u8, day: (day - first + 1) as u8 }
    }

    fn is_leap_year(self) -> bool {
        self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400))
    }

    fn days_in_month(self) -> u8 {
        match self.month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    pub fn print(self, out: &mut Vec<u8>) {
        two(self.year / 100, out);
        two(self.year % 100, out);
        out.push(b'-');
        two(self.month.into(), out);
        out.push(b'-');
        two(self.day.into(), out);
    }

    pub fn parse(text: &[u8]) -> Option<Self> {
        let &[a, b, c, d, b'-', e, f, b'-', g, h] = text else { return None };
        let year = u16::from(pair(a, b)?) * 100 + u16::from(pair(c, d)?);
        Some(Self { year, month: pair(e, f)?, day: pair(g, h)? })
    }
}

impl DateTime {
    /// Microseconds of the day; None if the clock shows no time.
    #[inline]
    pub fn micros_of_day(self) -> Option<i64> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.micros > 999_999 {
            return None;
        }
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        Some(seconds * MICROS + i64::from(self.micros))
    }

    pub fn print(self, digits: u8, out: &mut Vec<u8>) {
        self.date.print(out);
        out.push(b' ');
        two(self.hour.into(), out);
        clock(self.minute, self.second, self.micros, digits, out);
    }

    fn of_day(date: Date, text: &[u8]) -> Option<Self> {
        let (&[b' ', a, b], rest) = text.split_first_chunk::<3>()? else { return None };
        let (minute, second, micros) = parse_clock(rest)?;
        Some(Self { date, hour: pair(a, b)?, minute, second, micros })
    }
}

impl Time {
    pub fn micros(self) -> i64 {
        let seconds = (i64::from(self.hours) * 60 + i64::from(self.minutes)) * 60 + i64::from(self.seconds);
        let micros = seconds * MICROS + i64::from(self.micros);
        if self.negative { -micros } else { micros }
    }

    pub fn print(self, digits: u8, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        if self.hours > 99 {
            out.extend_from_slice(itoa::Buffer::new().format(self.hours).as_bytes());
        } else {
            two(self.hours as u16, out);
        }
        clock(self.minutes, self.seconds, self.micros, digits, out);
    }

    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, text),
        };
        let colon = text.iter().take(10).position(|&byte| byte == b':')?;
        let hours = text[..colon].iter().try_fold(0u32, |sum, &digit| Some(sum * 10 + u32::from(number(digit)?)))?;
        let (minutes, seconds, micros) = parse_clock(&text[colon..])?;
        (colon > 0).then_some(Self { negative, hours, minutes, seconds, micros })
    }
}

/// Remembers the last day: in most tables a row's day is the one of the row before it.
#[derive(Default)]
pub struct Calendar {
    date: Date,
    days: Option<i32>,
    text: [u8; 10],
    text_date: Date,
}

impl Calendar {
    #[inline]
    pub fn days(&mut self, date: Date) -> Option<i32> {
        if date != self.date {
            (self.date, self.days) = (date, date.days());
        }
        self.days
    }

    #[inline]
    pub fn micros(&mut self, moment: DateTime) -> Option<i64> {
        Some(i64::from(self.days(moment.date)?) * MICROS_PER_DAY + moment.micros_of_day()?)
    }

    /// The text of a moment, with its day parsed only when it is another one than before.
    #[inline]
    pub fn parse(&mut self, text: &[u8]) -> Option<DateTime> {
        let (day, rest) = text.split_first_chunk::<10>()?;
        if *day != self.text {
            (self.text_date, self.text) = (Date::parse(day)?, *day);
        }
        DateTime::of_day(self.text_date, rest)
    }
}

/// The binary protocol's date or moment: its length tells what follows, and zeros at the end are left out.
#[inline]
pub fn read_moment(bytes: &[u8]) -> Result<DateTime> {
    let mut out = DateTime::default();
    let [a, b, month, day, clock @ ..] = bytes else {
        return if bytes.is_empty() { Ok(out) } else { broken(format!("a date of {} bytes", bytes.len())) };
    };
    out.date = Date { year: u16::from_le_bytes([*a, *b]), month: *month, day: *day };
    match *clock {
        [] => {}
        [hour, minute, second] => (out.hour, out.minute, out.second) = (hour, minute, second),
        [hour, minute, second, a, b, c, d] => {
            (out.hour, out.minute, out.second) = (hour, minute, second);
            out.micros = u32::from_le_bytes([a, b, c, d]);
        }
        _ => return broken(format!("a date of {} bytes", bytes.len())),
    }
    if out.date.year > 9999 || out.date.month > 99 || out.date.day > 99 {
        return broken("a date beyond 9999-99-99");
    }
    if out.micros_of_day().is_none() {
        return broken("a moment whose clock shows no time");
    }
    Ok(out)
}

/// The binary protocol's TIME: sign, days, clock.
pub fn read_time(bytes: &[u8]) -> Result<Time> {
    let (sign, days, hour, minutes, seconds, micros) = match *bytes {
        [] => return Ok(Time::default()),
        [sign, a, b, c, d, hour, minute, second] => (sign, [a, b, c, d], hour, minute, second, 0),
        [sign, a, b, c, d, hour, minute, second, e, f, g, h] => {
            (sign, [a, b, c, d], hour, minute, second, u32::from_le_bytes([e, f, g, h]))
        }
        _ => return broken(format!("a time of {} bytes", bytes.len())),
    };
    let days = u32::from_le_bytes(days);
    if days > 1000 || hour > 23 || minutes > 59 || seconds > 59 || micros > 999_999 {
        return broken("a time whose clock shows no time");
    }
    Ok(Time { negative: sign != 0, hours: days * 24 + u32::from(hour), minutes, seconds, micros })
}

fn clock(minute: u8, second: u8, micros: u32, digits: u8, out: &mut Vec<u8>) {
    out.push(b':');
    two(minute.into(), out);
    out.push(b':');
    two(second.into(), out);
    // A fraction of no fixed length is printed whole when there is one.
    let digits = if digits > 6 { if micros == 0 { 0 } else { 6 } } else { usize::from(digits) };
    if digits > 0 {
        out.push(b'.');
        let at = out.len();
        two((micros / 10_000) as u16, out);
        two((micros / 100 % 100) as u16, out);
        two((micros % 100) as u16, out);
        out.truncate(at + digits);
    }
}

/// `:MM:SS` and perhaps a fraction of up to six digits.
fn parse_clock(text: &[u8]) -> Option<(u8, u8, u32)> {
    let (&[b':', a, b, b':', c, d], rest) = text.split_first_chunk::<6>()? else { return None };
    let micros = match rest {
        [] => 0,
        [b'.', digits @ ..] if !digits.is_empty() && digits.len() <= 6 => {
            let value = digits.iter().try_fold(0u32, |sum, &digit| Some(sum * 10 + u32::from(number(digit)?)))?;
            value * 10u32.pow(6 - digits.len() as u32)
        }
        _ => return None,
    };
    let (minute, second) = (pair(a, b)?, pair(c, d)?);
    (minute < 60 && second < 60).then_some((minute, second, micros))
}

#[inline(always)]
fn two(value: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

#[inline(always)]
fn number(digit: u8) -> Option<u8> {
    digit.is_ascii_digit().then(|| digit - b'0')
}

#[inline(always)]
fn pair(a: u8, b: u8) -> Option<u8> {
    Some(number(a)? * 10 + number(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Option<i32> {
        Date::parse(text.as_bytes()).unwrap().days()
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("0001-01-01", -719_162),
            ("1582-10-04", -141_438),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(days(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn days_become_dates_again() {
        for day in (-719_162..50_000).step_by(7).chain([59, 60, 11_016, 11_017, 49_709, 2_932_896]) {
            let date = Date::of_days(day);
            assert_eq!(date.days(), Some(day), "{date:?}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in ["0000-00-00", "2021-00-00", "2021-02-00", "2021-02-29", "1900-02-29", "2021-13-01", "0000-01-01"] {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_printed_as_they_were_read() {
        for (text, digits) in [("-838:59:59.000001", 6), ("00:00:00", 0), ("24:00:00.5", 1), ("-00:00:01", 0)] {
            let mut out = Vec::new();
            Time::parse(text.as_bytes()).unwrap().print(digits, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for (text, digits) in [("9999-12-31 23:59:59.999999", 6), ("0000-00-00 00:00:00", 0)] {
            let mut out = Vec::new();
            Calendar::default().parse(text.as_bytes()).unwrap().print(digits, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
