//! What servers compress: whole transactions on MySQL, single events on MariaDB.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::event::{self, HEADER};
use crate::error::{Result, broken};
use crate::wire::Wire;

const END: u64 = 0;
const SIZE: u64 = 1;
const ALGORITHM: u64 = 2;
const ZSTD: u64 = 0;
const NONE: u64 = 255;

/// The events of a MySQL transaction, which are decompressed as they are asked for. They have no checksums.
pub struct Payload<'a> {
    bytes: Box<dyn Read + 'a>,
    event: Vec<u8>,
    max_event: usize,
}

impl<'a> Payload<'a> {
    /// Reads the fields before the payload: number, length, value each. Those that are unknown are passed over.
    pub fn parse(body: &'a [u8], max_event: usize) -> Result<Self> {
        let mut wire = Wire::new(body);
        let (mut algorithm, mut size) = (None, None);
        loop {
            match wire.length()? {
                END => break,
                field => {
                    let mut value = Wire::new(wire.bytes()?);
                    match field {
                        SIZE => size = Some(value.length()?),
                        ALGORITHM => algorithm = Some(value.length()?),
                        _ => {}
                    }
                }
            }
        }
        let payload = wire.take(usize::try_from(size.unwrap_or(wire.rest.len() as u64)).unwrap_or(usize::MAX))?;
        let bytes: Box<dyn Read> = match algorithm {
            Some(ZSTD) => Box::new(zstd::Decoder::with_buffer(payload)?),
            Some(NONE) => Box::new(payload),
            other => return broken(format!("a transaction is compressed by an unknown algorithm, {other:?}")),
        };
        Ok(Self { bytes, event: vec![], max_event })
    }

    /// The next event, header and all; None after the last one.
    pub fn next_event(&mut self) -> Result<Option<&[u8]>> {
        self.event.clear();
        self.read(HEADER)?;
        if self.event.is_empty() {
            return Ok(None);
        }
        let size = event::Header::parse(&self.event)?.size;
        if size > self.max_event {
            return broken(format!("an event of {size} bytes is longer than max_packet, {}", self.max_event));
        }
        self.read(size - HEADER)?;
        if self.event.len() != size {
            return broken("a compressed transaction ends in the middle of an event");
        }
        Ok(Some(&self.event))
    }

    /// Memory grows with the bytes that come, not with the length that is claimed.
    fn read(&mut self, count: usize) -> Result<()> {
        self.bytes.by_ref().take(count as u64).read_to_end(&mut self.event).map_err(event::unreadable)?;
        Ok(())
    }
}

/// Text or rows that MariaDB compressed: a byte for algorithm and width of the length, the length, the bytes.
pub fn inflate(bytes: &[u8], max: usize) -> Result<Vec<u8>> {
    const ZLIB: u8 = 0;
    let mut wire = Wire::new(bytes);
    let first = wire.u8()?;
    let (algorithm, width) = (first >> 4 & 7, first & 7);
    if first & 0x80 == 0 || algorithm != ZLIB || !(1..=4).contains(&width) {
        return broken(format!("an event is compressed in an unknown way, {first:#04x}"));
    }
    let length = wire.take(width.into())?.iter().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
    if length > max {
        return broken(format!("an event of {length} bytes is longer than max_packet, {max}"));
    }
    let mut out = vec![];
    ZlibDecoder::new(wire.rest).take(length as u64 + 1).read_to_end(&mut out).map_err(event::unreadable)?;
    if out.len() != length {
        return broken(format!("{length} bytes were compressed, {} came out", out.len()));
    }
    Ok(out)
}
