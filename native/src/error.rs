//! What can go wrong, told in the reader's words: the server's error, a broken packet, a value or a type that is refused.

use arrow_schema::ArrowError;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the server reports error {errno} ({sqlstate}): {message}")]
    Server { errno: u16, sqlstate: String, message: String },

    #[error("the bytes are no result set: {0}")]
    Protocol(String),

    #[error("the binlog is not understood: {0}")]
    Binlog(String),

    #[error("the connection is lost: {0}")]
    Lost(String),

    #[error("column {column}: {value} is no {target}{hint}")]
    Value { column: String, value: String, target: String, hint: &'static str },

    #[error("column {column}: {mysql} cannot become {target}: {reason}")]
    Type { column: String, mysql: String, target: String, reason: String },

    #[error("the schema does not fit the result: {0}")]
    Schema(String),

    #[error("{0}")]
    Option(String),

    #[error("Arrow: {0}")]
    Arrow(#[from] ArrowError),

    #[error("Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),

    #[error("{0}")]
    Io(#[from] std::io::Error),

    /// The caller's own exception, from a signal handler or from its file; the binding raises it as it is.
    #[error("interrupted: {0}")]
    Foreign(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// What is wrong, without saying again where.
    pub fn why(&self) -> String {
        match self {
            Self::Protocol(why) => why.clone(),
            other => other.to_string(),
        }
    }
}

/// Shorthand for the commonest refusal.
pub fn broken<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::Protocol(why.into()))
}
