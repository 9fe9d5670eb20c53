"""The layers of the lake: raw, what is held of a table, the marts."""
