//! Errors as the exceptions of `mysql_arrow.errors`.

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::error::Error;

pub fn raise(error: Error) -> PyErr {
    Python::attach(|py| match raise_with(py, error) {
        Ok(exception) | Err(exception) => exception,
    })
}

fn raise_with(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    let said = error.to_string();
    let class = |name: &str| py.import("mysql_arrow.errors")?.getattr(name);
    let exception = match error {
        Error::Server { errno, sqlstate, message } => class("ServerError")?.call1((errno, sqlstate, message))?,
        Error::Protocol(_) | Error::Binlog(_) => class("ProtocolError")?.call1((said,))?,
        Error::Lost(_) => class("ConnectionLost")?.call1((said,))?,
        Error::Value { column, value, target, .. } => class("ValueRefused")?.call1((said, column, value, target))?,
        Error::Type { column, mysql, target, .. } => class("TypeRefused")?.call1((said, column, mysql, target))?,
        Error::Schema(_) => class("SchemaMismatch")?.call1((said,))?,
        Error::Option(_) => return Ok(PyValueError::new_err(said)),
        Error::Io(error) => return Ok(PyOSError::new_err((error.raw_os_error(), said))),
        Error::Arrow(_) | Error::Parquet(_) => return Ok(PyRuntimeError::new_err(said)),
        Error::Foreign(error) => {
            return Ok(*error.downcast::<PyErr>().unwrap_or_else(|_| Box::new(PyRuntimeError::new_err(said))));
        }
    };
    Ok(PyErr::from_value(exception))
}

/// A Python exception on its way through code that knows no Python.
pub fn foreign(error: PyErr) -> Error {
    Error::Foreign(Box::new(error))
}
