"""The shop's database server: its address, its schema, one consistent snapshot, its binlog's position."""
