"""The models of a group of seeds while they learn: one after another, or stacked into one."""

from __future__ import annotations

import copy
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn import functional as F

from swta.vision.distributed import Ranks
from swta.vision.machine import Machine
from swta.vision.models import forward_patches


class Batch(NamedTuple):
    """What one seed sees in one step."""

    images: Tensor  # (B, C, H, W)
    labels: Tensor  # (B,)
    keep: Tensor | None  # (B, kept) patches that the transformer sees; None: all
    noise: Tensor | None  # (B, 3, H, W), standard normal; None: no noise
    share: float = 1.0  # part of the step's images that these are; the others lie elsewhere


class Learner(nn.Module):
    """A whole arm in training: front-ends, whitening with noise, transformer on kept patches."""

    def __init__(self, model: nn.Sequential) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, keep: Tensor | None, noise: Tensor | None) -> Tensor:
        """Logits (B, classes)."""
        *fronts, whiten, transformer = self.model
        for front in fronts:
            images = front(images)
        return forward_patches(transformer, whiten(images, noise), keep)


class Learners(ABC):
    """The trainings of several seeds in step with each other."""

    optimisers: list[torch.optim.AdamW]

    def __init__(self, machine: Machine, label_smoothing: float, ranks: Ranks | None) -> None:
        self.machine = machine
        self.label_smoothing = label_smoothing
        self.ranks = ranks  # processes that share each step's images

    @abstractmethod
    def step(self, batches: Sequence[Batch], rate: float) -> list[float]:
        """One step of every seed at a learning rate; the losses before it, in nats."""

    @abstractmethod
    def models(self) -> list[nn.Sequential]:
        """The models as they are now, one per seed."""

    @abstractmethod
    def weights(self) -> Any:
        """All weights, for a checkpoint."""

    @abstractmethod
    def load_weights(self, weights: Any) -> None:
        """Take over what ``weights`` gave."""

    def state(self) -> dict[str, Any]:
        """Weights and optimisers, for a checkpoint."""
        states = [optimiser.state_dict() for optimiser in self.optimisers]
        return {"weights": self.weights(), "optimisers": states}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.load_weights(state["weights"])
        for optimiser, stored in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(stored)

    def _descend(self, optimiser: torch.optim.AdamW, losses: Tensor, rate: float) -> list[float]:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        losses.sum().backward()
        found = losses.detach()
        if self.ranks is not None:
            weights = [w for group in optimiser.param_groups for w in group["params"]]
            self.ranks.add_up([found, *(w.grad for w in weights if w.grad is not None)])
        optimiser.step()
        return found.tolist()

    def _autocast(self) -> torch.autocast:
        kind = torch.device(self.machine.device).type
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=self.machine.half)


class SeparateLearners(Learners):
    """One model after another, each with random numbers of its own: any front-end will do."""

    def __init__(
        self,
        models: Sequence[nn.Sequential],
        machine: Machine,
        *,
        weight_decay: float,
        label_smoothing: float,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__(machine, label_smoothing, ranks)
        self.learners = [Learner(model) for model in models]
        self.calls = [_Compiled(learner, machine.compiled) for learner in self.learners]
        self.optimisers = [
            create_optimiser(learner.parameters(), weight_decay, 1) for learner in self.learners
        ]
        self.random = [torch.get_rng_state() for _ in models]  # what random front-ends draw from

    def step(self, batches: Sequence[Batch], rate: float) -> list[float]:
        """One step of every seed; see `Learners`."""
        losses: list[float] = []
        for i, batch in enumerate(batches):
            self.learners[i].train()
            torch.set_rng_state(self.random[i])
            with self._autocast():
                logits = self.calls[i](batch.images, batch.keep, batch.noise)
            loss = F.cross_entropy(
                logits.float(), batch.labels, label_smoothing=self.label_smoothing
            )
            losses += self._descend(self.optimisers[i], loss[None] * batch.share, rate)
            self.random[i] = torch.get_rng_state()
        return losses

    def models(self) -> list[nn.Sequential]:
        """The models themselves."""
        return [learner.model for learner in self.learners]

    def weights(self) -> Any:
        """State of every model, and of its random numbers."""
        states = [learner.state_dict() for learner in self.learners]
        return {"models": states, "random": self.random}

    def load_weights(self, weights: Any) -> None:
        """Take over what ``weights`` gave."""
        for learner, stored in zip(self.learners, weights["models"], strict=True):
            learner.load_state_dict(stored)
        self.random = list(weights["random"])


class StackedLearners(Learners):
    """All seeds as one model with one more axis (torch.func.vmap), for a fixed front-end."""

    def __init__(
        self,
        models: Sequence[nn.Sequential],
        machine: Machine,
        *,
        weight_decay: float,
        label_smoothing: float,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__(machine, label_smoothing, ranks)
        self.originals = list(models)
        learners = [Learner(model) for model in models]
        stacked, _ = stack_module_state(learners)
        self.stack = {name: w.detach().clone().requires_grad_() for name, w in stacked.items()}
        self.optimisers = [create_optimiser(self.stack.values(), weight_decay, 2)]
        base = copy.deepcopy(learners[0]).train()
        for block in cast(Any, base.model[-1]).blocks:
            block.attn.fused_attn = False  # the fused kernel of the CPU cannot be stacked

        def one(weights: dict[str, Tensor], *inputs: Tensor | None) -> Tensor:
            return functional_call(base, weights, inputs)

        self.one = one
        self.calls: dict[tuple[bool, bool], _Compiled] = {}

    def step(self, batches: Sequence[Batch], rate: float) -> list[float]:
        """One step of every seed at once; see `Learners`."""
        images = torch.stack([batch.images for batch in batches])
        labels = torch.stack([batch.labels for batch in batches])
        keep = _stack([batch.keep for batch in batches])
        noise = _stack([batch.noise for batch in batches])
        with self._autocast():
            logits = self._call(keep, noise)(self.stack, images, keep, noise)
        each = F.cross_entropy(
            logits.float().flatten(0, 1),
            labels.flatten(),
            label_smoothing=self.label_smoothing,
            reduction="none",
        )
        losses = each.view(labels.shape).mean(1) * batches[0].share
        return self._descend(self.optimisers[0], losses, rate)  # seeds share no weight

    def _call(self, keep: Tensor | None, noise: Tensor | None) -> Callable[..., Tensor]:
        given = keep is not None, noise is not None
        if given not in self.calls:
            dims = (0, 0, *(0 if there else None for there in given))
            self.calls[given] = _Compiled(torch.vmap(self.one, dims), self.machine.compiled)
        return self.calls[given]

    def models(self) -> list[nn.Sequential]:
        """The models that were given, with the weights of now."""
        for i, model in enumerate(self.originals):
            own = {name.removeprefix("model."): w[i].detach() for name, w in self.stack.items()}
            model.load_state_dict(own, strict=False)  # buffers never change
        return self.originals

    def weights(self) -> Any:
        """Stacked weights."""
        return {name: w.detach() for name, w in self.stack.items()}

    def load_weights(self, weights: Any) -> None:
        """Take over what ``weights`` gave."""
        with torch.no_grad():
            for name, w in self.stack.items():
                w.copy_(weights[name])


class _Compiled:
    """A function by torch.compile, or as it is where that fails."""

    def __init__(self, function: Callable[..., Tensor], compiled: bool) -> None:
        self.plain = function
        self.fast = torch.compile(function) if compiled else None

    def __call__(self, *arguments: Any) -> Tensor:
        if self.fast is None:
            return self.plain(*arguments)
        try:
            return self.fast(*arguments)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # torch names no common class for what a compiler may lack
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            warnings.warn(f"torch.compile failed ({reason}); going on uncompiled", stacklevel=2)
            self.fast = None
            return self.plain(*arguments)


def _stack(parts: Sequence[Tensor | None]) -> Tensor | None:
    given = [part for part in parts if part is not None]
    return torch.stack(given) if given else None


def create_optimiser(
    weights: Iterable[Tensor], weight_decay: float, vector: int
) -> torch.optim.AdamW:
    """AdamW; weights of more than ``vector`` axes decay."""
    weights = list(weights)
    groups = [
        {"params": [w for w in weights if w.ndim > vector], "weight_decay": weight_decay},
        {"params": [w for w in weights if w.ndim <= vector], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=True)


def draw_patches(
    batch: int, patches: int, drop: float, generator: torch.Generator
) -> Tensor | None:
    """Which patches each image keeps, (batch, kept) in no order; None when nothing is dropped."""
    if drop == 0.0:
        return None
    kept = max(1, math.floor(patches * (1.0 - drop)))
    return torch.rand(batch, patches, generator=generator).argsort(1)[:, :kept]
