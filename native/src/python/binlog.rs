//! `mysql_arrow._native.Binlog`: a pass over a binlog. `mysql_arrow.binlog` is its face.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::capsule::{Batch, import_schema};
use super::failure::raise;
use super::stream::{signals, source};
use crate::binlog::command;
use crate::binlog::gtid::GtidSet;
use crate::binlog::pass::{self, Goal, Next, Options, Pass, Statement, Step};
use crate::binlog::tables::{Described, Table, Trust, Wanted};
use crate::error::{Error, Result};
use crate::source::Source;

/// Bytes that one read may bring.
const READ: usize = 256 << 10;

#[pyclass(frozen, module = "mysql_arrow")]
pub struct Binlog(Mutex<State>);

struct State {
    pass: Pass,
    source: Option<Box<dyn Source>>,
}

/// Name; name, type and character set of each column; key; schema of the key.
type Asked<'py> = (String, Vec<(String, String, String)>, Vec<String>, Bound<'py, PyAny>);

/// Numbers of keys; None where they are not known.
type KeysByTable = BTreeMap<String, Option<Vec<u32>>>;

#[pymethods]
impl Binlog {
    /// Ends are file and offset, or sets of GTIDs, of which those of `known` do not come.
    #[new]
    #[pyo3(signature = (
        database, tables, *, end, known=None, next=None, max_bytes_per_table=256 << 20, max_bytes=1 << 30,
        max_packet=1 << 30,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        database: String,
        tables: Vec<Asked<'_>>,
        end: End,
        known: Option<String>,
        next: Option<End>,
        max_bytes_per_table: usize,
        max_bytes: usize,
        max_packet: usize,
    ) -> PyResult<Self> {
        let tables = tables.into_iter().map(wanted).collect::<PyResult<_>>()?;
        let goal = match end.next().map_err(raise)? {
            Next::Place(file, offset) => Goal::Place(file, offset),
            Next::Gtids(end) => Goal::Gtids { known: known.unwrap_or_default().parse().map_err(raise)?, end },
        };
        let next = next.map(|next| next.next()).transpose().map_err(raise)?;
        let options = Options { database, tables, goal, next, max_bytes_per_table, max_bytes, max_packet };
        Ok(Self(Mutex::new(State { pass: Pass::new(options).map_err(raise)?, source: None })))
    }

    /// Take some of the stream's bytes, split anyhow.
    fn feed(&self, py: Python<'_>, data: &[u8]) {
        self.with(py, |state| state.pass.feed(data));
    }

    /// Another stream follows, which goes on where the last one ended.
    fn reopen(&self, py: Python<'_>) {
        self.with(py, |state| state.pass.reopen());
    }

    /// From now on read the socket `fd`, waiting at most `timeout` seconds, or else `file.read1`.
    #[pyo3(signature = (*, fd=None, timeout=None, file=None))]
    fn attach(&self, py: Python<'_>, fd: Option<i32>, timeout: Option<f64>, file: Option<Py<PyAny>>) -> PyResult<()> {
        let source = source(fd, timeout, file)?;
        self.with(py, |state| state.source = Some(source));
        Ok(())
    }

    /// Read no further. What was found stays.
    fn close(&self, py: Python<'_>) {
        self.with(py, |state| state.source = None);
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Reads on. Gives the next statement, its default database first; ends at the goal, and with the stream.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<(String, String)>> {
        let next = self.with(py, State::next).map_err(|error| match error {
            Error::Protocol(why) => raise(Error::Binlog(why)),
            other => raise(other),
        })?;
        Ok(next.map(|Statement { default_database, text }| (default_database, text)))
    }

    /// Changes of a table may be hidden: it is not followed any more.
    fn distrust(&self, py: Python<'_>, table: &str, reason: &str) {
        self.with(py, |state| state.pass.distrust(table, reason));
    }

    /// Whether everything up to the goal was seen.
    #[getter]
    fn is_reached(&self, py: Python<'_>) -> bool {
        self.with(py, |state| state.pass.is_reached())
    }

    /// File and offset behind the last event.
    #[getter]
    fn place(&self, py: Python<'_>) -> (String, u64) {
        self.with(py, |state| {
            let (file, offset) = state.pass.place();
            (file.to_owned(), offset)
        })
    }

    /// How many events were looked at.
    #[getter]
    fn events(&self, py: Python<'_>) -> u64 {
        self.with(py, |state| state.pass.events())
    }

    /// A table's changed keys and what happened to each last, how many rows its events had, whether changes may be
    /// hidden, and why there are no keys.
    fn found(&self, py: Python<'_>, table: &str) -> PyResult<(Option<Batch>, u64, bool, String)> {
        self.with(py, |state| {
            let table = state.pass.tables().iter_mut().find(|found| found.wanted.name == table);
            table.map(found)
        })
        .ok_or_else(|| PyKeyError::new_err(table.to_owned()))?
        .map_err(raise)
    }

    /// XA transactions that are prepared and not decided; of each by table the numbers of the keys, or None where they
    /// are not known.
    fn open_xa(&self, py: Python<'_>) -> Vec<(String, KeysByTable)> {
        self.with(py, |state| {
            let names: Vec<(String, bool)> =
                state.pass.tables().iter().map(|table| (table.wanted.name.clone(), table.is_followed())).collect();
            let keys = |(&at, keys): (&usize, &Option<std::collections::BTreeSet<u32>>)| {
                let (name, is_followed) = &names[at];
                (name.clone(), keys.as_ref().filter(|_| *is_followed).map(|keys| keys.iter().copied().collect()))
            };
            let open = &state.pass.xa().open;
            open.iter().map(|(xid, touched)| (xid.0.clone(), touched.tables.iter().map(keys).collect())).collect()
        })
    }

    /// Decisions over XA transactions that were prepared before: name, whether it commits, whether the next pass will
    /// not meet it.
    fn decided_xa(&self, py: Python<'_>) -> Vec<(String, bool, bool)> {
        self.with(py, |state| {
            let decided = &state.pass.xa().decided;
            decided.iter().map(|one| (one.xid.0.clone(), one.commits, one.is_over)).collect()
        })
    }
}

impl Binlog {
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> T + Send) -> T {
        py.detach(|| work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
    }
}

impl State {
    fn next(&mut self) -> Result<Option<Statement>> {
        let mut tick = signals();
        loop {
            match self.pass.step()? {
                Step::Statement(statement) => return Ok(Some(statement)),
                Step::Ended => return Ok(None),
                Step::Hungry => {}
            }
            let Some(source) = &mut self.source else { return Ok(None) };
            tick()?;
            let count = source.read(self.pass.space(READ), &mut tick)?;
            self.pass.filled(count);
        }
    }
}

/// A place, or a set of GTIDs.
#[derive(FromPyObject)]
enum End {
    Gtids(String),
    Place((String, u64)),
}

impl End {
    fn next(self) -> Result<Next> {
        Ok(match self {
            Self::Gtids(text) => Next::Gtids(text.parse::<GtidSet>()?),
            Self::Place((file, offset)) => {
                let no_number = || Error::Option(format!("{file:?} is no file of a binlog: it ends in no number"));
                Next::Place(pass::number(&file).ok_or_else(no_number)?, offset)
            }
        })
    }
}

fn wanted((name, columns, key, schema): Asked<'_>) -> PyResult<Wanted> {
    let described = |(name, mysql, charset)| Described { name, mysql, charset };
    let schema = import_schema(&schema)?;
    if schema.fields().len() != key.len() {
        let (wanted, there) = (key.len(), schema.fields().len());
        return Err(raise(Error::Option(format!("{name}: a key of {wanted} columns, and a schema of {there}"))));
    }
    Ok(Wanted { name, columns: columns.into_iter().map(described).collect(), key, schema })
}

fn found(table: &mut Table) -> Result<(Option<Batch>, u64, bool, String)> {
    let batch = table.batch()?;
    let (is_lost, reason) = match &table.trust {
        Trust::Followed => (false, String::new()),
        Trust::Elsewhere(reason) => (false, reason.clone()),
        Trust::Lost(reason) => (true, reason.clone()),
    };
    Ok((batch.map(Batch), table.rows, is_lost, reason))
}

/// The command that asks for the binlog, its own byte first: from a place, or beyond a set of GTIDs.
#[pyfunction]
pub fn dump_command<'py>(py: Python<'py>, start: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let command = match start.extract::<String>() {
        Ok(known) => known.parse().and_then(|known| command::beyond(&known)),
        Err(_) => {
            let (file, offset): (String, u64) = start.extract()?;
            command::from_place(&file, offset)
        }
    };
    Ok(PyBytes::new(py, &command.map_err(raise)?))
}
