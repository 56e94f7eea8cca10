"""What a training runs on: processor or GPU, precision, compiled or not, seeds stacked or not."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from swta.validation import ParameterError


@dataclass(frozen=True)
class Machine:
    """Where and how the trainings of a group of seeds are computed.

    Raises:
        ParameterError: a device that is not there.
    """

    device: str = "cpu"  # torch's name; repeatable to the bit on cpu with one thread
    half: bool = False  # bfloat16 in the matrix products (torch's autocast), weights in float32
    compiled: bool = False  # by torch.compile; without a compiler a warning, and uncompiled
    stacked: bool = False  # the seeds as one batched model: many small products become a few large

    def __post_init__(self) -> None:
        choose_device(self.device)


def choose_machine(device: str) -> Machine:
    """What suits a device: on a GPU stacked seeds, compiled, bfloat16; on the CPU none of these.

    ``auto`` is the GPU where there is one. Batched products of this size are no faster on a CPU.

    Raises:
        ParameterError: as `choose_device`.
    """
    device = choose_device(device)
    gpu = device.startswith("cuda")
    return Machine(device, half=gpu, compiled=gpu, stacked=gpu)


def choose_device(device: str) -> str:
    """Return ``device`` if torch can compute on it here; ``auto`` is the GPU where there is one.

    Raises:
        ParameterError: an unknown name, or a device that this machine or this torch lacks.
    """
    if not isinstance(device, str):
        raise ParameterError(f"device = {device!r} is no name; allowed: auto, cpu, or cuda")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ParameterError(
            f"device = {device!r} cannot be used here ({reason}); allowed: auto, cpu, or cuda "
            "where there is a GPU"
        ) from error
    return device
