//! `row_hashes`: the hashes of rows that Python hands over as Arrow values.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::capsule::{Hashes, import_array};
use super::failure::raise;
use crate::hashed::{self, Form};

#[pyfunction]
pub fn row_hashes(
    py: Python<'_>,
    rows: &Bound<'_, PyAny>,
    forms: Vec<(String, String, u8)>,
    problems: Option<String>,
) -> PyResult<Hashes> {
    let (_, array) = import_array(rows, "rows")?;
    let Some(rows) = array.as_struct_opt().filter(|rows| rows.null_count() == 0) else {
        return Err(PyTypeError::new_err("what is hashed is a record batch"));
    };
    let batch = RecordBatch::from(rows);
    let columns = forms
        .into_iter()
        .map(|(name, form, digits)| Ok((name, Form::parse(&form, digits)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(raise)?;
    py.detach(|| hashed::row_hashes(&batch, &columns, problems.as_deref())).map(Hashes).map_err(raise)
}
