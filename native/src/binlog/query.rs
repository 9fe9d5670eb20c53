//! Statements in the binlog: those that only frame transactions are understood here, the others are told.

/// What a statement means to a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It begins, ends or divides a transaction.
    Frame,
    XaStart,
    /// An XA transaction that was prepared is decided.
    XaEnd {
        xid: Xid,
        commits: bool,
    },
    /// Its text has to be looked at.
    Other,
}

/// An XA transaction's name: format, the length of its global part, and both parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub String);

impl Xid {
    /// `X'676c6f62616c',X'62',1`: as both servers print it in the binlog.
    pub fn new(global: &[u8], branch: &[u8], format: i32) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self(format!("X'{}',X'{}',{format}", hex(global), hex(branch)))
    }
}

pub fn meaning(text: &[u8]) -> Meaning {
    // Only short ones are: a statement of a gigabyte is not searched.
    let head = String::from_utf8_lossy(&text[..text.len().min(600)]);
    let mut words = head.split_ascii_whitespace();
    let first = words.next().unwrap_or_default().trim_end_matches(';').to_ascii_uppercase();
    match first.as_str() {
        "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => Meaning::Frame,
        "XA" => match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "START" | "BEGIN" => Meaning::XaStart,
            word @ ("COMMIT" | "ROLLBACK") => {
                Meaning::XaEnd { xid: Xid(words.next().unwrap_or_default().to_owned()), commits: word == "COMMIT" }
            }
            _ => Meaning::Frame,
        },
        _ => Meaning::Other,
    }
}

/// Whether a statement that ran in one database may concern another: it would have to name it.
pub fn may_concern(database: &[u8], default_database: &[u8], text: &[u8]) -> bool {
    default_database.eq_ignore_ascii_case(database)
        // Where a name may be written otherwise, the text is looked at.
        || !database.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        || text.windows(database.len().max(1)).any(|part| part.eq_ignore_ascii_case(database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_a_transaction() {
        for text in ["BEGIN", "begin", "COMMIT", "ROLLBACK", "SAVEPOINT `x`", "ROLLBACK TO `x`", "XA END X'61',X'',1"] {
            assert_eq!(meaning(text.as_bytes()), Meaning::Frame, "{text}");
        }
        assert_eq!(meaning(b"XA START X'61',X'',1"), Meaning::XaStart);
        let xid = Xid::new(b"a", b"", 1);
        assert_eq!(meaning(b"XA COMMIT X'61',X'',1"), Meaning::XaEnd { xid: xid.clone(), commits: true });
        assert_eq!(meaning(b"XA ROLLBACK X'61',X'',1"), Meaning::XaEnd { xid, commits: false });
        for text in ["", "TRUNCATE t", "BEGINNING", "/* x */ COMMIT"] {
            assert_eq!(meaning(text.as_bytes()), Meaning::Other, "{text}");
        }
    }

    #[test]
    fn a_statement_of_another_database_has_to_name_this_one() {
        for (default, text, expected) in [
            ("shop", "DROP TABLE t", true),
            ("SHOP", "DROP TABLE t", true),
            ("other", "DROP TABLE t", false),
            ("other", "DROP TABLE Shop.t", true),
            ("other", "DROP TABLE `shop`.t", true),
        ] {
            assert_eq!(may_concern(b"shop", default.as_bytes(), text.as_bytes()), expected, "{default} {text}");
        }
        assert!(may_concern(b"a`b", b"other", b"DROP TABLE t"));
    }
}
