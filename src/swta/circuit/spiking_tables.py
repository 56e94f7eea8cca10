"""Source data of the spiking motif's figures, as tables with a row per network."""

from __future__ import annotations

import pandas as pd

from swta.cells.classes import LABELS
from swta.circuit.bistability import BoundaryResult, LoopResult
from swta.circuit.lesions import VariantResult
from swta.circuit.spiking_experiments import ModulationCurves, RestoredResult, TransferResult
from swta.circuit.spiking_measures import measure_rival_fraction, measure_winner_amplification


def tabulate_transfer(result: TransferResult) -> pd.DataFrame:
    """A row per ratio and network: rates (Hz), winner gain and loser fraction."""
    gain, fraction = measure_winner_amplification(result), measure_rival_fraction(result)
    rows = []
    for k, ratio in enumerate(result.ratios):
        for s in range(gain.shape[1]):
            rows.append(
                {
                    "input_ratio": ratio,
                    "network": s,
                    "strong_hz": result.together[k, s, 0],
                    "rival_hz": result.together[k, s, 1],
                    "rival_alone_hz": result.rival_alone[k, s, 1],
                    "strong_no_ee_hz": result.without_recurrence[k, s, 0],
                    "rival_no_ee_hz": result.without_recurrence[k, s, 1],
                    "winner_gain": gain[k, s],
                    "loser_fraction": fraction[k, s],
                }
            )
    return pd.DataFrame(rows)


def tabulate_variants(result: VariantResult) -> pd.DataFrame:
    """A row per variant, function and network."""
    index = pd.MultiIndex.from_product(
        [result.variants, result.functions, range(result.values.shape[2])],
        names=["variant", "function", "network"],
    )
    return pd.DataFrame({"value": result.values.ravel()}, index=index).reset_index()


def tabulate_modulation(curves: ModulationCurves) -> pd.DataFrame:
    """A row per driven class, level (kHz), drive (kHz) and network: rate of unit 0 (Hz)."""
    index = pd.MultiIndex.from_product(
        [
            [LABELS[name] for name in curves.handles],
            curves.levels_khz,
            curves.drives_khz,
            range(curves.rates.shape[3]),
        ],
        names=["class", "extra_khz", "drive_khz", "network"],
    )
    return pd.DataFrame({"rate_hz": curves.rates[..., 0].ravel()}, index=index).reset_index()


def tabulate_restored(result: RestoredResult) -> pd.DataFrame:
    """A row per network, pattern and unit: drive (kHz), rate (Hz) with and without E→E."""
    index = pd.MultiIndex.from_product(
        [range(size) for size in result.outputs.shape], names=["network", "pattern", "unit"]
    )
    return pd.DataFrame(
        {
            "drive_khz": result.inputs_khz.ravel(),
            "rate_hz": result.outputs.ravel(),
            "rate_no_ee_hz": result.without_recurrence.ravel(),
        },
        index=index,
    ).reset_index()


def tabulate_loops(result: LoopResult) -> pd.DataFrame:
    """A row per branch, input difference, condition, network and unit: rate (Hz)."""
    index = pd.MultiIndex.from_product(
        [result.differences, result.labels, range(result.up.shape[2]), (0, 1)],
        names=["difference", "condition", "network", "unit"],
    )
    branches = [
        pd.DataFrame({"branch": name, "rate_hz": rates.ravel()}, index=index).reset_index()
        for name, rates in (("rising", result.up), ("falling", result.down))
    ]
    return pd.concat(branches, ignore_index=True)


def tabulate_boundary(result: BoundaryResult) -> pd.DataFrame:
    """A row per drive of VIP cells (kHz), adaptation and network: memory index."""
    index = pd.MultiIndex.from_product(
        [result.vip_khz, result.adaptation, range(result.memory.shape[2])],
        names=["vip_khz", "adaptation", "network"],
    )
    return pd.DataFrame({"memory": result.memory.ravel()}, index=index).reset_index()
