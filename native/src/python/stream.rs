//! `mysql_arrow.Stream`: the batches of a query, read from its connection with the GIL released.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

#[cfg(unix)]
use super::capsule::duplicate;
use super::capsule::{Batch, Schema, import_array, stream_capsule};
use super::decoder::Decoder;
use super::failure::{foreign, raise};
use crate::error::{Error, Result};
use crate::parquet_file::{self, Dictionary, Settings};
use crate::reader::Reader;
use crate::result::Stats;
#[cfg(unix)]
use crate::source::Socket;
use crate::source::{Source, Tick};

/// How often signals are looked for: seldom enough not to fight for the GIL.
const SIGNALS: Duration = Duration::from_millis(100);

#[pyclass(frozen, module = "mysql_arrow")]
pub struct Stream {
    session: Shared,
    schema: SchemaRef,
}

#[pymethods]
impl Stream {
    /// Reads from the socket `fd`, waiting at most `timeout` seconds, or else from `file.read1`. `on_end` is called once:
    /// with True after the reply was read to its end, with False when the rest of it was left.
    #[new]
    #[pyo3(signature = (decoder, *, fd=None, timeout=None, file=None, on_end=None))]
    fn new(
        py: Python<'_>,
        decoder: &Decoder,
        fd: Option<i32>,
        timeout: Option<f64>,
        file: Option<Py<PyAny>>,
        on_end: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let source = source(fd, timeout, file)?;
        let mut ending = Ending(on_end);
        let decoder = decoder.take()?;
        let reader = py.detach(|| Reader::open(decoder, source, &mut signals()));
        let reader = reader.map_err(|error| {
            ending.call(is_clean(&error));
            raise(error)
        })?;
        let schema = reader.schema();
        Ok(Self {
            session: Shared(Arc::new(Mutex::new(Session { reader: Some(reader), ending, last: Last::default() }))),
            schema,
        })
    }

    #[getter]
    fn schema(&self) -> Schema {
        Schema(self.schema.clone())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.schema())?.call_method0("__arrow_c_schema__")
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        stream_capsule(py, Box::new(Export { session: self.session.clone(), schema: self.schema.clone() }))
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        Ok(py.detach(|| self.session.lock().next()).map_err(raise)?.map(Batch))
    }

    /// Rows, bytes, warnings, and what the policies did; complete once the stream is read to its end.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = py.detach(|| self.session.lock().last().stats);
        stats_object(py, &stats)
    }

    /// The sum of the hashes of the rows read so far.
    #[getter]
    fn hash_sum(&self, py: Python<'_>) -> u128 {
        py.detach(|| self.session.lock().last().hash_sum)
    }

    /// Leave the rest of the result, which closes the connection; nothing happens after the end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.session.lock().end(false));
    }

    /// Writes the rest of the rows to a path, where the file appears when it is complete, or to an object with
    /// `write`. Returns the number of rows.
    #[pyo3(signature = (
        target, *, row_group_rows=1 << 20, row_group_bytes=32 << 20, level=1, dictionary=None, delta=true, constants=None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn write_parquet(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        row_group_rows: usize,
        row_group_bytes: usize,
        level: i32,
        dictionary: Option<&Bound<'_, PyAny>>,
        delta: bool,
        constants: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        if row_group_rows == 0 || row_group_bytes == 0 {
            return Err(raise(Error::Option("a row group has at least one row and one byte".into())));
        }
        let dictionary = dictionary_policy(dictionary)?;
        let mut settings = Settings { row_group_rows, row_group_bytes, level, dictionary, delta, constants: vec![] };
        for (name, array) in constants.into_iter().flatten() {
            let name: String = name.extract()?;
            settings.constants.push(import_array(&array, &name)?);
            if settings.constants.last().is_some_and(|(_, array)| array.len() != 1) {
                return Err(raise(Error::Option(format!("the constant {name} is not one value"))));
            }
        }
        if target.hasattr("write")? {
            let file = File(target.clone().unbind());
            return py.detach(|| self.write(file, &settings)).map_err(raise);
        }
        let path: PathBuf = target.extract()?;
        py.detach(|| self.write_path(&path, &settings)).map_err(raise)
    }
}

impl Stream {
    fn write(&self, out: impl Write + Send, settings: &Settings) -> Result<u64> {
        let mut session = self.session.lock();
        let written = parquet_file::write(&self.schema, &mut || session.next(), out, settings);
        if written.is_err() {
            session.end(false);
        }
        written.map_err(unwrap_python)
    }

    fn write_path(&self, path: &PathBuf, settings: &Settings) -> Result<u64> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let written = fs::File::create(&part).map_err(Error::from).and_then(|file| self.write(file, settings));
        if written.is_ok() {
            fs::rename(&part, path)?;
        } else {
            fs::remove_file(&part).ok();
        }
        written
    }
}

/// An exception of the caller's `write`, out of the errors that it was wrapped in.
fn unwrap_python(error: Error) -> Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        let held = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(exception) = held.and_then(|held| held.downcast_ref::<PyErr>()) {
            return Python::attach(|py| foreign(exception.clone_ref(py)));
        }
        source = inner.source();
    }
    error
}

fn dictionary_policy(policy: Option<&Bound<'_, PyAny>>) -> PyResult<Dictionary> {
    let Some(policy) = policy else { return Ok(Dictionary::Sampled) };
    if let Ok(all) = policy.extract::<bool>() {
        return Ok(if all { Dictionary::All } else { Dictionary::None });
    }
    Ok(Dictionary::Named(policy.extract::<Vec<String>>()?.into_iter().collect()))
}

/// The reader and what is to be done when it ends, for the Python object and for Arrow's stream alike.
struct Session {
    reader: Option<Reader>,
    ending: Ending,
    last: Last,
}

#[derive(Clone, Default)]
struct Last {
    stats: Stats,
    hash_sum: u128,
}

impl Session {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let read = reader.next_batch(&mut signals());
        match &read {
            Ok(Some(_)) => {}
            Ok(None) => self.end(true),
            Err(error) => self.end(is_clean(error)),
        }
        read
    }

    fn last(&self) -> Last {
        match &self.reader {
            Some(Reader { decoder, .. }) => Last { stats: decoder.stats(), hash_sum: decoder.hash_sum() },
            None => self.last.clone(),
        }
    }

    fn end(&mut self, clean: bool) {
        self.last = self.last();
        self.reader = None;
        self.ending.call(clean);
    }
}

/// After an error of the server's the connection can be used again: nothing follows it.
fn is_clean(error: &Error) -> bool {
    matches!(error, Error::Server { .. })
}

struct Ending(Option<Py<PyAny>>);

impl Ending {
    fn call(&mut self, clean: bool) {
        if let Some(on_end) = self.0.take() {
            Python::attach(|py| {
                // A stream may be dropped because of an exception, which must outlive the call.
                let raised = PyErr::take(py);
                if let Err(error) = on_end.call1(py, (clean,)) {
                    error.write_unraisable(py, Some(on_end.bind(py)));
                }
                if let Some(raised) = raised {
                    raised.restore(py);
                }
            });
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.call(false);
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Session>>);

impl Shared {
    /// Only to be called without the GIL: whoever has the lock may wait for the GIL.
    fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Arrow's stream: a consumer in C or C++ reads it without Python.
struct Export {
    session: Shared,
    schema: SchemaRef,
}

impl Iterator for Export {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let session = &self.session;
        let read = Python::attach(|py| py.detach(|| session.lock().next()));
        read.map_err(|error| ArrowError::ExternalError(Box::new(error))).transpose()
    }
}

impl RecordBatchReader for Export {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// What is read: the socket `fd`, waiting at most `timeout` seconds, or else `file.read1`.
pub fn source(fd: Option<i32>, timeout: Option<f64>, file: Option<Py<PyAny>>) -> PyResult<Box<dyn Source>> {
    let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok(match (fd, file) {
        #[cfg(unix)]
        (Some(fd), _) => Box::new(Socket::new(duplicate(fd)?, timeout)),
        #[cfg(not(unix))]
        (Some(_), None) => {
            let why = format!("a descriptor cannot be read on this system (timeout {timeout:?}): give a file");
            return Err(raise(Error::Option(why)));
        }
        #[cfg(not(unix))]
        (Some(_), Some(file)) => Box::new(File(file)),
        (None, Some(file)) => Box::new(File(file)),
        (None, None) => return Err(raise(Error::Option("a stream needs a descriptor or a file".into()))),
    })
}

/// Looks for signals, now and then.
pub fn signals() -> impl FnMut() -> Result<()> {
    let mut last = Instant::now();
    move || {
        if last.elapsed() < SIGNALS {
            return Ok(());
        }
        last = Instant::now();
        Python::attach(|py| py.check_signals()).map_err(foreign)
    }
}

/// A Python object with `read1` or `write`.
struct File(Py<PyAny>);

impl Source for File {
    fn read(&mut self, into: &mut [u8], tick: Tick) -> Result<usize> {
        tick()?;
        Python::attach(|py| {
            let read = match self.0.call_method1(py, "read1", (into.len(),)) {
                Err(error) if error.is_instance_of::<PyOSError>(py) => return Err(Error::Lost(error.to_string())),
                other => other.map_err(foreign)?,
            };
            let bytes = read.bind(py).cast::<PyBytes>().map_err(|error| foreign(error.into()))?.as_bytes();
            if bytes.is_empty() {
                return Err(Error::Lost("the server closed it in the middle of a result".into()));
            }
            let Some(room) = into.get_mut(..bytes.len()) else {
                return Err(Error::Protocol("read1 returned more bytes than were asked for".into()));
            };
            room.copy_from_slice(bytes);
            Ok(bytes.len())
        })
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Python::attach(|py| self.0.call_method1(py, "write", (PyBytes::new(py, bytes),)).map(|_| bytes.len()))
            .map_err(std::io::Error::other)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn stats_object<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    let counted = |counts: &[(String, u64)]| {
        let dict = PyDict::new(py);
        counts.iter().filter(|(_, count)| *count > 0).try_for_each(|(name, count)| dict.set_item(name, count))?;
        PyResult::Ok(dict)
    };
    let class = py.import("mysql_arrow.stats")?.getattr("Stats")?;
    class.call1((
        stats.rows,
        stats.bytes,
        stats.warnings,
        stats.extra_results,
        counted(&stats.nulled)?,
        counted(&stats.replaced)?,
    ))
}
