//! What a pass knows while it goes from event to event.

use std::collections::VecDeque;

use hashbrown::HashMap;
use mysql_common::binlog::events::{GtidEvent, QueryEvent};

use super::compressed::{Payload, inflate};
use super::event::{Format, HEADER, Header, kind};
use super::gtid::{Gtid, GtidSet};
use super::image::Walk;
use super::layout::Map;
use super::pass::{Goal, Next, Options, Statement, number};
use super::query::{self, Meaning, Xid};
use super::rows::{self, Into, Shape, Taker};
use super::tables::{Table, Trust};
use super::xa::Ledger;
use crate::error::{Result, broken};
use crate::wire::Wire;

/// Maps that are remembered at once. Every statement brings its own, so that none is missed.
const MAX_MAPS: usize = 4096;

/// MariaDB's mark of a transaction that will be prepared: `FL_PREPARED_XA`.
const MARIADB_PREPARES: u8 = 0x40;

/// A table's map as it was met last, by its bytes; what follows from it is worked out once.
struct Mapped {
    body: Vec<u8>,
    table: Option<usize>,
    walk: Option<Walk>,
}

/// Everything but the bytes: an event is borrowed from these.
pub struct Session {
    pub options: Options,
    format: Format,
    pub tables: Vec<Table>,
    pub by_name: HashMap<Vec<u8>, usize>,
    maps: HashMap<u64, Mapped>,
    taker: Taker,
    pub xa: Ledger,
    /// Wanted tables that the current transaction's maps named.
    touched: Vec<usize>,
    missing: GtidSet,
    gtid: Option<Gtid>,
    pub file: String,
    file_number: Option<u64>,
    pub offset: u64,
    in_payload: bool,
    /// Statements that nobody has looked at.
    pub told: VecDeque<Statement>,
    pub is_idle: bool,
    pub events: u64,
}

impl Session {
    pub fn new(options: Options) -> Self {
        let tables: Vec<Table> = options.tables.iter().cloned().map(Table::new).collect();
        let missing = match &options.goal {
            Goal::Place(..) => GtidSet::default(),
            Goal::Gtids { known, end } => {
                let mut missing = end.clone();
                missing.remove_all(known);
                missing
            }
        };
        let by_name =
            tables.iter().enumerate().map(|(at, table)| (table.wanted.name.clone().into_bytes(), at)).collect();
        Self {
            format: Format::default(),
            by_name,
            maps: HashMap::new(),
            taker: Taker::default(),
            xa: Ledger::default(),
            touched: vec![],
            missing,
            gtid: None,
            file: String::new(),
            file_number: None,
            offset: 0,
            in_payload: false,
            told: VecDeque::new(),
            is_idle: false,
            events: 0,
            tables,
            options,
        }
    }

    /// Takes an event. Returns whether the pass is over.
    pub fn event(&mut self, event: &[u8]) -> Result<bool> {
        let header = Header::parse(event)?;
        if header.kind == kind::FORMAT_DESCRIPTION {
            if header.size != event.len() {
                return broken("a format description of another length");
            }
            self.format.describe(&header, &event[HEADER..])?;
            self.forget();
            return Ok(false);
        }
        if self.is_before(header.kind) {
            return Ok(true);
        }
        let body = self.format.body(&header, event)?;
        self.body(&header, body)?;
        self.advance(&header);
        // A place is reached with the event that ends there, and no other needs to come.
        Ok(matches!(self.options.goal, Goal::Place(..)) && self.is_reached())
    }

    /// Whether the goal lies before this event: it begins a transaction, and none is missing.
    fn is_before(&self, kind: u8) -> bool {
        match self.options.goal {
            Goal::Place(..) => self.is_reached(),
            Goal::Gtids { .. } => matches!(kind, kind::GTID | kind::TAGGED_GTID) && self.missing.is_empty(),
        }
    }

    pub fn is_reached(&self) -> bool {
        match self.options.goal {
            Goal::Place(file, offset) => (self.file_number, self.offset) >= (Some(file), offset),
            Goal::Gtids { .. } => self.missing.is_empty(),
        }
    }

    /// Notes whether nothing that may still come matters: no table is trusted any more.
    pub fn look_for_work(&mut self) {
        self.is_idle = self.tables.iter().all(|table| matches!(table.trust, Trust::Lost(_)));
    }

    /// A new file numbers its tables anew. A server that crashed ends its file without saying so, in the middle of a
    /// transaction.
    fn forget(&mut self) {
        self.maps.clear();
        self.begin(false);
    }

    fn begin(&mut self, is_xa: bool) {
        self.touched.clear();
        self.xa.begin(is_xa);
        if self.maps.len() > MAX_MAPS {
            self.maps.clear();
        }
    }

    fn advance(&mut self, header: &Header) {
        if header.is_artificial() || header.kind == kind::ROTATE {
            return;
        }
        // Offsets are sent in 32 bits, and a transaction is never cut: a file may be longer. What is sent again from the
        // file's beginning lies before.
        const WRAP: u64 = 1 << 32;
        let end = self.offset / WRAP * WRAP + u64::from(header.end);
        let end = if end + WRAP / 2 < self.offset { end + WRAP } else { end };
        self.offset = self.offset.max(end);
    }

    #[inline]
    fn body(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        self.events += 1;
        if let Some(shape) = Shape::of(header.kind) {
            return self.rows(shape, body);
        }
        match header.kind {
            kind::TABLE_MAP => return self.map(body),
            kind::GTID | kind::TAGGED_GTID => return self.gtid(header.kind, body),
            kind::ANONYMOUS_GTID => {
                self.gtid = None;
                self.begin(false);
            }
            kind::MARIADB_GTID => {
                const FLAGS: usize = 12;
                self.begin(body.get(FLAGS).is_some_and(|flags| flags & MARIADB_PREPARES != 0));
            }
            kind::QUERY | kind::EXECUTE_LOAD_QUERY | kind::QUERY_COMPRESSED => return self.query(header.kind, body),
            kind::XA_PREPARE => return self.prepare(body),
            kind::ROTATE => return self.rotate(body),
            kind::TRANSACTION_PAYLOAD if !self.in_payload => return self.payload(body),
            kind::INCIDENT => return broken("the server says that its binlog lacks events"),
            harmless if kind::HARMLESS.contains(&harmless) || header.is_ignorable() => {}
            other => return broken(format!("an event of type {other}, which is unknown")),
        }
        Ok(())
    }

    fn rotate(&mut self, body: &[u8]) -> Result<()> {
        let mut wire = Wire::new(body);
        self.offset = u64::from_le_bytes(wire.array()?);
        self.file = String::from_utf8_lossy(wire.rest).into_owned();
        self.file_number = number(&self.file);
        self.maps.clear();
        Ok(())
    }

    fn gtid(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        /// Flags, server, number: what follows is of no use here, and differs from version to version.
        const NEEDED: usize = 25;
        let body = if kind == kind::GTID { body.get(..NEEDED).unwrap_or(body) } else { body };
        let event: GtidEvent = self.format.parse(kind, body)?;
        let tag = event.tag().map(|tag| tag.as_str().to_owned()).unwrap_or_default();
        let gtid = Gtid { uuid: event.sid(), tag, number: event.gno() };
        self.missing.remove(&gtid);
        self.gtid = Some(gtid);
        self.begin(false);
        Ok(())
    }

    #[inline]
    fn map(&mut self, body: &[u8]) -> Result<()> {
        let (number, rest) = rows::table_number(body)?;
        if let Some(known) = self.maps.get(&number)
            && known.table.is_some()
            && known.body == rest
        {
            self.touch(known.table);
            return Ok(());
        }
        let map = Map::parse(rest)?;
        let is_ours = map.database == self.options.database.as_bytes();
        let table = if is_ours { self.by_name.get(map.table).copied() } else { None };
        self.touch(table);
        let walk = table.map(|at| &mut self.tables[at]).filter(|table| table.is_followed()).and_then(|t| t.walk(&map));
        let body = if table.is_some() { rest.to_vec() } else { vec![] };
        self.maps.insert(number, Mapped { body, table, walk });
        if table.is_some() {
            self.look_for_work();
        }
        Ok(())
    }

    fn touch(&mut self, table: Option<usize>) {
        if let Some(at) = table
            && !self.touched.contains(&at)
        {
            self.touched.push(at);
        }
    }

    #[inline]
    fn rows(&mut self, shape: Shape, body: &[u8]) -> Result<()> {
        let (number, rest) = rows::table_number(body)?;
        let Some(map) = self.maps.get(&number) else {
            return if number == rows::DUMMY_TABLE { Ok(()) } else { broken("rows of a table that has no map") };
        };
        let Some(at) = map.table else { return Ok(()) };
        let touched = self.xa.current();
        let (table, Some(walk)) = (&mut self.tables[at], &map.walk) else {
            touched.into_iter().for_each(|touched| touched.note(at, None));
            return Ok(());
        };
        if !table.is_followed() {
            touched.into_iter().for_each(|touched| touched.note(at, None));
            return Ok(());
        }
        let mut into = Into { table, number: at, touched };
        if let Err(error) = self.taker.take(shape, rest, walk, &mut into, self.options.max_packet) {
            table.leave(format!("its keys cannot be taken from the binlog: {}", error.why()));
        }
        self.shed(at);
        Ok(())
    }

    /// Leaves a table whose keys take too much memory, or the largest one when all together do.
    #[inline]
    fn shed(&mut self, at: usize) {
        let memory = self.tables[at].keys.memory();
        if memory > self.options.max_bytes_per_table {
            let limit = self.options.max_bytes_per_table >> 20;
            self.tables[at].leave(format!("its changed keys take more than {limit} MiB"));
            return;
        }
        // Only a table that grew large can be what fills the memory: small ones are not summed up at every event.
        if memory > self.options.max_bytes / self.tables.len().max(1)
            && self.tables.iter().map(|table| table.keys.memory()).sum::<usize>() > self.options.max_bytes
            && let Some(largest) = self.tables.iter_mut().max_by_key(|table| table.keys.memory())
        {
            let limit = self.options.max_bytes >> 20;
            largest
                .leave(format!("the changed keys of all tables take more than {limit} MiB, and its own are the most"));
        }
    }

    fn query(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        /// Of a LOAD DATA: the file's number, where its name stands in the text, and what to do with duplicates.
        const LOAD: usize = 13;
        let mut plain = vec![];
        let body = if kind == kind::EXECUTE_LOAD_QUERY {
            const COMMON: usize = 13;
            plain.extend_from_slice(body.get(..COMMON).unwrap_or(body));
            plain.extend_from_slice(body.get(COMMON + LOAD..).unwrap_or_default());
            &plain
        } else {
            body
        };
        let event: QueryEvent = self.format.parse(kind::QUERY, body)?;
        let inflated;
        let text = if kind == kind::QUERY_COMPRESSED {
            inflated = inflate(event.query_raw(), self.options.max_packet)?;
            &inflated
        } else {
            event.query_raw()
        };
        match query::meaning(text) {
            Meaning::Frame => {}
            Meaning::XaStart => self.xa.begin(true),
            Meaning::XaEnd { xid, commits } => {
                let is_over = self.is_before_next();
                self.xa.decide(xid, commits, is_over);
            }
            Meaning::Other => {
                let database = self.options.database.as_bytes();
                if query::may_concern(database, event.schema_raw(), text) {
                    let text = String::from_utf8_lossy(text).into_owned();
                    let default_database = event.schema().into_owned();
                    self.told.push_back(Statement { default_database, text });
                }
            }
        }
        Ok(())
    }

    /// Whether the next pass will not meet what is being read.
    fn is_before_next(&self) -> bool {
        let contains = |set: &GtidSet| self.gtid.as_ref().is_some_and(|gtid| set.contains(gtid));
        match (&self.options.next, &self.options.goal) {
            (Some(Next::Gtids(set)), _) => contains(set),
            (Some(Next::Place(file, offset)), _) => (self.file_number, self.offset) < (Some(*file), *offset),
            (None, Goal::Gtids { known, end }) => contains(end) || contains(known),
            (None, Goal::Place(..)) => true,
        }
    }

    fn prepare(&mut self, body: &[u8]) -> Result<()> {
        let mut wire = Wire::new(body);
        let one_phase = wire.u8()? != 0;
        let format = wire.u32()? as i32;
        let (global, branch) = (wire.u32()? as usize, wire.u32()? as usize);
        let (global, branch) = (wire.take(global)?, wire.take(branch)?);
        if one_phase {
            self.begin(false);
        } else {
            self.xa.prepare(Xid::new(global, branch, format), self.touched.drain(..));
        }
        Ok(())
    }

    fn payload(&mut self, body: &[u8]) -> Result<()> {
        self.in_payload = true;
        let mut payload = Payload::parse(body, self.options.max_packet)?;
        while let Some(event) = payload.next_event()? {
            let header = Header::parse(event)?;
            self.body(&header, &event[HEADER..])?;
        }
        self.in_payload = false;
        Ok(())
    }
}
