"""MySQL to Parquet: key-range chunks, Arrow batches, a manifest."""
