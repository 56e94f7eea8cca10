"""What can go wrong with data, one class for each remedy."""

from __future__ import annotations

import struct
import zipfile
import zlib

# What NumPy and zipfile raise at a damaged archive of arrays: a flipped bit may ask for encryption,
# for an unknown compression, or for an array larger than the memory.
UNREADABLE_ARRAYS = (
    OSError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    MemoryError,
    OverflowError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


class DataUnavailable(FileNotFoundError):
    """No copy of a data set was found; the message says where was looked, why not, what to do."""


class DataCorrupt(ValueError):
    """A file was found but is not what it must be; the message names it, expected and found."""


class DownloadError(OSError):
    """A download did not work out; the message says which URL, what was expected and what came."""
