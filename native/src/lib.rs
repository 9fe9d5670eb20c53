//! MySQL and MariaDB result sets as Arrow record batches and Parquet files.
//!
//! [`result::Decoder`] is the core: it takes the bytes of a reply, split anyhow, and gives record batches. It does no
//! input or output. [`reader::Reader`] feeds it from a socket; [`parquet_file`] writes what comes out.

#![deny(unsafe_code)]

pub mod binary;
pub mod binlog;
pub mod builder;
pub mod charset;
pub mod column;
pub mod date;
pub mod decimal;
pub mod error;
pub mod float;
pub mod hash;
pub mod hashed;
pub mod packet;
pub mod parquet_file;
pub mod policy;
pub mod reader;
pub mod result;
pub mod rows;
pub mod source;
pub mod text;
pub mod types;
pub mod value;
pub mod wire;

#[cfg(feature = "python")]
mod python;
