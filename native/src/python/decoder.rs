//! `mysql_arrow.Decoder`: bytes in, batches out, for any connection that can hand over what it reads.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::capsule::{Batch, Schema, import_schema};
use super::failure::raise;
use super::stream::stats_object;
use crate::error::Error;
use crate::policy::{self, Policies};
use crate::result::{self, Options, Protocol};

#[pyclass(frozen, module = "mysql_arrow")]
pub struct Decoder(Mutex<Option<result::Decoder>>);

#[pymethods]
impl Decoder {
    #[new]
    #[pyo3(signature = (
        *, protocol="binary", schema=None, rows_per_batch=65_536, bytes_per_batch=16 << 20, max_packet=1 << 30,
        dates="error", text="error", range="error", columns=None, problems=None, hashes=false, discard=false,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        protocol: &str,
        schema: Option<&Bound<'_, PyAny>>,
        rows_per_batch: usize,
        bytes_per_batch: usize,
        max_packet: usize,
        dates: &str,
        text: &str,
        range: &str,
        columns: Option<BTreeMap<String, String>>,
        problems: Option<String>,
        hashes: bool,
        discard: bool,
    ) -> PyResult<Self> {
        let options = Options {
            protocol: match protocol {
                "binary" => Protocol::Binary,
                "text" => Protocol::Text,
                other => return Err(raise(Error::Option(format!("{other:?} is no protocol; known are binary, text")))),
            },
            schema: schema.map(import_schema).transpose()?,
            rows_per_batch,
            bytes_per_batch,
            max_packet,
            policies: Policies::parse(dates, text, range).map_err(raise)?,
            exceptions: policy::exceptions(columns.unwrap_or_default()).map_err(raise)?,
            problems,
            hashes,
            discard,
        };
        Ok(Self(Mutex::new(Some(result::Decoder::new(options).map_err(raise)?))))
    }

    /// Take some of the reply's bytes, split anyhow.
    fn feed(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        self.with(py, |decoder| decoder.feed(data))
    }

    /// The batches that are complete; after the reply's end also the last, shorter one.
    fn batches(&self, py: Python<'_>) -> PyResult<Vec<Batch>> {
        self.with(py, |decoder| {
            let mut batches = vec![];
            while let Some(batch) = decoder.next_batch()? {
                batches.push(Batch(batch));
            }
            Ok(batches)
        })?
        .map_err(raise)
    }

    /// The schema of the batches; None until the columns are known.
    #[getter]
    fn schema(&self, py: Python<'_>) -> PyResult<Option<Schema>> {
        self.with(py, |decoder| decoder.schema().cloned().map(Schema))
    }

    /// Whether the reply has ended and every batch was taken.
    #[getter]
    fn finished(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |decoder| decoder.is_finished())
    }

    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        stats_object(py, &self.with(py, |decoder| decoder.stats())?)
    }

    #[getter]
    fn hash_sum(&self, py: Python<'_>) -> PyResult<u128> {
        self.with(py, |decoder| decoder.hash_sum())
    }
}

impl Decoder {
    /// The decoder, for a stream that feeds it from now on.
    pub fn take(&self) -> PyResult<result::Decoder> {
        self.0.lock().ok().and_then(|mut inner| inner.take()).ok_or_else(|| PyRuntimeError::new_err(TAKEN))
    }

    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut result::Decoder) -> T + Send) -> PyResult<T> {
        py.detach(|| self.0.lock().ok()?.as_mut().map(work)).ok_or_else(|| PyRuntimeError::new_err(TAKEN))
    }
}

const TAKEN: &str = "the decoder belongs to a stream";
