//! What becomes of a value that its column's type cannot hold.

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The read ends with an error that names column and value.
    Error,
    /// NULL, counted.
    Null,
    /// NULL, counted, and told in the row's problems.
    Problem,
    /// Text only: bytes that are no UTF-8 become U+FFFD, counted.
    Replace,
}

/// One policy for each way in which a value can be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Policies {
    /// Zero and partial dates, days that the month does not have.
    pub dates: Policy,
    /// Bytes that are no UTF-8.
    pub text: Policy,
    /// Numbers beyond the type's range.
    pub range: Policy,
}

impl Default for Policies {
    fn default() -> Self {
        Self { dates: Policy::Error, text: Policy::Error, range: Policy::Error }
    }
}

impl Policies {
    pub fn parse(dates: &str, text: &str, range: &str) -> Result<Self> {
        let read = |name: &str, value: &str, replace: bool| match value {
            "error" => Ok(Policy::Error),
            "null" => Ok(Policy::Null),
            "problem" => Ok(Policy::Problem),
            "replace" if replace => Ok(Policy::Replace),
            other => {
                let known = if replace { "error, null, problem, replace" } else { "error, null, problem" };
                Err(Error::Option(format!("{name}={other:?} is no policy; known are {known}")))
            }
        };
        Ok(Self {
            dates: read("dates", dates, false)?,
            text: read("text", text, true)?,
            range: read("range", range, false)?,
        })
    }

    pub fn tell_problems(&self) -> bool {
        [self.dates, self.text, self.range].contains(&Policy::Problem)
    }
}

/// Why a column does not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    Date,
    Range,
    Text,
    /// The type was checked before the first row, so that this is a fault of the server or of this crate.
    Nature,
}
