"""Small tables of synapses with known values, in place of the measured ones."""

import itertools

import pandas as pd

from swta.cells.synapses.measured import METRICS, TABLES

GROUPS = ("l23pyr", "l4pyr", "l5et", "l5it", "l6pyr", "pv", "sst", "vip")
EXCITATORY = GROUPS[:5]
CLASSES = ("Pyr", "Pvalb", "Sst", "Vip")
SIZES = {
    "latency": 1.2,
    "psp_rise_time": 4.0,
    "psp_decay_tau": 25.0,
    "psp_amplitude": 0.4,
    "pulse_amp_90th_percentile": 0.8,
    "stp_induction_50hz": 0.2,
}


def described(n=10.0):
    rows = []
    for metric, pre, post in itertools.product(METRICS, GROUPS, GROUPS):
        sign = -1.0 if pre not in EXCITATORY and "amp" in metric else 1.0
        middle = sign * SIZES[metric]
        rows.append(
            {
                "metric": metric,
                "unit": "",
                "pre": pre,
                "post": post,
                "n": n,
                "mean": 1.1 * middle,
                "median": middle,
                "q25": middle - 0.3 * abs(middle),
                "q75": middle + 0.3 * abs(middle),
            }
        )
    return pd.DataFrame(rows)


def make_tables():
    """One table for each that is read, by its name."""
    pairs = list(itertools.product(CLASSES, CLASSES))
    versions = pd.DataFrame(
        [
            {
                "version": "2023-06-07",
                "path": "p.json",
                "pre": a,
                "post": b,
                "probability": 0.4,
                "is_pmax": 1.0,
            }
            for a, b in pairs
        ]
    )
    counts = pd.DataFrame(
        [
            {
                "snapshot": "aisynphys_doc_tutorial_545a990",
                "pre": a,
                "post": b,
                "n_connected": 20,
                "n_probed": 100,
                "p": 0.2,
                "ci95_low": 0.13,
                "ci95_high": 0.29,
            }
            for a, b in pairs
        ]
    )
    pooled = pd.DataFrame(
        [{"metric": "stp_recovery_250ms", "pre": a, "post": b, "value": 0.05} for a, b in pairs]
    )
    populations = ["L1_Inh", "L2/3_Exc", "L2/3_PV", "L2/3_SST", "L2/3_VIP"]
    microscopy = pd.DataFrame(
        [{"pre": pre} | dict.fromkeys(populations, 0.1) for pre in (*populations, "L4_Exc")]
    )
    potentials = pd.DataFrame(
        [
            {
                "connection": f"{a}__to__{b}",
                "pre": a,
                "post": b,
                "logn_shape_90th": 0.6,
                "N_90th": 12.0,
            }
            for a in ("all_pyr", "all_int", "l23_pyr", "pvalb")
            for b in ("l23_pyr", "pvalb", "sst", "vip", "all_int")
        ]
    )
    ndnf = pd.DataFrame(
        [
            {"quantity": f"som_to_ndnf_ppr_{hertz}hz", "ndnf_cell": k, "control": 0.8 + 0.02 * k}
            for hertz in (10, 20)
            for k in range(9)
        ]
    )
    made = {
        "statistics": described(),
        "counts": counts,
        "pooled": pooled,
        "ndnf": ndnf,
        "probabilities": versions,
        "microscopy": microscopy,
        "sigma": pd.DataFrame(
            [{"pre": "e", "e": 120.0, "i": 100.0}, {"pre": "i", "e": 90.0, "i": 110.0}]
        ),
        "potentials": potentials,
    }
    for key, table in made.items():
        table.attrs["file"] = f"{TABLES[key]}.csv"
    return {TABLES[key]: table for key, table in made.items()}
