//! XA transactions: their rows stand in the binlog when they are prepared, and are seen by others when they commit.
//!
//! Between the two a snapshot does not hold them, so that reading their keys' rows then shows the old ones. Keys of
//! transactions that are prepared and not decided are therefore told apart, to be looked at again when they commit.

use std::collections::{BTreeMap, BTreeSet};

use super::query::Xid;

/// Keys that one transaction may have to be remembered by key; of a larger one the tables are.
pub const MOST_KEYS: usize = 10_000;

/// What one transaction touched: tables by their numbers, and the numbers of the keys where they are few enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub tables: BTreeMap<usize, Option<BTreeSet<u32>>>,
    keys: usize,
}

impl Touched {
    /// Notes a key; without one, only that the table was touched in a way that cannot be told by keys.
    pub fn note(&mut self, table: usize, key: Option<u32>) {
        let keys = self.tables.entry(table).or_insert_with(|| Some(BTreeSet::new()));
        match (keys, key) {
            (Some(keys), Some(key)) if self.keys < MOST_KEYS => self.keys += usize::from(keys.insert(key)),
            (keys, _) => *keys = None,
        }
    }
}

/// An XA transaction whose decision was met, and not its rows: it was prepared before the pass began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub xid: Xid,
    pub commits: bool,
    /// Whether the decision lies before the place from which the next pass begins.
    pub is_over: bool,
}

#[derive(Default)]
pub struct Ledger {
    /// What the transaction that is being read touched, if it is one of XA.
    current: Option<Touched>,
    pub open: BTreeMap<Xid, Touched>,
    pub decided: Vec<Decided>,
}

impl Ledger {
    pub fn begin(&mut self, is_xa: bool) {
        self.current = is_xa.then(Touched::default);
    }

    pub fn current(&mut self) -> Option<&mut Touched> {
        self.current.as_mut()
    }

    /// The current transaction is prepared. `touched` are its tables if nobody said before that it is one of XA.
    pub fn prepare(&mut self, xid: Xid, touched: impl IntoIterator<Item = usize>) {
        let found = self.current.take().unwrap_or_else(|| {
            let mut found = Touched::default();
            touched.into_iter().for_each(|table| found.note(table, None));
            found
        });
        self.open.insert(xid, found);
    }

    /// A decision. One that the next pass meets again leaves the transaction open.
    pub fn decide(&mut self, xid: Xid, commits: bool, is_over: bool) {
        if !self.open.contains_key(&xid) {
            self.decided.push(Decided { xid, commits, is_over });
        } else if is_over {
            self.open.remove(&xid);
        }
    }
}
