//! What becomes of a value that its column's type cannot hold.

use std::collections::BTreeMap;

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

/// One policy for each way in which a value of a column can be wrong.
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

/// Columns with a policy of their own, whatever is wrong with a value.
pub type Exceptions = BTreeMap<String, Policies>;

/// Reads the exceptions from names and policies.
///
/// # Errors
/// A policy is unknown, or is none for every kind of value.
pub fn exceptions(columns: impl IntoIterator<Item = (String, String)>) -> Result<Exceptions> {
    let one = |(name, value): (String, String)| {
        let policy = read(&format!("columns[{name:?}]"), &value, false)?;
        Ok((name, Policies { dates: policy, text: policy, range: policy }))
    };
    columns.into_iter().map(one).collect()
}

fn read(name: &str, value: &str, replace: bool) -> Result<Policy> {
    match value {
        "error" => Ok(Policy::Error),
        "null" => Ok(Policy::Null),
        "problem" => Ok(Policy::Problem),
        "replace" if replace => Ok(Policy::Replace),
        other => {
            let known = if replace { "error, null, problem, replace" } else { "error, null, problem" };
            Err(Error::Option(format!("{name}={other:?} is no policy; known are {known}")))
        }
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
