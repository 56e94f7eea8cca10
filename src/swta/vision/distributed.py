"""Trainings on the processes that torchrun starts: whole trainings spread, or batches shared."""

from __future__ import annotations

import atexit
import io
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache, partial
from itertools import count
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from swta.validation import ParameterError

PATIENCE = timedelta(days=7)  # for others that train; torchrun ends all when one of them dies
MEETING = timedelta(hours=1)  # for others to come


class Ranks:
    """The processes of torchrun, as one of them sees them. All must make the same calls.

    They talk by gloo on the CPU and by NCCL on GPUs.

    Args:
        rank: number of this process, from 0.
        size: how many there are.
        store: what they can count in together.
        device: where tensors that are sent must lie, torch's name.
    """

    def __init__(self, rank: int, size: int, store: dist.Store, device: str) -> None:
        self.rank, self.size, self.device = rank, size, device
        self._store = store
        self._calls = count()

    def share(self, n: int) -> slice:
        """This process's part of n things; all parts together are all things, each once."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their sums over all processes, the same bits in each of them."""
        parts = list(tensors)
        flat = torch.cat([part.flatten() for part in parts]).to(self.device)
        dist.all_reduce(flat)
        for part, total in zip(parts, flat.split([p.numel() for p in parts]), strict=True):
            part.copy_(total.view_as(part))

    def send(self, make: Callable[[], Any], source: int) -> Any:
        """What ``make`` gives in the process ``source``, in all of them.

        Args:
            make: called there only; gives tensors, numbers, texts, and lists and dictionaries of
                these. Nothing else is taken, and no code of it is run.
            source: number of a process.
        """
        data = torch.empty(0, dtype=torch.uint8, device=self.device)
        if self.rank == source:
            file = io.BytesIO()
            torch.save(make(), file)
            data = torch.frombuffer(file.getbuffer(), dtype=torch.uint8).to(self.device)
        length = torch.tensor([data.numel()], device=self.device)
        dist.broadcast(length, source)
        if self.rank != source:
            data = data.new_empty(int(length))
        dist.broadcast(data, source)
        packed = io.BytesIO(data.cpu().numpy().tobytes())
        return torch.load(packed, map_location="cpu", weights_only=True)

    def spread(self, n: int, work: Callable[[int], Any]) -> list[Any]:
        """``work(0)`` … ``work(n − 1)``, each done by whoever is free, in all processes.

        Args:
            n: how many.
            work: gives what `send` can send.
        """
        key = f"swta/{next(self._calls)}"
        own: dict[int, Any] = {}
        while (k := self._store.add(key, 1) - 1) < n:
            own[k] = work(k)
        doer = torch.zeros(n, dtype=torch.int64)
        doer[list(own)] = self.rank
        self.add_up([doer])
        return [self.send(partial(own.get, k), int(doer[k])) for k in range(n)]


def find_ranks(device: str) -> Ranks | None:
    """The processes that torchrun started; None where it did not, or only one.

    The first call meets the others, and gives this process the GPU of its number on its machine.

    Raises:
        ParameterError: variables of torchrun that are no numbers.
    """
    values = [os.environ.get(name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
    if None in values:
        return None
    try:
        rank, size, local = (int(value or "") for value in values)
    except ValueError:
        raise ParameterError(
            f"RANK, WORLD_SIZE, LOCAL_RANK are {', '.join(map(str, values))}; allowed: what "
            "torchrun sets. Start by torchrun, or unset them"
        ) from None
    return _join(rank, size, local, device) if size > 1 else None


@cache
def _join(rank: int, size: int, local: int, device: str) -> Ranks:
    gpu = device.startswith("cuda")
    if gpu:
        torch.cuda.set_device(local % torch.cuda.device_count())
    store, *_ = next(dist.rendezvous("env://", timeout=MEETING))
    store.set_timeout(PATIENCE)
    dist.init_process_group(
        "nccl" if gpu else "gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE
    )
    atexit.register(dist.destroy_process_group)
    ranks = Ranks(rank, size, dist.PrefixStore("swta", store), device)
    ranks.add_up([torch.zeros(1)])  # NCCL connects here, while all are at the same place
    return ranks
