//! Keys out of a binlog: which rows of some tables changed, told by the row events of MySQL and MariaDB.
//!
//! [`pass::Pass`] is the core: it takes the bytes that a server sends after a dump command, split anyhow, and keeps of
//! each wanted table the keys of the rows that changed. Other columns are passed over by their lengths and never become
//! values. It does no input or output. Like a replica it trusts what a server writes of itself, and like a careful one
//! it says of a table, not of the whole stream, what it could not read.

pub mod bits;
pub mod command;
pub mod compressed;
pub mod decode;
pub mod event;
pub mod gtid;
pub mod image;
pub mod key;
pub mod keys;
pub mod layout;
pub mod pass;
pub mod query;
pub mod rows;
pub mod session;
pub mod tables;
pub mod xa;
