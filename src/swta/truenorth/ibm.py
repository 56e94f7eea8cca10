"""IBM's model files, read and written.

A model file is JSON-like text: a header, the neuron types, perhaps a library of crossbars, and the
cores one after the other under the same key (as the Corelet tools of IBM write it; examples in the
public NeMo repository).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from swta.truenorth.chip import Chip, Core, OpenPoints
from swta.truenorth.ibmtext import (
    Fields,
    as_fields,
    as_flag,
    as_list,
    as_text,
    compress,
    expand,
    parse,
    read_text,
    write_text,
)
from swta.truenorth.neuron import (
    MAX_CORES,
    MAX_POTENTIAL,
    MAX_THRESHOLD,
    MAX_WEIGHT,
    MIN_POTENTIAL,
    N_AXON_TYPES,
    N_AXONS,
    N_NEURONS,
    Neurons,
)
from swta.validation import ParameterError, check_integer

OUTPUT_CORE: Final = -32  # written for a neuron whose spikes leave the chip; any negative is read
DEFAULT_SEED: Final = 2**32 - 1

_HEADER: Final = (
    "neuronclass",
    "neuronClass",
    "crossbarclass",
    "buildKey64",
    "networking",
    "useCrossbarPrototypes",
)
_TYPE_FIELDS: Final = (
    *(f"{name}{g}" for name in ("sigma", "s", "b") for g in range(N_AXON_TYPES)),
    *("sigma_lambda", "lambda", "c_lambda", "epsilon", "alpha", "beta", "TM", "gamma", "kappa"),
    *("sigma_VR", "VR", "V"),
)
_SYNAPSES: Final = re.compile(r"[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2}){31}")


@dataclass(frozen=True, eq=False)
class ModelFile:
    """What a model file holds."""

    cores: tuple[Core, ...]
    seeds: tuple[int, ...]  # rngSeed of each core, 32 bit

    def chip(self, *, open_points: OpenPoints | None = None) -> Chip:
        """Return the chip.

        Raises:
            ParameterError: the cores have different seeds; the emulator has one for all.
        """
        if len(set(self.seeds)) > 1:
            raise ParameterError(
                f"rngSeed differs between cores ({self.seeds[0]}, ...); the emulator's generator "
                "has one seed for the chip. Build Chip(model.cores, seed=...) with one of your own"
            )
        return Chip(self.cores, seed=self.seeds[0], open_points=open_points)


def save_model(
    path: str | Path, cores: Sequence[Core], *, seeds: Sequence[int] | None = None
) -> None:
    """Write cores as a model file; an existing file is replaced when the new one is complete.

    Args:
        path: the file.
        cores: in the order in which ``target_core`` counts them.
        seeds: ``rngSeed`` of each core, 32 bit; default all ones.

    Raises:
        ParameterError: a reset value other than 0, ±1, ±3, ±7, ..., which the file cannot hold.
    """
    check_integer("number of cores", len(cores), low=1, high=MAX_CORES)
    chosen = [DEFAULT_SEED] * len(cores) if seeds is None else list(seeds)
    if len(chosen) != len(cores):
        raise ParameterError(f"{len(chosen)} seeds for {len(cores)} cores; give one for each")
    types: dict[tuple[int, ...], int] = {}
    bodies = []
    for index, (core, seed) in enumerate(zip(cores, chosen, strict=True)):
        check_integer(f"core {index}: seed", seed, low=0, high=DEFAULT_SEED)
        numbers = [types.setdefault(row, len(types) + 1) for row in _type_rows(core.neurons, index)]
        bodies.append(_write_core(core, index, seed, numbers))
    header = {
        "coreCount": len(cores),
        "neuronclass": "NeuronGeneral",
        "crossbarSize": N_NEURONS,
        "crossbarclass": "CrossbarBinary",
        "networking": "INTRA",
    }
    library = ",\n".join(
        json.dumps(
            {"name": f"N{number:08d}", "class": "NeuronGeneral"}
            | dict(zip(_TYPE_FIELDS, row, strict=True))
        )
        for row, number in types.items()
    )
    parts = [f'"model":{json.dumps(header)}', f'"neuronTypes":[\n{library}\n]', *bodies]
    write_text(path, "{\n" + ",\n".join(parts) + "\n}\n")


def load_model(path: str | Path) -> ModelFile:
    """Read a model file.

    Raises:
        ParameterError: the file is damaged or says what the chip cannot do; the message names the
            line, or the field, its value and what is allowed.
    """
    content = as_fields(parse(read_text(path), str(path)), str(path))
    described = [value for key, value in content.pairs if key == "core"]
    rest = Fields([pair for pair in content.pairs if pair[0] != "core"])
    top = rest.check("model file", required=("model", "neuronTypes"), optional=("crossbarTypes",))
    header = as_fields(top["model"], "model").check(
        "model", required=("coreCount", "crossbarSize"), optional=_HEADER
    )
    check_integer("crossbarSize", header["crossbarSize"], low=N_NEURONS, high=N_NEURONS)
    count = check_integer("coreCount", header["coreCount"], low=1, high=MAX_CORES)
    if len(described) != count:
        raise ParameterError(f"coreCount = {count}, but the file describes {len(described)} cores")
    types = _read_types(top["neuronTypes"])
    library = {}
    for k, entry in enumerate(as_list(top.get("crossbarTypes", []), "crossbarTypes")):
        where = f"crossbarTypes[{k}]"
        item = as_fields(entry, where).check(where, required=("name", "crossbar"))
        library[as_text(item["name"], f"{where}: name")] = _read_crossbar(
            item["crossbar"], where, {}
        )
    cores: dict[int, tuple[Core, int]] = {}
    for k, entry in enumerate(described):
        fields = as_fields(entry, f"core number {k} of the file").check(
            f"core number {k} of the file",
            required=("id", "neurons", "crossbar"),
            optional=("rngSeed", "timeScaleExponent", "metadata"),
        )
        index = check_integer(
            f"core number {k} of the file: id", fields["id"], low=0, high=count - 1
        )
        if index in cores:
            raise ParameterError(f"two cores have id = {index}; each from 0 to {count - 1} once")
        check_integer(
            f"core {index}: timeScaleExponent",
            fields.get("timeScaleExponent", 0),
            low=0,
            high=0,
            hint="Only ticks of 1 ms are known",
        )
        seed = check_integer(
            f"core {index}: rngSeed", fields.get("rngSeed", DEFAULT_SEED), low=0, high=DEFAULT_SEED
        )
        cores[index] = _read_core(fields, index, count, types, library), seed
    return ModelFile(
        cores=tuple(cores[k][0] for k in range(count)),
        seeds=tuple(cores[k][1] for k in range(count)),
    )


def _type_rows(neurons: Neurons, core: int) -> list[tuple[int, ...]]:
    """Return the values of ``_TYPE_FIELDS`` of each neuron."""
    f = {
        name: np.asarray(value, dtype=np.int64)
        for name, value in vars(neurons).items()
        if name != "core"
    }
    size = np.abs(f["reset"]) + 1
    exponent = np.round(np.log2(size)).astype(np.int64)
    wrong = np.flatnonzero(2**exponent != size)
    if wrong.size:
        raise ParameterError(
            f"core {core}, neuron {wrong[0]}: reset = {f['reset'][wrong[0]]} cannot be written; "
            "the file holds 0, ±1, ±3, ±7, ... ±(2^k - 1)"
        )
    columns = np.column_stack(
        [
            _signs(f["weights"]),
            np.abs(f["weights"]),
            f["stochastic_synapse"],
            _signs(f["leak"]),
            np.abs(f["leak"]),
            f["stochastic_leak"],
            f["leak_reversal"],
            f["threshold"],
            f["negative_threshold"],
            f["threshold_mask_bits"],
            f["reset_mode"],
            f["negative_saturate"],
            _signs(f["reset"]),
            exponent,
            f["potential"],
        ]
    )
    return [tuple(row) for row in columns.tolist()]


def _signs(values: np.ndarray) -> np.ndarray:
    return np.where(values < 0, -1, 1)


def _write_core(core: Core, index: int, seed: int, types: Sequence[int]) -> str:
    target = np.asarray(core.neurons.target_core)
    neurons = {
        "dendrites": ["0:255"],
        "types": compress(types),
        "destCores": compress(np.where(target < 0, OUTPUT_CORE, target)),
        "destAxons": compress(np.asarray(core.neurons.target_axon)),
        "destDelays": compress(np.asarray(core.neurons.delay)),
    }
    packed = np.packbits(np.asarray(core.crossbar), axis=1)
    rows = ",\n".join(
        f'{{"type":"S{axon_type}","synapses":"{row.tobytes().hex(" ").upper()}"}}'
        for axon_type, row in zip(np.asarray(core.axon_type), packed, strict=True)
    )
    start = f'"id":{index},"timeScaleExponent":0,"rngSeed":{seed},"neurons":{json.dumps(neurons)}'
    return f'"core":{{{start},"crossbar":{{"rows":[\n{rows}\n]}}}}'


def _read_types(value: Any) -> dict[str, dict[str, Any]]:
    """Return the fields of ``Neurons`` of each neuron type by its name."""
    types: dict[str, dict[str, Any]] = {}
    for k, entry in enumerate(as_list(value, "neuronTypes")):
        where = f"neuronTypes[{k}]"
        given = as_fields(entry, where).check(
            where, required=("name", *_TYPE_FIELDS), optional=("class",)
        )
        name = as_text(given["name"], f"{where}: name")
        if name in types:
            raise ParameterError(f"{where}: name = {name!r} is used twice")

        def number(field: str, low: int, high: int, where: str = where, given: Any = given) -> int:
            return check_integer(f"{where}: {field}", given[field], low=low, high=high)

        def flag(field: str, where: str = where, given: Any = given) -> bool:
            return as_flag(given[field], f"{where}: {field}")

        def sign(field: str, number: Any = number, where: str = where) -> int:
            found = int(number(field, -1, 1))
            if found == 0:
                raise ParameterError(f"{where}: {field} = 0; allowed: -1, 1")
            return found

        kinds = range(N_AXON_TYPES)
        types[name] = {
            "weights": [sign(f"sigma{g}") * number(f"s{g}", 0, MAX_WEIGHT) for g in kinds],
            "stochastic_synapse": [flag(f"b{g}") for g in kinds],
            "leak": sign("sigma_lambda") * number("lambda", 0, MAX_WEIGHT),
            "stochastic_leak": flag("c_lambda"),
            "leak_reversal": flag("epsilon"),
            "threshold": number("alpha", 0, MAX_THRESHOLD),
            "negative_threshold": number("beta", 0, MAX_THRESHOLD),
            "threshold_mask_bits": number("TM", 0, 18),
            "reset_mode": number("gamma", 0, 2),
            "negative_saturate": flag("kappa"),
            "reset": sign("sigma_VR") * (2 ** number("VR", 0, MAX_POTENTIAL.bit_length()) - 1),
            "potential": number("V", MIN_POTENTIAL, MAX_POTENTIAL),
        }
    return types


def _read_crossbar(
    value: Any, where: str, library: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return axon types and connections, of a crossbar written out or named."""
    where = f"{where}: crossbar"
    given = as_fields(value, where).check(where, required=(), optional=("rows", "name"))
    if "rows" not in given:
        name = as_text(given.get("name"), f"{where}: name")
        if name not in library:
            raise ParameterError(f"{where}: name = {name!r} is not among the crossbarTypes")
        return library[name]
    rows = as_list(given["rows"], f"{where}: rows")
    if len(rows) != N_AXONS:
        raise ParameterError(f"{where} has {len(rows)} rows; allowed: {N_AXONS}")
    types = np.zeros(N_AXONS, dtype=np.uint8)
    packed = np.zeros((N_AXONS, N_NEURONS // 8), dtype=np.uint8)
    for axon, entry in enumerate(rows):
        place = f"{where}, row {axon}"
        row = as_fields(entry, place).check(place, required=("type", "synapses"))
        if row["type"] not in ("S0", "S1", "S2", "S3"):
            raise ParameterError(f"{place}: type = {row['type']!r}; allowed: S0, S1, S2, S3")
        text = as_text(row["synapses"], f"{place}: synapses")
        if not _SYNAPSES.fullmatch(text):
            raise ParameterError(
                f"{place}: synapses = {text[:20]!r}... ; allowed: {N_NEURONS // 8} bytes, two "
                "hexadecimal digits each, with a space between"
            )
        types[axon] = int(row["type"][1])
        packed[axon] = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    return types, np.unpackbits(packed, axis=1).astype(bool)


def _read_core(
    fields: dict[str, Any],
    index: int,
    count: int,
    types: dict[str, dict[str, Any]],
    library: dict[str, tuple[np.ndarray, np.ndarray]],
) -> Core:
    where = f"core {index}"
    axon_type, crossbar = _read_crossbar(fields["crossbar"], where, library)
    columns = _read_neurons(fields["neurons"], where)
    names = columns.pop("type")
    for neuron, name in enumerate(names):
        if name not in types:
            raise ParameterError(f"{where}, neuron {neuron}: type {name!r} is unknown")
        target = columns["destCore"][neuron]
        if target >= count:
            raise ParameterError(
                f"{where}, neuron {neuron}: destCore = {target} is out of range; allowed: 0 … "
                f"{count - 1}, or negative for output"
            )
    dendrites = columns["dendrite"]
    if sorted(dendrites) != list(range(N_NEURONS)):
        raise ParameterError(f"{where}: dendrites must name each of 0 … {N_NEURONS - 1} once")
    first = next(iter(types.values()))
    axon = columns["destAxon"]
    target = np.maximum(columns["destCore"], -1)
    neurons = Neurons(
        target_core=target,
        target_axon=np.where((target < 0) & (np.array(axon) < 0), 0, axon),
        delay=columns["delay"],
        core=index,
        **{field: [types[name][field] for name in names] for field in first},
    )
    return Core(axon_type, crossbar[:, dendrites], neurons)


def _read_neurons(value: Any, where: str) -> dict[str, list[Any]]:
    """Return type names, dendrites and destinations from either form of the ``neurons`` field."""
    where = f"{where}: neurons"
    keys = ("dendrite", "destCore", "destAxon", "delay")
    if isinstance(value, Fields):
        plural = {"dendrite": "dendrites", "destCore": "destCores", "destAxon": "destAxons"}
        plural["delay"] = "destDelays"
        given = value.check(where, required=("types", *plural.values()))
        columns: dict[str, list[Any]] = {
            key: expand(given[plural[key]], N_NEURONS, f"{where}: {plural[key]}") for key in keys
        }
        numbers = expand(given["types"], N_NEURONS, f"{where}: types")
        return columns | {"type": [f"N{number:08d}" for number in numbers]}
    entries = as_list(value, where)
    if len(entries) != N_NEURONS:
        raise ParameterError(f"{where} describes {len(entries)} neurons; allowed: {N_NEURONS}")
    columns = {key: [] for key in (*keys, "type")}
    for k, entry in enumerate(entries):
        item = as_fields(entry, f"{where}[{k}]").check(f"{where}[{k}]", required=columns)
        columns["type"].append(as_text(item["type"], f"{where}[{k}]: type"))
        for key in keys:
            columns[key].append(
                check_integer(f"{where}[{k}]: {key}", item[key], low=-(2**31), high=2**31 - 1)
            )
    return columns
