//! Any bytes as a binlog's stream, in pieces: keys or an error, never a panic, a hang or more memory than is allowed.

#![no_main]

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use libfuzzer_sys::fuzz_target;
use mysql_arrow::binlog::pass::{Goal, Options, Pass, Step};
use mysql_arrow::binlog::tables::{Described, Wanted};

fn table() -> Wanted {
    let column = |name: &str, mysql: &str| Described { name: name.into(), mysql: mysql.into(), charset: "latin1".into() };
    let key = [("id", DataType::Int64), ("name", DataType::Utf8), ("price", DataType::Decimal128(20, 4))];
    Wanted {
        name: "t".into(),
        columns: vec![column("id", "bigint"), column("name", "varchar(90)"), column("price", "decimal(20,4)")],
        key: key.iter().map(|(name, _)| (*name).into()).collect(),
        schema: Arc::new(Schema::new(key.map(|(name, target)| Field::new(name, target, false)).to_vec())),
    }
}

// Events by type and body, since chance would hardly find the frames.
fuzz_target!(|input: (u8, Vec<(u8, Vec<u8>)>, Vec<u8>)| {
    let (chunk, events, tail) = input;
    let mut data = vec![];
    for (at, (kind, body)) in events.iter().enumerate() {
        let size = 19 + body.len() as u32;
        data.extend_from_slice(&(size + 1).to_le_bytes()[..3]);
        data.extend_from_slice(&[at as u8, 0, 0, 0, 0, 0, *kind, 1, 0, 0, 0]);
        data.extend_from_slice(&size.to_le_bytes());
        data.extend_from_slice(&[9, 0, 0, 0, 0, 0]);
        data.extend_from_slice(body);
    }
    data.extend_from_slice(&tail);
    let options = Options {
        database: "s".into(),
        tables: vec![table()],
        goal: Goal::Place(u64::MAX, 0),
        next: None,
        max_bytes_per_table: 1 << 20,
        max_bytes: 1 << 20,
        max_packet: 1 << 20,
    };
    let mut pass = Pass::new(options).expect("the options are in range");
    for piece in data.chunks(usize::from(chunk).max(1)) {
        pass.feed(piece);
        loop {
            match pass.step() {
                Ok(Step::Statement(_)) => {}
                Ok(Step::Hungry) => break,
                Ok(Step::Ended) | Err(_) => return,
            }
        }
    }
    pass.tables()[0].batch().ok();
});
