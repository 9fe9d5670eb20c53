"""The decoder in plain Python: what the extension does, for machines where it could not be built.

The same classes, types, policies and hashes; a hundred times slower. It builds its batches with pyarrow.
"""

from mysql_arrow._fallback.decoder import Decoder
from mysql_arrow._fallback.stream import Stream

__all__ = ["Decoder", "Stream"]
