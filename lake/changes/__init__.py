"""What changed in a table since the run before: by its binlog, by a cursor, or by comparison."""
