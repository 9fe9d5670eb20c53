//! The commands that ask a server for its binlog. A server without a number's owner waits for nothing at the end, and
//! takes this reader for no replica.

use mysql_common::packets::{BinlogDumpFlags, ComBinlogDump, ComBinlogDumpGtid};
use mysql_common::proto::MySerialize;

use super::gtid::GtidSet;
use crate::error::{Error, Result};

/// That of no replica: a server ends the stream of one when another with its number comes.
const NOBODY: u32 = 0;

/// A dump from a place in a file, with the command's own byte.
pub fn from_place(file: &str, offset: u64) -> Result<Vec<u8>> {
    let offset = u32::try_from(offset).map_err(|_| {
        Error::Option(format!("{file}:{offset} is beyond 4 GiB, from where no server can be asked to begin"))
    })?;
    let command = ComBinlogDump::new(NOBODY)
        .with_pos(offset)
        .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK)
        .with_filename(file.as_bytes());
    let mut out = vec![];
    command.serialize(&mut out);
    Ok(out)
}

/// A dump of all transactions that are not in a set.
pub fn beyond(known: &GtidSet) -> Result<Vec<u8>> {
    const THROUGH_GTID: BinlogDumpFlags = BinlogDumpFlags::BINLOG_THROUGH_GTID;
    let command = ComBinlogDumpGtid::new(NOBODY)
        .with_pos(4)
        .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK | THROUGH_GTID)
        .with_sids(known.sids()?);
    let mut out = vec![];
    command.serialize(&mut out);
    Ok(out)
}
