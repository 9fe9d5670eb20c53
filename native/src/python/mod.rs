//! The Python face: classes that give Arrow data as PyCapsules, and exceptions in place of errors.

mod binlog;
mod capsule;
mod decoder;
mod failure;
mod hashed;
mod stream;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<capsule::Batch>()?;
    module.add_class::<capsule::Schema>()?;
    module.add_class::<decoder::Decoder>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<binlog::Binlog>()?;
    module.add_class::<capsule::Hashes>()?;
    module.add_function(wrap_pyfunction!(hashed::row_hashes, module)?)?;
    module.add_function(wrap_pyfunction!(binlog::dump_command, module)?)
}
