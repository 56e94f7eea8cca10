"""Chapter 5: the motif as a filter in front of a vision transformer.

`SoftWTA` turns an image into three channels of competing orientation columns; `OrientationEnergy`,
`Standardise` and `Unfiltered` are what it is compared with. `train_arms` trains the same
transformer behind each of them and tests it on digits from elsewhere.
"""

from swta.vision.arms import (
    ArmsResult,
    count_flops,
    find_best_control,
    measure_gain,
    measure_gains,
    measure_steps,
    measure_steps_ratio,
    summarise_accuracy,
    tabulate_accuracy,
    tabulate_learning,
    train_arms,
)
from swta.vision.controls import (
    CONTROLS,
    FRONT_LABELS,
    OrientationEnergy,
    Standardise,
    Unfiltered,
    create_front,
)
from swta.vision.filter import FilterParameters, OrientationBank, SoftWTA, gabor_bank
from swta.vision.images import (
    FilterStages,
    filter_images,
    measure_settling_error,
    to_tensor,
    trace_filter,
)
from swta.vision.models import (
    TransformerParameters,
    Whiten,
    count_trainable,
    create_transformer,
    prepend,
)
from swta.vision.plots import (
    DOMAIN_LABELS,
    plot_gains,
    plot_learning,
    plot_orientation_key,
    plot_stages,
    plot_unseen,
)
from swta.vision.scores import (
    steps_to_reach,
)
from swta.vision.training import (
    TrainingParameters,
    TrainingResult,
    choose_device,
    measure_hits,
    shift_images,
    train,
)

__all__ = [
    "CONTROLS",
    "DOMAIN_LABELS",
    "FRONT_LABELS",
    "ArmsResult",
    "FilterParameters",
    "FilterStages",
    "OrientationBank",
    "OrientationEnergy",
    "SoftWTA",
    "Standardise",
    "TrainingParameters",
    "TrainingResult",
    "TransformerParameters",
    "Unfiltered",
    "Whiten",
    "choose_device",
    "count_flops",
    "count_trainable",
    "create_front",
    "create_transformer",
    "filter_images",
    "find_best_control",
    "gabor_bank",
    "measure_gain",
    "measure_gains",
    "measure_hits",
    "measure_settling_error",
    "measure_steps",
    "measure_steps_ratio",
    "plot_gains",
    "plot_learning",
    "plot_orientation_key",
    "plot_stages",
    "plot_unseen",
    "prepend",
    "shift_images",
    "steps_to_reach",
    "summarise_accuracy",
    "tabulate_accuracy",
    "tabulate_learning",
    "to_tensor",
    "trace_filter",
    "train",
    "train_arms",
]
