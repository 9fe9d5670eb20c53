//! Floating point numbers as the server prints them: the shortest digits that read back as the same double, with an
//! exponent only where the point would lie more than 15 places away.

use std::fmt::Write;

/// The server's DBL_DIG.
const PLACES: i32 = 15;

/// Only numbers of at least this many digits, the exponent's included, lie in the middle between two shortest ones.
const TIES: usize = 14;

pub fn print(value: f64, out: &mut Vec<u8>) {
    // Rust's `{:e}` prints the shortest digits too: `-1.25e-7`. It is cut into digits and exponent.
    let mut shortest = Buffer::default();
    write!(shortest, "{value:e}").expect("32 bytes hold every double");
    let places = shortest.text().bytes().filter(u8::is_ascii_digit).count();
    if places > TIES {
        // Of two equally near ones the server takes the even one, as printing with a precision does.
        let after_the_point = shortest.text().split(['.', 'e']).nth(1).map_or(0, str::len);
        let mut even = Buffer::default();
        if write!(even, "{value:.after_the_point$e}").is_ok() && even.text().parse() == Ok(value) {
            shortest = even;
        }
    }
    let text = shortest.text();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if negative {
        out.push(b'-');
    }
    let Some((mantissa, exponent)) = text.split_once('e') else {
        out.extend_from_slice(text.as_bytes()); // NaN and infinity, which no server has
        return;
    };
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The value is 0.DIGITS times 10 to the power of `point`.
    let point = exponent + 1;
    // A fraction after 16 digits, which only a double of 17 digits has, is printed without an exponent too.
    if !(1 - PLACES..=PLACES).contains(&point) && (point < 0 || digits.len() <= point as usize) {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.push(b'e');
        out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + point.unsigned_abs() as usize, b'0');
        out.extend_from_slice(&digits);
    } else {
        let whole = point as usize;
        out.extend_from_slice(&digits[..digits.len().min(whole)]);
        out.resize(out.len() + whole.saturating_sub(digits.len()), b'0');
        if digits.len() > whole {
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }
}

#[derive(Default)]
struct Buffer {
    bytes: [u8; 32],
    length: usize,
}

impl Buffer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_the_server_prints() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (100.0, "100"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (1e-14, "0.00000000000001"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (-1.25e-20, "-1.25e-20"),
            (1626983080611305.8, "1626983080611305.8"),
            (5946179165388789.0 / 4.0, "1486544791347197.2"),
            (1626983080611305.0, "1.626983080611305e15"),
            (1e308, "1e308"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::from(0.1f32), "0.10000000149011612"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
        ] {
            let mut out = Vec::new();
            super::print(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
