"""MySQL to Parquet: a consistent snapshot, key-range chunks, Arrow batches, a manifest.

`changes` finds what an increment has to read.
"""
