//! A pass over a binlog against arbitrary input: the same keys however the bytes are split, and never a panic.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::{DataType, Field, Schema};
use mysql_arrow::binlog::pass::{Goal, Options, Pass, Step};
use mysql_arrow::binlog::tables::{Described, Trust, Wanted};
use proptest::collection::vec;
use proptest::prelude::*;

const TABLE_MAP: u8 = 19;
const QUERY: u8 = 2;
const FORMAT: u8 = 15;
const WRITE: u8 = 30;
const UPDATE: u8 = 31;
const DELETE: u8 = 32;

/// Every type of event that is looked at, and some that are not.
const KINDS: [u8; 24] =
    [2, 4, 15, 18, 19, 23, 24, 25, 26, 30, 31, 32, 33, 34, 38, 39, 40, 42, 162, 165, 166, 167, 169, 170];

fn event(kind: u8, body: &[u8], end: u32) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.push(kind);
    out.extend_from_slice(&1u32.to_le_bytes());
    out.extend_from_slice(&(19 + body.len() as u32).to_le_bytes());
    out.extend_from_slice(&end.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(body);
    out
}

fn framed(events: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, event) in events.iter().enumerate() {
        out.extend_from_slice(&(event.len() as u32 + 1).to_le_bytes()[..3]);
        out.push((at + 1) as u8);
        out.push(0);
        out.extend_from_slice(event);
    }
    out
}

fn format(checksum: u8) -> Vec<u8> {
    let mut body = 4u16.to_le_bytes().to_vec();
    body.extend_from_slice(&[0; 50]);
    body.extend_from_slice(&0u32.to_le_bytes());
    body.push(19);
    let mut lengths = [0; 42];
    for (kind, length) in [(2, 13), (4, 8), (15, 95), (19, 8), (23, 8), (24, 8), (25, 8), (30, 10), (31, 10), (32, 10)]
    {
        lengths[kind - 1] = length;
    }
    body.extend_from_slice(&lengths);
    body.extend_from_slice(&[checksum, 0, 0, 0, 0]);
    event(FORMAT, &body, 0)
}

/// The table `s.t (name VARCHAR(90), id BIGINT, doc JSON)`, as number 7.
fn map() -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0];
    body.extend_from_slice(b"\x01s\0\x01t\0");
    body.extend_from_slice(&[3, 15, 8, 245, 3, 0x68, 0x01, 4, 0b111]);
    event(TABLE_MAP, &body, 0)
}

fn rows(kind: u8, rows: &[u8]) -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0b111];
    if kind == UPDATE {
        body.push(0b111);
    }
    body.extend_from_slice(rows);
    event(kind, &body, 0)
}

fn row(id: i64) -> Vec<u8> {
    let mut out = vec![0b100];
    out.extend_from_slice(&[2, 0]);
    out.extend_from_slice(b"xy");
    out.extend_from_slice(&id.to_le_bytes());
    out
}

fn wanted(key: &[(&str, DataType)]) -> Wanted {
    let column = |name: &str, mysql: &str, charset: &str| Described {
        name: name.into(),
        mysql: mysql.into(),
        charset: charset.into(),
    };
    Wanted {
        name: "t".into(),
        columns: vec![
            column("name", "varchar(90)", "utf8mb4"),
            column("id", "bigint(20)", ""),
            column("doc", "json", ""),
        ],
        key: key.iter().map(|(name, _)| (*name).into()).collect(),
        schema: Arc::new(Schema::new(
            key.iter().map(|(name, target)| Field::new(*name, target.clone(), false)).collect::<Vec<_>>(),
        )),
    }
}

fn pass(key: &[(&str, DataType)]) -> Pass {
    Pass::new(Options {
        database: "s".into(),
        tables: vec![wanted(key)],
        goal: Goal::Place(u64::MAX, 0),
        next: None,
        max_bytes_per_table: 1 << 20,
        max_bytes: 1 << 20,
        max_packet: 1 << 20,
    })
    .unwrap()
}

/// What came out: ids with what happened to them, statements, why it ended.
type Outcome = (Vec<(i64, String)>, Vec<String>, Option<String>);

fn run<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut pass = pass(&[("id", DataType::Int64)]);
    let (mut statements, mut failure) = (vec![], None);
    'all: for chunk in chunks {
        pass.feed(chunk);
        loop {
            match pass.step() {
                Ok(Step::Hungry) => break,
                Ok(Step::Ended) => break 'all,
                Ok(Step::Statement(statement)) => statements.push(statement.text),
                Err(error) => {
                    failure = Some(error.to_string());
                    break 'all;
                }
            }
        }
    }
    let table = &mut pass.tables()[0];
    let batch = table.batch().unwrap();
    let keys = batch.map_or_else(Vec::new, |batch| {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let operations = batch.column(1).as_string::<i32>();
        ids.values().iter().zip(operations).map(|(&id, operation)| (id, operation.unwrap().to_owned())).collect()
    });
    if let Trust::Elsewhere(reason) | Trust::Lost(reason) = &table.trust {
        failure = failure.or_else(|| Some(reason.clone()));
    }
    (keys, statements, failure)
}

fn ordinary() -> Vec<Vec<u8>> {
    let mut query = vec![0; 8];
    query.extend_from_slice(&[1, 0, 0, 0, 0]);
    query.extend_from_slice(b"s\0TRUNCATE t");
    vec![
        format(0),
        map(),
        rows(WRITE, &[row(1), row(2)].concat()),
        rows(UPDATE, &[row(2), row(3)].concat()),
        rows(DELETE, &row(1)),
        event(QUERY, &query, 0),
    ]
}

#[test]
fn keys_and_statements() {
    let named = |id, operation: &str| (id, operation.to_owned());
    let expected = vec![named(1, "delete"), named(2, "delete"), named(3, "update")];
    let data = framed(&ordinary());
    assert_eq!(run(std::iter::once(&data[..])), (expected, vec!["TRUNCATE t".to_owned()], None));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let data = framed(&[format(1), map()]);
    let (_, _, failure) = run(std::iter::once(&data[..]));
    assert!(failure.unwrap().contains("checksum"));
}

#[test]
fn rows_of_the_wrong_length_cost_their_table() {
    for cut in 1..row(1).len() {
        let data = framed(&[map(), rows(WRITE, &row(1)[..cut])]);
        let (keys, _, failure) = run(std::iter::once(&data[..]));
        assert!(keys.is_empty() && failure.unwrap().contains("its keys cannot be taken"), "{cut}");
    }
}

#[test]
fn rows_without_a_map_are_refused() {
    let data = framed(&[rows(WRITE, &row(1))]);
    assert!(run(std::iter::once(&data[..])).2.unwrap().contains("has no map"));
}

#[test]
fn a_new_file_numbers_its_tables_anew() {
    let data = framed(&[map(), format(0), rows(WRITE, &row(1))]);
    assert!(run(std::iter::once(&data[..])).2.unwrap().contains("has no map"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_split_gives_the_same(size in 1usize..200) {
        let data = framed(&ordinary());
        prop_assert_eq!(run(std::iter::once(&data[..])), run(data.chunks(size)));
    }

    #[test]
    fn arbitrary_events_never_panic(
        bodies in vec((0..KINDS.len(), vec(any::<u8>(), 0..120)), 1..8),
        checksum in 0u8..3,
    ) {
        let mut events = vec![map()];
        if checksum == 2 {
            events.insert(0, format(0));
        }
        events.extend(bodies.iter().map(|(kind, body)| event(KINDS[*kind], body, 100)));
        run(framed(&events).chunks(50));
    }

    #[test]
    fn arbitrary_rows_never_panic(kind in 23u8..43, data in vec(any::<u8>(), 0..200), header in any::<bool>()) {
        let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0];
        if header {
            body.extend_from_slice(&[2, 0, 3, 0b111]);
        }
        body.extend_from_slice(&data);
        run(std::iter::once(&framed(&[map(), event(kind, &body, 9)])[..]));
    }

    #[test]
    fn arbitrary_maps_never_panic(data in vec(any::<u8>(), 0..200), columns in 0u8..6) {
        let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0];
        body.extend_from_slice(b"\x01s\0\x01t\0");
        body.push(columns);
        body.extend_from_slice(&data);
        run(std::iter::once(&framed(&[event(TABLE_MAP, &body, 0), rows(WRITE, &row(1))])[..]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in vec(any::<u8>(), 0..600)) {
        run(std::iter::once(&data[..]));
    }

    #[test]
    fn one_wrong_byte_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut data = framed(&ordinary());
        let at = at.index(data.len());
        data[at] = byte;
        run(data.chunks(50));
    }

    /// Whatever a key's type is, arbitrary bytes are a value or a reason.
    #[test]
    fn arbitrary_values_never_panic(at in 0..TYPES.len(), bytes in vec(any::<u8>(), 0..40)) {
        let (mysql, charset) = TYPES[at];
        let kind = mysql_arrow::binlog::key::Kind::parse(mysql, charset).unwrap();
        let width = kind.width().unwrap_or(bytes.len());
        let mut padded = bytes.clone();
        padded.resize(width, 0xA5);
        for bytes in [&bytes, &padded] {
            if let Ok(value) = kind.value(bytes, &mut vec![]) {
                value.show(mysql_arrow::column::Kind::Text);
            }
        }
    }

    #[test]
    fn arbitrary_types_never_panic(mysql in ".{0,30}", charset in "[a-z0-9]{0,8}") {
        mysql_arrow::binlog::key::Kind::parse(&mysql, &charset).ok();
    }
}

const TYPES: [(&str, &str); 21] = [
    ("tinyint", ""),
    ("mediumint unsigned", ""),
    ("bigint", ""),
    ("float", ""),
    ("double", ""),
    ("decimal(20,4)", ""),
    ("decimal(65,30)", ""),
    ("decimal(9,9)", ""),
    ("date", ""),
    ("datetime(3)", ""),
    ("timestamp", ""),
    ("timestamp(6)", ""),
    ("time(2)", ""),
    ("time(6)", ""),
    ("year", ""),
    ("bit(10)", ""),
    ("char(8)", "latin1"),
    ("varchar(8)", "utf8mb4"),
    ("binary(4)", ""),
    ("uuid", ""),
    ("inet6", ""),
];
