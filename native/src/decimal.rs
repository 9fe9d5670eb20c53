//! DECIMAL: text in both protocols, read straight into a 128-bit integer.

/// The longest run of digits that surely fits 64 bits.
const FITS_I64: usize = 18;

/// The digits as an integer of `scale`, exactly. None: it is no number, has more decimals than `scale` (other than
/// zeros), or does not fit 128 bits.
#[inline]
pub fn parse(text: &[u8], scale: u8) -> Option<i128> {
    let (negative, digits) = split_sign(text)?;
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = usize::from(scale);
    let (fraction, beyond) = fraction.split_at(fraction.len().min(scale));
    if beyond.iter().any(|&digit| digit != b'0') {
        return None;
    }
    let value = if whole.len() + scale <= FITS_I64 {
        let value = fold_i64(fold_i64(0, whole)?, fraction)?;
        i128::from(value * 10i64.pow((scale - fraction.len()) as u32))
    } else {
        let value = fold_i128(fold_i128(0, whole)?, fraction)?;
        value.checked_mul(10i128.checked_pow((scale - fraction.len()) as u32)?)?
    };
    Some(if negative { -value } else { value })
}

/// The largest integer that has `precision` digits.
pub fn limit(precision: u8) -> i128 {
    10i128.checked_pow(u32::from(precision)).map_or(i128::MAX, |power| power - 1)
}

/// The text without the zeros that ZEROFILL put in front.
pub fn print(text: &[u8], out: &mut Vec<u8>) {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (&text[..1], rest),
        _ => (&text[..0], text),
    };
    let mut start = 0;
    while start + 1 < digits.len() && digits[start] == b'0' && digits[start + 1].is_ascii_digit() {
        start += 1;
    }
    out.extend_from_slice(sign);
    out.extend_from_slice(&digits[start..]);
}

/// Whether the text is a number at all, of any length.
pub fn is_number(text: &[u8]) -> bool {
    let Some((_, digits)) = split_sign(text) else { return false };
    let points = digits.iter().filter(|&&byte| byte == b'.').count();
    points <= 1 && digits.len() > points && digits.iter().all(|&byte| byte == b'.' || byte.is_ascii_digit())
}

fn split_sign(text: &[u8]) -> Option<(bool, &[u8])> {
    match text {
        [b'-', rest @ ..] => Some((true, rest)),
        [_, ..] => Some((false, text)),
        [] => None,
    }
}

#[inline]
fn fold_i64(start: i64, digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(start, |sum, &digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn fold_i128(start: i128, digits: &[u8]) -> Option<i128> {
    digits.iter().try_fold(start, |sum, &digit| {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_at_every_scale() {
        for (text, scale, expected) in [
            ("0", 0, 0),
            ("-0.01", 2, -1),
            ("12.3", 2, 1230),
            ("12.30", 1, 123),
            (".5", 1, 5),
            ("0000012.50", 2, 1250),
            ("99999999999999999999999999999999999999", 0, limit(38)),
            ("-9999999999999999999999999999999999999.9", 1, -limit(38)),
            ("123456789012345678.9", 2, 12_345_678_901_234_567_890),
        ] {
            assert_eq!(parse(text.as_bytes(), scale), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (text, scale) in [("", 0), ("-", 0), (".", 0), ("1e3", 0), ("1.01", 1), ("1-", 0), ("1.2.3", 3)] {
            assert_eq!(parse(text.as_bytes(), scale), None, "{text}");
        }
        assert_eq!(parse(&[b'9'; 40], 0), None);
    }

    #[test]
    fn zerofill_is_taken_away() {
        for (text, expected) in [("0000.10", "0.10"), ("-007", "-7"), ("0", "0"), ("0.0", "0.0")] {
            let mut out = Vec::new();
            print(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
