"""Trainings on disk, so that a killed run loses none: the finished, and how far the others got."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

_PLAIN = (bool, int, float, str, tuple)
_SEAL = hashlib.sha256().digest_size


class Keeper:
    """The files of one training in a folder, named by a key of all that it depends on.

    Arrays are read without pickle and states with ``weights_only``, so that no file here can run
    code. A damaged file is as good as none, and a folder that cannot be written costs a warning.

    Args:
        folder: where they are; made when first needed.
        key: from `training_key`.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.result = folder / f"{key}.npz"
        self.state = folder / f"{key}.pt"

    def load_result(self) -> dict[str, NDArray] | None:
        """The arrays of the finished training; None if it has not been finished here."""
        content = _unseal(self.result)
        if content is None:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def save_result(self, arrays: Mapping[str, NDArray]) -> None:
        """Keep the arrays of a finished training; its state is no longer needed."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        _seal(self.result, buffer.getvalue())
        self.state.unlink(missing_ok=True)

    def load_state(self) -> dict[str, Any] | None:
        """How far the training got; None if it has to begin."""
        content = _unseal(self.state)
        if content is None:
            return None
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Keep how far a training got."""
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        _seal(self.state, buffer.getvalue())


def training_key(*parts: Any, front: nn.Module | None = None) -> str:
    """A key of arrays, records and plain values, a front-end, this package's code and torch."""
    total = hashlib.sha256(torch.__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        total.update(file.read_bytes())
    for part in (*parts, *_describe_front(front)):
        if isinstance(part, np.ndarray):
            total.update(f"{part.dtype} {part.shape}".encode())
            total.update(np.ascontiguousarray(part).data)
        else:
            total.update(repr(part).encode())
    return total.hexdigest()[:32]


def _describe_front(front: nn.Module | None) -> Iterable[Any]:
    if front is None:
        return
    for name, module in front.named_modules():
        yield f"{name}: {type(module).__qualname__}"
        for key, value in sorted(vars(module).items()):
            if isinstance(value, _PLAIN) or is_dataclass(value):
                yield f"{key} = {value!r}"
    for name, tensor in (*front.named_parameters(), *front.named_buffers()):  # kept or not
        yield name
        yield tensor.detach().cpu().numpy()


def _seal(path: Path, content: bytes) -> None:
    """Write content after its checksum, under another name first.

    A full or read-only disk must not end a training.
    """
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(part, path)
    except OSError as error:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        warnings.warn(
            f"{path} cannot be written ({error}): the training goes on, but would begin anew if it "
            "were killed",
            RuntimeWarning,
            stacklevel=4,
        )


def _unseal(path: Path) -> bytes | None:
    """What `_seal` wrote; None if there is nothing, or something else."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    return stored[_SEAL:] if hashlib.sha256(stored[_SEAL:]).digest() == stored[:_SEAL] else None
