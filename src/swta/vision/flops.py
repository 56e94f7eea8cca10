"""What training costs in floating-point operations, the filter's own included."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from swta.intervals import Interval, ratio_interval
from swta.validation import ParameterError
from swta.vision.arms import ArmsResult, measure_steps
from swta.vision.filter import SoftWTA
from swta.vision.learners import draw_patches
from swta.vision.models import TransformerParameters, create_transformer, forward_patches


def count_flops(module: nn.Module, shape: tuple[int, int, int]) -> int:
    """Floating-point operations of one forward pass in training mode for one image (C, H, W).

    Convolutions and products of matrices are counted, two operations per multiply-add. The filter
    is counted as it runs where gradients are wanted, which is the dearer of its two ways.
    """
    was_training = module.training
    module.train()
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        module(torch.rand(2, *shape).requires_grad_())
    module.train(was_training)
    return counter.get_total_flops() // 2


def count_filter_operations(front: SoftWTA, images: Tensor) -> float:
    """Operations per image (B, C, H, W) of a fixed filter, as it runs on the processor.

    Additions count like products here, which `count_flops` leaves out. A filter that runs without
    its compiled loops on these images is counted by `count_flops`, in the dearer of its ways.
    """
    try:
        return front.count_operations(images)
    except ParameterError:
        _, channels, height, width = images.shape
        return float(count_flops(front, (channels, height, width)))


def count_training_flops(transformer: TransformerParameters, patch_drop: float) -> int:
    """Operations of a training step for one image: forward pass and twice that for the gradient."""
    p = transformer
    model = create_transformer(p, seed=0).train()
    patches = (p.image_size // p.patch_size) ** 2
    keep = draw_patches(2, patches, patch_drop, torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as counter:
        forward_patches(model, torch.rand(2, 3, p.image_size, p.image_size), keep)
    return 3 * counter.get_total_flops() // 2


def measure_flops_ratio(
    result: ArmsResult, arm: str, *, baseline: str, per_step: Mapping[str, float], once: float
) -> Interval:
    """Operations of an arm to the baseline's final source accuracy over those of the baseline.

    Dimensionless, paired over seeds; as `measure_steps_ratio` for trainings that never get there.

    Args:
        per_step: operations of one optimiser step, by arm; arms may differ in their training.
        once: operations of the arm before the first step: each image through the filter.
    """
    steps = np.minimum(measure_steps(result, baseline=baseline), result.steps[-1])
    spent = once + per_step[arm] * steps[result.at(arm)]
    return ratio_interval(spent / (per_step[baseline] * steps[result.at(baseline)]))
