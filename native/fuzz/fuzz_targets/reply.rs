//! Any bytes as a reply, in pieces: batches or an error, never a panic, a hang or more memory than the bytes justify.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_arrow::policy::{Policies, Policy};
use mysql_arrow::result::{Decoder, Options, Protocol};

fuzz_target!(|input: (bool, u8, Vec<u8>)| {
    let (binary, chunk, data) = input;
    let options = Options {
        protocol: if binary { Protocol::Binary } else { Protocol::Text },
        policies: Policies { dates: Policy::Problem, text: Policy::Replace, range: Policy::Problem },
        problems: Some("problems".into()),
        rows_per_batch: 100,
        max_packet: 1 << 20,
        hashes: true,
        ..Options::default()
    };
    let mut decoder = Decoder::new(options).expect("the options are in range");
    for piece in data.chunks(usize::from(chunk).max(1)) {
        decoder.feed(piece);
        loop {
            match decoder.next_batch() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
