"""The five cell classes: names as in the data, labels as in the text, colours in all figures."""

from __future__ import annotations

from typing import Final

CLASSES: Final = ("Pyr", "Pvalb", "Sst", "Vip", "Lamp5")
INTERNEURONS: Final = CLASSES[1:]

LABELS: Final = {"Pyr": "Pyr", "Pvalb": "PV", "Sst": "SST", "Vip": "VIP", "Lamp5": "LAMP5"}

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), told apart by colour-blind readers.
COLOURS: Final = {
    "Pyr": "#D55E00",
    "Pvalb": "#0072B2",
    "Sst": "#E69F00",
    "Vip": "#009E73",
    "Lamp5": "#CC79A7",
}
