"""The decoder in plain Python: what the extension does, for machines where it could not be built.

The same classes, types, policies and hashes, three to five times slower. Python finds the rows (`wire`, `decoder`).
Values are read by pyarrow, a column of a batch at a time (`cut`, `bulk`), and where that leaves doubt by Python, one at
a time (`values`, `convert`); `cells` and `rows` make columns, batches and hashes of both.
"""

from mysql_arrow._fallback.decoder import Decoder
from mysql_arrow._fallback.hashed import row_hashes
from mysql_arrow._fallback.stream import Stream

__all__ = ["Decoder", "Stream", "row_hashes"]
