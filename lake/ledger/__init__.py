"""The ledger: what was published, and the proof of it."""
