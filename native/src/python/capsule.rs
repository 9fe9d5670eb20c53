//! The Arrow PyCapsule interface. All code that is not checked by the compiler is in this module.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader, StructArray, UInt64Array, make_array};
use arrow_schema::{Field, SchemaRef};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::failure::raise;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// A record batch; whatever knows Arrow's PyCapsule interface takes it, for example `pyarrow.record_batch`.
#[pyclass(frozen, module = "mysql_arrow")]
pub struct Batch(pub RecordBatch);

#[pymethods]
impl Batch {
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    #[getter]
    fn schema(&self) -> Schema {
        Schema(self.0.schema())
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0.schema())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema; // a wish that need not be granted; consumers cast themselves
        let (array, _) = to_ffi(&StructArray::from(self.0.clone()).into_data()).map_err(|error| raise(error.into()))?;
        Ok((schema_capsule(py, &self.0.schema())?, PyCapsule::new_with_value(py, array, ARRAY)?))
    }
}

/// The hashes of a batch's rows; `pyarrow.array` takes it.
#[pyclass(frozen, module = "mysql_arrow")]
pub struct Hashes(pub UInt64Array);

#[pymethods]
impl Hashes {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let (array, schema) = to_ffi(&self.0.to_data()).map_err(|error| raise(error.into()))?;
        Ok((PyCapsule::new_with_value(py, schema, SCHEMA)?, PyCapsule::new_with_value(py, array, ARRAY)?))
    }
}

/// A schema, for `pyarrow.schema` and others that take `__arrow_c_schema__`.
#[pyclass(frozen, module = "mysql_arrow")]
pub struct Schema(pub SchemaRef);

#[pymethods]
impl Schema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0)
    }
}

fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|error| raise(error.into()))?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

pub fn stream_capsule<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// The schema of any object that has `__arrow_c_schema__`.
pub fn import_schema(object: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    let capsule = object.call_method0("__arrow_c_schema__")?.cast_into::<PyCapsule>()?;
    let pointer = pointer(&capsule, SCHEMA)?.cast::<FFI_ArrowSchema>();
    // SAFETY: a capsule of this name holds an ArrowSchema, which lives as long as the capsule; it is only read.
    let schema = unsafe { pointer.as_ref() };
    Ok(SchemaRef::new(arrow_schema::Schema::try_from(schema).map_err(|error| raise(error.into()))?))
}

/// The array, and the field that tells its type, of any object that has `__arrow_c_array__`.
pub fn import_array(object: &Bound<'_, PyAny>, name: &str) -> PyResult<(Field, ArrayRef)> {
    let pair = object.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
    let (schema, array) = (schema.cast_into::<PyCapsule>()?, array.cast_into::<PyCapsule>()?);
    let schema = pointer(&schema, SCHEMA)?.cast::<FFI_ArrowSchema>();
    let array = pointer(&array, ARRAY)?.cast::<FFI_ArrowArray>();
    // SAFETY: the capsules' names say what they hold; the array is moved out, which marks the capsule's as released.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) };
    let array = make_array(data.map_err(|error| raise(error.into()))?);
    Ok((Field::new(name, array.data_type().clone(), array.null_count() > 0), array))
}

fn pointer(capsule: &Bound<'_, PyCapsule>, name: &CStr) -> PyResult<NonNull<c_void>> {
    capsule
        .pointer_checked(Some(name))
        .map_err(|_| PyTypeError::new_err(format!("the capsule is no {}", name.to_string_lossy())))
}

/// A descriptor of our own for the same socket.
#[cfg(unix)]
pub fn duplicate(fd: i32) -> PyResult<OwnedFd> {
    if fd < 0 {
        return Err(pyo3::exceptions::PyValueError::new_err("the connection is closed"));
    }
    // SAFETY: the caller's descriptor is open; it is borrowed for this call alone.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?)
}
