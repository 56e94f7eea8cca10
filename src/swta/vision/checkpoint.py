"""Checkpoints: a training that is interrupted goes on as if it had not been."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

FORMAT = 2


class CheckpointError(ValueError):
    """A checkpoint that is damaged or belongs to another configuration."""


def save_checkpoint(path: Path, configuration: dict[str, str], state: dict[str, Any]) -> None:
    """Store a training under a temporary name, then rename it to ``path``: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, "configuration": configuration, "state": state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path, configuration: dict[str, str]) -> dict[str, Any] | None:
    """The state stored at ``path``, None where there is no file. No code of the file is run.

    Raises:
        CheckpointError: not a checkpoint, damaged, or made with another configuration.
    """
    if not path.exists():
        return None
    try:
        # random states must lie on the CPU, whatever the training's device
        stored = torch.load(path, map_location="cpu", weights_only=True)
        there, state, kind = stored["configuration"], stored["state"], stored["format"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of a training ({type(error).__name__}). Delete it to "
            "train anew"
        ) from error
    if kind != FORMAT or there != configuration:
        names = sorted(n for n in there.keys() | configuration.keys())
        differing = [n for n in names if there.get(n) != configuration.get(n)]
        told = "; ".join(
            f"{n} is {there.get(n, 'absent')} there, {configuration.get(n, 'absent')} here"
            for n in differing
        )
        raise CheckpointError(
            f"{path} belongs to another configuration: {told or f'format {kind}'}. Choose another "
            "folder, or delete the file to train anew"
        )
    return state


def describe(**parts: Any) -> dict[str, str]:
    """A configuration as flat text: fields of records by name, arrays and modules by a digest."""
    flat: dict[str, str] = {"torch": str(torch.__version__)}
    for name, part in parts.items():
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            for field in dataclasses.fields(part):
                flat[f"{name}.{field.name}"] = repr(getattr(part, field.name))
        elif isinstance(part, np.ndarray):
            flat[name] = digest_array(part)
        elif isinstance(part, nn.Module):
            flat[name] = digest_module(part)
        else:
            flat[name] = repr(part)
    return flat


def digest_array(array: NDArray) -> str:
    """Shape, type and a digest of the values."""
    total = hashlib.blake2b(array.tobytes(), digest_size=8)
    return f"{array.dtype}{array.shape} {total.hexdigest()}"


def digest_module(module: nn.Module) -> str:
    """Class, constants and a digest of all weights and buffers."""
    total = hashlib.blake2b(repr(module).encode(), digest_size=8)
    total.update(repr(getattr(module, "constants", "")).encode())
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        total.update(name.encode())
        total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"{type(module).__name__} {total.hexdigest()}"
