"""Reading one picture file, with an error that names it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from swta.data.errors import DataCorrupt


def read_pixels(path: Path) -> tuple[NDArray[np.uint8], str]:
    """Pixels of a picture as they are stored, (H, W) or (H, W, channels), and Pillow's mode.

    Raises:
        DataCorrupt: missing, unreadable or truncated.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture), picture.mode
    except FileNotFoundError:
        raise DataCorrupt(f"{path}: the file is missing") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        size = path.stat().st_size
        raise DataCorrupt(f"{path}: {size} bytes that are no readable picture ({error})") from error
