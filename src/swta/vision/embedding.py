"""The space before the classifier: similarity of two of them, and classes unseen in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from swta.validation import ParameterError, check_integer


def embed_images(
    model: nn.Module, images: NDArray[np.float16], *, batch: int = 256
) -> NDArray[np.float32]:
    """What the classifier of a timm model sees, (n, width), of filtered images (n, 3, H, W).

    Args:
        model: a model of timm, or a `nn.Sequential` that ends with one, as `train` returns.

    Raises:
        ParameterError: a model without timm's ``forward_features`` and ``forward_head``.
    """
    check_integer("batch", batch, low=1)
    parts = list(model) if isinstance(model, nn.Sequential) else [model]
    last: Any = parts[-1]
    if not hasattr(last, "forward_features") or not hasattr(last, "forward_head"):
        raise ParameterError(
            f"{type(last).__name__} does not show its features; allowed: a model of timm, or a "
            "Sequential that ends with one"
        )
    model.eval()
    device = next(model.parameters()).device
    vectors = []
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for start in range(0, len(images), batch):
            x = torch.from_numpy(images[start : start + batch]).to(device).float()
            for part in parts[:-1]:
                x = part(x)
            features = last.forward_head(last.forward_features(x), pre_logits=True)
            vectors.append(features.float().cpu().numpy())
    return np.concatenate(vectors)


def measure_cka(first: ArrayLike, second: ArrayLike) -> float:
    """Linear CKA of two representations of the same n items, 0 to 1 (Kornblith et al. 2019, eq. 7).

    1 if they are equal up to rotation, shift and scale. Shapes (n, width) and (n, other width).

    Raises:
        ParameterError: other shapes, fewer than two items, or a constant representation.
    """
    x, y = (np.asarray(a, dtype=np.float64) for a in (first, second))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 2:
        raise ParameterError(
            f"representations have shapes {x.shape} and {y.shape}; allowed: (n, width) each, of "
            "the same n ≥ 2 items"
        )
    x, y = x - x.mean(0), y - y.mean(0)
    own = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    if own == 0.0:
        raise ParameterError("a representation is constant; allowed: one that varies over items")
    return float(np.linalg.norm(y.T @ x) ** 2 / own)


def classify_by_prototypes(
    support: ArrayLike, support_labels: ArrayLike, queries: ArrayLike
) -> NDArray[np.int64]:
    """The class whose prototype, the mean of its support vectors, is nearest, (m,).

    Nearest by Euclidean distance (Snell, Swersky and Zemel 2017). With support from another source
    (rendered digits, say) no labelled example of the queries' own source is used.

    Args:
        support, support_labels: vectors (n, width) and their classes (n,).
        queries: vectors (m, width).

    Raises:
        ParameterError: vectors and labels that do not fit together.
    """
    x, y, q = np.asarray(support, float), np.asarray(support_labels), np.asarray(queries, float)
    if x.ndim != 2 or q.ndim != 2 or x.shape[1] != q.shape[1] or y.shape != (len(x),) or not len(x):
        raise ParameterError(
            f"support has shape {x.shape} with {y.shape} labels, queries {q.shape}; allowed: "
            "(n, width), (n,) and (m, width), n ≥ 1"
        )
    classes = np.unique(y)
    prototypes = np.stack([x[y == c].mean(0) for c in classes])
    apart = np.square(prototypes).sum(1) - 2.0 * q @ prototypes.T
    return classes[apart.argmin(1)].astype(np.int64)


def measure_few_shot(
    vectors: ArrayLike, labels: ArrayLike, *, shots: int, repetitions: int = 20, seed: int = 0
) -> NDArray[np.float64]:
    """Accuracy with ``shots`` labelled examples of each class as prototypes, (repetitions,).

    In each repetition the examples are drawn anew and all other items are classified.

    Args:
        vectors, labels: the items of the unseen classes, (n, width) and (n,).
        shots: examples per class, at least 1. Without any see `classify_by_prototypes`.
        repetitions, seed: how often, and from which random numbers.

    Raises:
        ParameterError: a class with no more than ``shots`` items.
    """
    x, y = np.asarray(vectors, dtype=np.float64), np.asarray(labels)
    check_integer("shots", shots, low=1)
    check_integer("repetitions", repetitions, low=1)
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or counts.min() <= shots:
        raise ParameterError(
            f"{len(classes)} classes, the smallest with {min(counts, default=0)} items; allowed: "
            f"two classes or more, each with more than {shots} items. Take fewer shots"
        )
    random = np.random.default_rng(check_integer("seed", seed, low=0))
    accuracy = np.zeros(repetitions)
    for r in range(repetitions):
        chosen = np.concatenate(
            [random.choice(np.flatnonzero(y == c), shots, replace=False) for c in classes]
        )
        rest = np.setdiff1d(np.arange(len(y)), chosen)
        found = classify_by_prototypes(x[chosen], y[chosen], x[rest])
        accuracy[r] = (found == y[rest]).mean()
    return accuracy
