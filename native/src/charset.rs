//! Which character sets, by their collation's number, are UTF-8. The server converts every text to the connection's.

pub const BINARY: u16 = 63;

/// MariaDB numbers the NO PAD form of a collation 1024 higher, and its UCA 14.0.0 ones from 2048, 256 a character set.
pub fn is_utf8(collation: u16) -> bool {
    let id = if collation < 2048 { collation & !1024 } else { collation };
    let ascii = matches!(id, 11 | 65);
    let utf8mb3 = matches!(id, 33 | 76 | 83 | 192..=223 | 576..=607 | 2048..=2303);
    let utf8mb4 = matches!(id, 45 | 46 | 224..=247 | 255..=323 | 608..=639 | 2304..=2559);
    ascii || utf8mb3 || utf8mb4
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    #[test]
    fn utf8_and_what_is_not() {
        for id in [45, 46, 224, 255, 309, 2304, 33, 1069, 11] {
            assert!(is_utf8(id), "{id}");
        }
        for id in [8, 63, 1, 28, 95] {
            assert!(!is_utf8(id), "{id}");
        }
    }
}
