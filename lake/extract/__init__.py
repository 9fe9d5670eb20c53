"""MySQL to Parquet: a consistent snapshot, key-range chunks, Arrow batches, a manifest. `changes` finds what to read."""
