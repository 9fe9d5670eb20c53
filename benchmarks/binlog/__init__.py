"""How fast a binlog is read: `make bench-binlog`."""
