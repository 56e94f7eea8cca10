"""What each physiology table must look like: its columns and which values are possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Bounds:
    """The values a column may take; ``why`` is printed when one is outside."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    why: str = ""

    def allow(self, value: float) -> bool:
        """Whether ``value`` is inside the bounds."""
        above = value > self.low if self.open_low else value >= self.low
        return above and value <= self.high


POSITIVE: Final = Bounds(low=0.0, open_low=True, why="must be above 0")
NOT_NEGATIVE: Final = Bounds(low=0.0, why="must not be negative")
FRACTION: Final = Bounds(low=0.0, high=1.0, why="must be between 0 and 1")
# A membrane potential or an extremum of one; wide enough for bridge artefacts at large steps.
VOLTAGE_MV: Final = Bounds(low=-250.0, high=150.0, why="is no membrane potential in mV")


@dataclass(frozen=True)
class Schema:
    """Columns of one table.

    ``text`` and ``flags`` (True/False) columns are read as they are, every other column must hold
    numbers; blanks mean "not measured". The columns of ``required`` and of ``bounds`` must exist.
    """

    required: tuple[str, ...]
    text: tuple[str, ...]
    flags: tuple[str, ...] = ()
    bounds: tuple[tuple[str, Bounds], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be there, in order of mention."""
        return tuple(dict.fromkeys((*self.required, *(name for name, _ in self.bounds))))


def _each(bounds: Bounds, *columns: str) -> tuple[tuple[str, Bounds], ...]:
    return tuple((column, bounds) for column in columns)


_CELL_TYPES = Schema(
    required=("specimen_id", "class", "line_name", "area", "layer", "dendrite_type", "adaptation"),
    text=(
        *("class", "specimen_name", "line_name", "reporter_status", "area", "layer"),
        *("structure_name", "dendrite_type", "apical"),
    ),
    flags=("has_burst", "has_delay", "has_pause"),
    bounds=(
        *_each(POSITIVE, "ri", "input_resistance_mohm", "tau", "threshold_i_long_square"),
        *_each(POSITIVE, "avg_isi", "latency", "upstroke_downstroke_ratio_long_square"),
        *_each(VOLTAGE_MV, "vrest", "threshold_v_long_square", "peak_v_long_square"),
        *_each(VOLTAGE_MV, "fast_trough_v_long_square", "trough_v_long_square", "vm_for_sag"),
    ),
)

_GOUWENS = Schema(
    required=(
        *("specimen_id", "class", "t_type", "layer", "structure_acronym", "f_i_curve_slope"),
        *("adaptation", "ipfx_fi_fit_slope", "ipfx_hero_stim_amp"),
    ),
    text=(
        *("class", "t_class", "t_subclass", "t_type", "met_type", "layer", "genotype", "area"),
        *("dendrite_type_(aspiny_or_sparsely_spiny)", "fluorescent_protein_positive", "sex"),
        *("structure_acronym", "donor_name"),
    ),
    bounds=(
        *_each(POSITIVE, "tau", "ipfx_tau", "ipfx_input_resistance", "ipfx_rheo_width"),
        *_each(POSITIVE, "threshold_i_long_square_pA", "ipfx_rheobase_i", "avg_isi"),
        *_each(NOT_NEGATIVE, "ipfx_hero_avg_rate", "latency"),
        *_each(VOLTAGE_MV, "vrest_mV", "threshold_v_long_square_mV", "peak_v_long_square_mV"),
        *_each(VOLTAGE_MV, "fast_trough_v_long_square_mV", "ipfx_v_baseline"),
    ),
)

_BERG = Schema(
    required=("specimen_id", "class", "t_type", "fi_fit_slope", "adapt_mean"),
    text=("class", "genotype_label", "t_type"),
    bounds=(
        *_each(POSITIVE, "input_resistance", "tau", "rheobase_i", "width_long_square"),
        *_each(NOT_NEGATIVE, "avg_rate_hero", "latency_rheo"),
        *_each(VOLTAGE_MV, "v_baseline", "threshold_v_long_square"),
    ),
)

_CHARTRAND = Schema(
    required=(
        *("specimen_id", "subclass", "t_type", "structure", "layer_ccf", "fi_fit_slope"),
        *("adapt_mean", "failed_qc", "in_gouwens2020"),
    ),
    text=("subclass", "t_type", "structure", "layer_ccf", "cre"),
    flags=(
        *("tx_qc", "core_l1_type", "failed_blowout", "failed_electrode_0", "failed_seal"),
        *("failed_input_access_resistance", "failed_qc", "in_gouwens2020"),
    ),
    bounds=(
        *_each(POSITIVE, "input_resistance", "tau", "rheobase_i", "width_rheo"),
        *_each(NOT_NEGATIVE, "avg_rate_hero", "avg_rate_max", "latency_rheo"),
        *_each(VOLTAGE_MV, "v_baseline", "threshold_v_rheo", "peak_v_rheo"),
    ),
)

_SCALA = Schema(
    required=("Cell", "RNA family", "RNA type", "Inferred layer"),
    text=(
        *("Cell", "Mouse", "Targeted layer", "Inferred layer", "Cre", "RNA family", "RNA type"),
        *("Length (bp)", "Soma depth (µm)", "Exclusion reasons", "cell id"),
    ),
    bounds=(
        *_each(POSITIVE, "Input resistance (MOhm)", "Membrane time constant (ms)"),
        *_each(POSITIVE, "AP width (ms)"),
        *_each(NOT_NEGATIVE, "Rheobase (pA)"),
        *_each(VOLTAGE_MV, "Resting membrane potential (mV)", "AP threshold (mV)"),
    ),
)

_SWEEPS = Schema(
    required=(
        *("specimen_id", "class", "line_name", "area", "layer", "dendrite_type", "current_pA"),
        *("sweep_number", "source", "stim_duration_s"),
    ),
    text=("class", "line_name", "area", "layer", "dendrite_type", "source"),
    bounds=(
        *_each(NOT_NEGATIVE, "n_spikes", "mean_rate_hz", "first_spike_time_ms"),
        *_each(VOLTAGE_MV, "v_steady_mV", "v_min_mV", "v_max_mV", "pre_vm_mV"),
    ),
)

_TEETER = Schema(
    required=("specimen_id", "cre", "class", "area", "layer", "reset_slope", "asc1_pA", "asc2_pA"),
    text=("cre", "class", "area", "layer", "dendrite_type"),
    bounds=(
        *_each(POSITIVE, "R_MOhm", "C_pF", "tau_ms", "spike_cut_ms", "asc1_tau_ms", "asc2_tau_ms"),
        *_each(VOLTAGE_MV, "El_mV", "th_inf_abs_mV"),
    ),
)

_GLIF3 = Schema(
    required=(
        *("specimen_id", "pop_name", "line_name", "area", "layer", "asc1_amp_pA"),
        *("model_rheobase_pA", "model_fi_slope_hz_per_pA"),
    ),
    text=("pop_name", "line_name", "area", "layer"),
    bounds=(
        *_each(POSITIVE, "g_nS", "C_m_pF", "tau_m_ms", "t_ref_ms"),
        *_each(POSITIVE, "asc1_decay_per_ms", "asc2_decay_per_ms"),
        *_each(VOLTAGE_MV, "E_L_mV", "V_th_mV", "V_reset_mV"),
    ),
)

_DESCRIBED = Schema(
    required=("metric", "unit", "pre", "post", "mean", "q25", "median", "q75"),
    text=("metric", "unit", "pre", "post"),
    bounds=(*_each(POSITIVE, "n"), *_each(NOT_NEGATIVE, "sd")),
)

_COUNTS = Schema(
    required=("snapshot", "pre", "post", "layer"),
    text=("snapshot", "pre", "post", "layer"),
    bounds=(
        *_each(NOT_NEGATIVE, "n_connected"),
        *_each(POSITIVE, "n_probed"),
        *_each(FRACTION, "p", "ci95_low", "ci95_high"),
    ),
)

_POOLED = Schema(
    required=("metric", "unit", "statistic", "pre", "post", "value", "source"),
    text=("metric", "unit", "statistic", "pre", "post", "source"),
)

_NDNF = Schema(
    required=("quantity", "unit", "ndnf_cell"),
    text=("quantity", "unit"),
    bounds=_each(POSITIVE, "control", "baclofen", "cgp"),
)

_PSP = Schema(
    required=("connection", "pre", "post", "syntype"),
    text=("connection", "pre", "post", "syntype"),
    bounds=(
        *_each(NOT_NEGATIVE, "N_90th", "N_resting", "median_90th", "median_resting"),
        *_each(NOT_NEGATIVE, "mean_90th", "mean_resting", "std_90th", "std_resting"),
    ),
)

_POPULATIONS = (
    *("i1Htr3a", "e23Cux2", "i23Vip", "i23Pvalb", "i23Sst", "e4Nr5a1", "e4Rorb", "e4Scnn1a"),
    *("e4other", "i4Vip", "i4Pvalb", "i4Sst", "e5IT", "e5ET", "e5NP", "i5Vip", "i5Pvalb"),
    *("i5Sst", "e6Ntsr1", "i6Vip", "i6Pvalb", "i6Sst"),
)
_LOOKUP = Schema(required=("pre", *_POPULATIONS), text=("pre", *_POPULATIONS))

_NAMING_TEXT = (
    *("pop_name", "layer", "ei", "class", "class2", "cell_type", "cell_type_old"),
    *("cell_type_synaptic", "cell_type_v1dd", "cell_type_resource_table", "cell_type_psp"),
    *("hex", "hex_bright"),
)

_BY_VERSION = Schema(
    required=("version", "commit", "path", "pre", "post"),
    text=("version", "commit", "path", "pre", "post"),
    bounds=(
        *_each(FRACTION, "probability", "is_pmax"),
        *_each(POSITIVE, "R0_um", "sigma_um"),
    ),
)


def _matrix(bounds: Bounds, *columns: str) -> Schema:
    return Schema(required=("pre",), text=("pre",), bounds=_each(bounds, *columns))


_SYNAPTIC = ("exc", "e23", "e4", "e5et", "e5it", "e5np", "e6", "pv", "sst", "vip", "inh")

# The table's path under the data set's folder, without the extension.
SCHEMAS: Final[dict[str, Schema]] = {
    "cells/allen_cell_types_mouse": _CELL_TYPES,
    "cells/gouwens2020_patchseq_mouse_vis": _GOUWENS,
    "cells/berg2021_patchseq_mouse_l23_pyramidal": _BERG,
    "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types": _CHARTRAND,
    "cells/scala2021_patchseq_mouse_m1_room_temp": _SCALA,
    "cells/scala2021_patchseq_mouse_m1_34C": _SCALA,
    "fi/allen_long_square_sweeps": _SWEEPS,
    "models/teeter2018_glif_mouse": _TEETER,
    "models/v1_glif3_models": _GLIF3,
    "synapses/synphys_connection_counts_l23": _COUNTS,
    "synapses/synphys_synapse_stats_by_class": _DESCRIBED,
    "synapses/synphys_pooled_matrices": _POOLED,
    "synapses/synphys_electrical_synapses": _DESCRIBED,
    "synapses/ndnf_som_input_naumann2025": _NDNF,
    "synapses/biorealistic_v1/amp_slow": _matrix(NOT_NEGATIVE, *_SYNAPTIC),
    "synapses/biorealistic_v1/b_ratio": _matrix(FRACTION, "e", "i"),
    "synapses/biorealistic_v1/cell_type_naming_scheme": Schema(_NAMING_TEXT, _NAMING_TEXT),
    "synapses/biorealistic_v1/conn_props_l23_by_version": _BY_VERSION,
    "synapses/biorealistic_v1/pmax_matrix_v1dd": _matrix(
        FRACTION, "L1_Inh", "L2/3_Exc", "L2/3_PV", "L2/3_SST", "L2/3_VIP"
    ),
    "synapses/biorealistic_v1/psp_characterization": _PSP,
    "synapses/biorealistic_v1/psp_lookup_table": _LOOKUP,
    "synapses/biorealistic_v1/sigma": _matrix(POSITIVE, "e", "i"),
    "synapses/biorealistic_v1/syn_types_latency": _matrix(
        POSITIVE, "e23", "e4", "e5et", "e5it", "e5np", "e6", "pv", "sst", "vip"
    ),
    "synapses/biorealistic_v1/tau_syn_fast": _matrix(POSITIVE, *_SYNAPTIC),
    "synapses/biorealistic_v1/tau_syn_slow": _matrix(POSITIVE, *_SYNAPTIC),
    "class_summary": Schema(
        required=("source", "selection", "class", "feature", "median"),
        text=("source", "selection", "class", "feature", "citation"),
        bounds=(*_each(POSITIVE, "n"),),
    ),
}
