//! A pass: from a place in the binlog to another, packet by packet.

use super::gtid::GtidSet;
use super::session::Session;
use super::tables::{Table, Wanted};
use super::xa::Ledger;
use crate::error::{Error, Result, broken};
use crate::packet::Packets;
use crate::wire::Wire;

/// Where a pass ends.
#[derive(Clone, Debug)]
pub enum Goal {
    /// The number of a file and bytes into it.
    Place(u64, u64),
    /// Transactions, in whatever order they come; those of `known` are not sent.
    Gtids { known: GtidSet, end: GtidSet },
}

#[derive(Clone, Debug)]
pub struct Options {
    /// The tables' database.
    pub database: String,
    pub tables: Vec<Wanted>,
    pub goal: Goal,
    /// Where the next pass begins; None for this one's goal.
    pub next: Option<Next>,
    /// Bytes of memory for the keys of one table, and of all.
    pub max_bytes_per_table: usize,
    pub max_bytes: usize,
    pub max_packet: usize,
}

#[derive(Clone, Debug)]
pub enum Next {
    Place(u64, u64),
    Gtids(GtidSet),
}

/// A statement that may have changed tables without saying which of their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub default_database: String,
    pub text: String,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are needed.
    Hungry,
    Statement(Statement),
    Ended,
}

pub struct Pass {
    packets: Packets,
    session: Session,
    is_over: bool,
}

impl Pass {
    /// # Errors
    /// An option cannot be.
    pub fn new(options: Options) -> Result<Self> {
        if !(1..=1 << 30).contains(&options.max_packet) {
            return Err(Error::Option(format!("max_packet={} is not between 1 and {}", options.max_packet, 1 << 30)));
        }
        let session = Session::new(options);
        Ok(Self { packets: Packets::new(session.options.max_packet), session, is_over: false })
    }

    /// Room for the next bytes; `filled` tells how many came.
    pub fn space(&mut self, wanted: usize) -> &mut [u8] {
        self.packets.space(wanted)
    }

    pub fn filled(&mut self, count: usize) {
        self.packets.filled(count);
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.packets.feed(bytes);
    }

    /// Another stream follows, which goes on where the last one ended.
    pub fn reopen(&mut self) {
        self.packets = Packets::new(self.session.options.max_packet);
        self.is_over = false;
    }

    /// Takes events until a statement has to be looked at, the goal is reached, or bytes are missing.
    ///
    /// # Errors
    /// The server sends an error, or something that may concern any table is not understood.
    pub fn step(&mut self) -> Result<Step> {
        loop {
            if let Some(statement) = self.session.told.pop_front() {
                return Ok(Step::Statement(statement));
            }
            if self.is_over || self.session.is_idle {
                return Ok(Step::Ended);
            }
            let Some(packet) = self.packets.next_packet()? else { return Ok(Step::Hungry) };
            match packet {
                [0, event @ ..] => {
                    self.is_over = self.session.event(event).inspect_err(|_| self.is_over = true)?;
                }
                [0xFF, error @ ..] => {
                    self.is_over = true;
                    return Err(server_error(error)?);
                }
                [0xFE, rest @ ..] if rest.len() < 8 => self.is_over = true,
                [other, ..] => return broken(format!("a packet of the binlog begins with {other:#04x}")),
                [] => return broken("an empty packet"),
            }
        }
    }

    /// Changes of a table may be hidden: it is not followed any more.
    pub fn distrust(&mut self, table: &str, reason: &str) {
        if let Some(&at) = self.session.by_name.get(table.as_bytes()) {
            self.session.tables[at].distrust(reason.into());
            self.session.look_for_work();
        }
    }

    /// Whether everything up to the goal was seen, or nothing matters any more.
    pub fn is_reached(&self) -> bool {
        self.session.is_idle || self.session.is_reached()
    }

    /// File and offset behind the last event.
    pub fn place(&self) -> (&str, u64) {
        (&self.session.file, self.session.offset)
    }

    pub fn events(&self) -> u64 {
        self.session.events
    }

    pub fn tables(&mut self) -> &mut [Table] {
        &mut self.session.tables
    }

    pub fn xa(&self) -> &Ledger {
        &self.session.xa
    }
}

/// The number at the end of a file's name.
pub fn number(file: &str) -> Option<u64> {
    file.rsplit('.').next()?.parse().ok()
}

fn server_error(packet: &[u8]) -> Result<Error> {
    let mut wire = Wire::new(packet);
    let errno = wire.u16()?;
    let (sqlstate, message) = match wire.rest {
        [b'#', rest @ ..] if rest.len() >= 5 => rest.split_at(5),
        rest => (&b"HY000"[..], rest),
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(Error::Server { errno, sqlstate: text(sqlstate), message: text(message) })
}
