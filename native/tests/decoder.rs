//! The decoder against arbitrary input: the same batches however the bytes are split, and never a panic.

use arrow_array::RecordBatch;
use mysql_arrow::policy::{Policies, Policy};
use mysql_arrow::result::{Decoder, Options, Protocol};
use proptest::collection::vec;
use proptest::prelude::*;

/// Type codes with a flag each for unsigned, and the bytes that a binary row has for them.
const TYPES: [(u8, u16); 14] = [
    (1, 0),
    (2, 0x20),
    (3, 0),
    (8, 0x20),
    (4, 0),
    (5, 0),
    (7, 0),
    (10, 0),
    (11, 0),
    (12, 0),
    (13, 0x20),
    (16, 0x20),
    (246, 0),
    (253, 0),
];

fn string(value: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(value.len()) {
        Ok(short @ ..0xFB) => out.push(short),
        _ => {
            out.push(0xFC);
            out.extend_from_slice(&(value.len() as u16).to_le_bytes());
        }
    }
    out.extend_from_slice(value);
}

fn column(at: usize, code: u8, flags: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let name = format!("c{at}");
    for part in ["def", "s", "t", "t", &name, &name] {
        string(part.as_bytes(), &mut out);
    }
    out.push(0x0C);
    out.extend_from_slice(&45u16.to_le_bytes());
    out.extend_from_slice(&20u32.to_le_bytes());
    out.push(code);
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&[if code == 246 { 2 } else { 6 }, 0, 0]);
    out
}

fn framed(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, payload) in payloads.iter().enumerate() {
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes()[..3]);
        out.push((at + 1) as u8);
        out.extend_from_slice(payload);
    }
    out
}

const EOF: [u8; 5] = [0xFE, 0, 0, 2, 0];

/// A reply with these columns and, as its rows, whatever bytes are given.
fn reply(columns: &[usize], rows: &[Vec<u8>]) -> Vec<u8> {
    let mut payloads = vec![vec![columns.len() as u8]];
    payloads.extend(columns.iter().enumerate().map(|(at, &pick)| column(at, TYPES[pick].0, TYPES[pick].1)));
    payloads.push(EOF.to_vec());
    payloads.extend_from_slice(rows);
    payloads.push(EOF.to_vec());
    framed(&payloads)
}

fn options(protocol: Protocol) -> Options {
    let policies = Policies { dates: Policy::Problem, text: Policy::Replace, range: Policy::Null };
    Options {
        protocol,
        policies,
        problems: Some("problems".into()),
        rows_per_batch: 3,
        max_packet: 1 << 20,
        hashes: true,
        ..Options::default()
    }
}

/// The batches, or the error that ended them.
fn decode<'a>(protocol: Protocol, chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<RecordBatch>, Option<String>, u128) {
    let mut decoder = Decoder::new(options(protocol)).unwrap();
    let mut batches = vec![];
    for chunk in chunks {
        decoder.feed(chunk);
        loop {
            match decoder.next_batch() {
                Ok(Some(batch)) => batches.push(batch),
                Ok(None) => break,
                Err(error) => return (batches, Some(error.to_string()), decoder.hash_sum()),
            }
        }
    }
    (batches, None, decoder.hash_sum())
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "-?[0-9]{1,20}".prop_map(String::into_bytes),
        "-?[0-9]{1,9}\\.[0-9]{1,2}".prop_map(String::into_bytes),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]".prop_map(String::into_bytes),
        "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{6})?".prop_map(String::into_bytes),
        "-?[0-9]{2,3}:[0-5][0-9]:[0-5][0-9]".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..300),
    ]
}

fn text_rows(columns: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let row = vec(proptest::option::of(texts()), columns).prop_map(|cells| {
        let mut row = Vec::new();
        for cell in cells {
            match cell {
                Some(text) => string(&text, &mut row),
                None => row.push(0xFB),
            }
        }
        row
    });
    vec(row, 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_split_gives_the_same(
        (columns, rows) in vec(0..TYPES.len(), 1..6).prop_flat_map(|columns| {
            let rows = text_rows(columns.len());
            (Just(columns), rows)
        }),
        size in 1usize..400,
    ) {
        let data = reply(&columns, &rows);
        let whole = decode(Protocol::Text, std::iter::once(&data[..]));
        let split = decode(Protocol::Text, data.chunks(size));
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn arbitrary_rows_never_panic(
        columns in vec(0..TYPES.len(), 1..8),
        rows in vec(vec(any::<u8>(), 0..80), 0..6),
        binary in any::<bool>(),
    ) {
        let rows: Vec<_> = rows.into_iter().map(|row| if binary { [&[0, 0], &row[..]].concat() } else { row }).collect();
        let data = reply(&columns, &rows);
        let protocol = if binary { Protocol::Binary } else { Protocol::Text };
        decode(protocol, data.chunks(7));
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in vec(any::<u8>(), 0..600), binary in any::<bool>()) {
        decode(if binary { Protocol::Binary } else { Protocol::Text }, std::iter::once(&data[..]));
    }

    #[test]
    fn one_wrong_byte_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let columns: Vec<usize> = (0..TYPES.len()).collect();
        let mut data = reply(&columns, &[vec![0; 120], vec![0xFB; 14]]);
        let at = at.index(data.len());
        data[at] = byte;
        decode(Protocol::Binary, data.chunks(50));
        decode(Protocol::Text, data.chunks(50));
    }
}

/// A row of NULLs takes a bit a column on the wire and up to 16 bytes in memory: batches are cut by what they take.
#[test]
fn rows_of_nulls_do_not_outgrow_the_limit() {
    let mut payloads = vec![vec![200u8]];
    payloads.extend((0..200).map(|at| column(at, 246, 0)));
    payloads.push(EOF.to_vec());
    let mut row = vec![0];
    row.extend_from_slice(&[0xFF; 26]);
    payloads.extend(vec![row; 1000]);
    payloads.push(EOF.to_vec());
    let options = Options { bytes_per_batch: 64 << 10, ..Options::default() };
    let mut decoder = Decoder::new(options).unwrap();
    decoder.feed(&framed(&payloads));
    let mut rows = 0;
    while let Some(batch) = decoder.next_batch().unwrap() {
        assert!(batch.num_rows() <= 21, "{}", batch.num_rows());
        rows += batch.num_rows();
    }
    assert_eq!(rows, 1000);
}
