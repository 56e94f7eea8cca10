"""What the package brings along, so that the book runs on a machine without data or network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BundledSet:
    """A data set that is always there: drawn by code, shipped by a library, or a table of facts.

    ``statement`` is what a caption must say. ``files`` are relative to this package's folder.
    """

    name: str
    title: str
    statement: str
    licence: str
    citation: str
    files: tuple[str, ...] = ()


_OURS = "BSD-3-Clause, with this package"

BUNDLED: dict[str, BundledSet] = {
    bundled.name: bundled
    for bundled in (
        BundledSet(
            "uci",
            "UCI optical recognition of handwritten digits, 1,797 digits of 8 x 8",
            "UCI handwritten digits (8 x 8 pixels, as in scikit-learn), enlarged",
            "CC BY 4.0, shipped with scikit-learn",
            "Alpaydin and Kaynak, UCI Machine Learning Repository 1998",
        ),
        BundledSet(
            "rendered",
            "Digits drawn from fonts",
            "digits drawn from fonts by this package, not handwriting",
            _OURS,
            "this package",
        ),
        BundledSet(
            "rendered_clutter",
            "Digits drawn from fonts, blended with procedural backgrounds",
            "digits drawn from fonts over procedural backgrounds, not MNIST-M",
            _OURS,
            "this package",
        ),
        BundledSet(
            "rendered_street",
            "Coloured digits drawn from fonts, with neighbours, like house numbers",
            "coloured digits drawn from fonts with neighbouring digits, not photographs",
            _OURS,
            "this package",
        ),
        BundledSet(
            "procedural_streets",
            "Street scenes drawn by code, with labels",
            "street scenes drawn by this package, not photographs",
            _OURS,
            "this package",
        ),
        BundledSet(
            "class_statistics",
            "Median and quartiles of the physiology of each class of cells",
            "published statistics of each class (n, median, quartiles), not single cells",
            "facts, with their citations",
            "gouwens2019, gouwens2020, berg2021, chartrand2023, teeter2018",
            ("bundled_tables/class_statistics.csv",),
        ),
    )
}

PACKAGE_FOLDER = Path(__file__).parent
