//! Events in their frames: header, checksum, and what a file says of its own format.

use mysql_common::binlog::BinlogCtx;
use mysql_common::binlog::consts::BinlogVersion;
use mysql_common::binlog::events::FormatDescriptionEvent;
use mysql_common::io::ParseBuf;
use mysql_common::proto::MyDeserialize;

use crate::error::{Error, Result, broken};
use crate::wire::Wire;

pub const HEADER: usize = 19;
const CHECKSUM: usize = 4;

/// Made up by the server for this reader: it stands in no file.
const ARTIFICIAL: u16 = 0x20;
/// Without meaning for who does not know its type.
const IGNORABLE: u16 = 0x80;
/// Set while the file is written, and left out of the checksum.
const IN_USE: u16 = 0x01;

/// Types of events. MySQL counts to 42; MariaDB's own begin at 160.
pub mod kind {
    pub const QUERY: u8 = 2;
    pub const ROTATE: u8 = 4;
    pub const FORMAT_DESCRIPTION: u8 = 15;
    pub const EXECUTE_LOAD_QUERY: u8 = 18;
    pub const TABLE_MAP: u8 = 19;
    pub const WRITE_ROWS_V1: u8 = 23;
    pub const UPDATE_ROWS_V1: u8 = 24;
    pub const DELETE_ROWS_V1: u8 = 25;
    pub const INCIDENT: u8 = 26;
    pub const WRITE_ROWS: u8 = 30;
    pub const UPDATE_ROWS: u8 = 31;
    pub const DELETE_ROWS: u8 = 32;
    pub const GTID: u8 = 33;
    pub const ANONYMOUS_GTID: u8 = 34;
    pub const XA_PREPARE: u8 = 38;
    pub const PARTIAL_UPDATE_ROWS: u8 = 39;
    pub const TRANSACTION_PAYLOAD: u8 = 40;
    pub const TAGGED_GTID: u8 = 42;
    pub const MARIADB_GTID: u8 = 162;
    pub const QUERY_COMPRESSED: u8 = 165;
    pub const WRITE_ROWS_COMPRESSED_V1: u8 = 166;
    pub const UPDATE_ROWS_COMPRESSED_V1: u8 = 167;
    pub const DELETE_ROWS_COMPRESSED_V1: u8 = 168;
    pub const WRITE_ROWS_COMPRESSED: u8 = 169;
    pub const UPDATE_ROWS_COMPRESSED: u8 = 170;
    pub const DELETE_ROWS_COMPRESSED: u8 = 171;

    /// Events that change no row and say nothing of one: STOP, INTVAR, RAND, USER_VAR, XID, the pieces of a LOAD DATA
    /// before the statement itself, heartbeats, the text of a statement beside its rows, lists of GTIDs, what group
    /// replication notes, MariaDB's annotations, checkpoints and encryption (the server decrypts).
    pub const HARMLESS: [u8; 20] = [3, 5, 9, 11, 13, 14, 16, 17, 27, 28, 29, 35, 36, 37, 41, 160, 161, 163, 164, 0];
}

#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: u8,
    pub size: usize,
    /// Where the event ends in its file, counted in 32 bits whatever the file's length; 0 if it stands in none.
    pub end: u32,
    flags: u16,
}

impl Header {
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut wire = Wire::new(bytes);
        wire.u32()?; // when
        let kind = wire.u8()?;
        wire.u32()?; // by which server
        let (size, end, flags) = (wire.u32()? as usize, wire.u32()?, wire.u16()?);
        if size < HEADER {
            return broken(format!("an event of {size} bytes"));
        }
        Ok(Self { kind, size, end, flags })
    }

    pub fn is_artificial(&self) -> bool {
        self.flags & ARTIFICIAL != 0 || self.end == 0
    }

    pub fn is_ignorable(&self) -> bool {
        self.flags & IGNORABLE != 0
    }
}

/// What the file that is being read says of its events.
pub struct Format {
    pub description: FormatDescriptionEvent<'static>,
    has_checksums: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self { description: FormatDescriptionEvent::new(BinlogVersion::Version4), has_checksums: false }
    }
}

impl Format {
    /// The event's body, without header and checksum.
    ///
    /// # Errors
    /// The checksum is wrong.
    #[inline]
    pub fn body<'a>(&self, header: &Header, event: &'a [u8]) -> Result<&'a [u8]> {
        if header.size != event.len() {
            return broken(format!("an event of {} bytes says that it has {}", event.len(), header.size));
        }
        if header.kind == kind::ROTATE && header.is_artificial() {
            return Ok(rotation(header, event));
        }
        if !self.has_checksums || header.kind == kind::FORMAT_DESCRIPTION {
            return Ok(&event[HEADER..]);
        }
        let Some(length) = event.len().checked_sub(CHECKSUM).filter(|&length| length >= HEADER) else {
            return broken("an event that is too short for its checksum");
        };
        check(header, &event[..length], &event[length..])?;
        Ok(&event[HEADER..length])
    }

    /// Takes a format description; a checksum's algorithm and the checksum itself are its last five bytes.
    pub fn describe(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        const ALGORITHM: usize = 1;
        let Some(length) = body.len().checked_sub(ALGORITHM + CHECKSUM) else {
            return broken("a format description that is too short");
        };
        self.has_checksums = match body[length] {
            0 => false,
            1 => true,
            other => return broken(format!("the checksum's algorithm {other} is unknown")),
        };
        let context = BinlogCtx::new(header.size, &self.description, header.kind);
        let description = FormatDescriptionEvent::deserialize(context, &mut ParseBuf(&body[..length]));
        self.description = description.map_err(unreadable)?.into_owned();
        Ok(())
    }

    /// An event of `mysql_common`, read from its body.
    pub fn parse<'a, T: MyDeserialize<'a, Ctx = BinlogCtx<'a>>>(&'a self, kind: u8, body: &'a [u8]) -> Result<T> {
        let context = BinlogCtx::new(HEADER + body.len(), &self.description, kind);
        T::deserialize(context, &mut ParseBuf(body)).map_err(unreadable)
    }
}

/// The event that names the file which comes next is sent before that file's format is known, with a checksum or without.
fn rotation<'a>(header: &Header, event: &'a [u8]) -> &'a [u8] {
    match event.len().checked_sub(CHECKSUM).filter(|&length| length >= HEADER) {
        Some(length) if check(header, &event[..length], &event[length..]).is_ok() => &event[HEADER..length],
        _ => &event[HEADER..],
    }
}

fn check(header: &Header, event: &[u8], expected: &[u8]) -> Result<()> {
    let mut hasher = crc32fast::Hasher::new();
    if header.flags & IN_USE != 0 {
        let mut first = [0; HEADER];
        first.copy_from_slice(&event[..HEADER]);
        first[HEADER - 2..].copy_from_slice(&(header.flags & !IN_USE).to_le_bytes());
        hasher.update(&first);
        hasher.update(&event[HEADER..]);
    } else {
        hasher.update(event);
    }
    if hasher.finalize().to_le_bytes() != *expected {
        return broken(format!("an event of type {} is damaged: its checksum is another", header.kind));
    }
    Ok(())
}

pub fn unreadable(error: std::io::Error) -> Error {
    Error::Protocol(error.to_string())
}
