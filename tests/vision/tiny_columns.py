"""A filter small enough to be checked with loops, and how far two arrays are apart."""

import numpy as np

from swta.vision import FilterParameters

# kernels of 7 × 7 px, pools of 5 × 5 px
TINY = FilterParameters(n_orientations=4, wavelength=3.0, envelope=0.8, surround=0.6)


def relative(a, b) -> float:
    """Largest difference relative to the largest value of ``b``."""
    a, b = np.asarray(a), np.asarray(b)
    return float(np.abs(a - b).max() / np.abs(b).max())
