"""Chapter 5: the motif as a filter in front of a vision transformer.

`SoftWTA` turns an image into three channels of competing columns; the front-ends of `CONTROLS` are
what it is compared with. `train_arms` trains the same transformer behind each of them and tests it
on digits from elsewhere. `measure_attention_on_digit` and its kin ask why.
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
from swta.vision.colour_invariant import ColourInvariant
from swta.vision.contrast import (
    AdaptiveEqualisation,
    DifferenceOfGaussians,
    LocalContrast,
    LocalResponse,
    Standardise,
    Unfiltered,
)
from swta.vision.controls import CONTROLS, FRONT_LABELS, create_front
from swta.vision.cortical import DivisiveNormalisation, OrientationEnergy, PushPull, VOneFront
from swta.vision.embedding import (
    classify_by_prototypes,
    embed_images,
    measure_cka,
    measure_few_shot,
)
from swta.vision.filter import FORMS, SoftWTA
from swta.vision.images import (
    FilterStages,
    FilterTransform,
    filter_images,
    is_fixed,
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
from swta.vision.orientation import OrientationBank, PixelBank, gabor_bank
from swta.vision.parameters import CircuitParameters, FilterParameters, PixelParameters
from swta.vision.plots import (
    DOMAIN_LABELS,
    plot_gains,
    plot_learning,
    plot_orientation_key,
    plot_stages,
    plot_unseen,
)
from swta.vision.random_convolution import RandomConvolution
from swta.vision.salience import (
    mask_digits,
    measure_attention_on_digit,
    measure_gradient_on_digit,
    roll_out_attention,
)
from swta.vision.scores import steps_to_reach
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
    "FORMS",
    "FRONT_LABELS",
    "AdaptiveEqualisation",
    "ArmsResult",
    "CircuitParameters",
    "ColourInvariant",
    "DifferenceOfGaussians",
    "DivisiveNormalisation",
    "FilterParameters",
    "FilterStages",
    "FilterTransform",
    "LocalContrast",
    "LocalResponse",
    "OrientationBank",
    "OrientationEnergy",
    "PixelBank",
    "PixelParameters",
    "PushPull",
    "RandomConvolution",
    "SoftWTA",
    "Standardise",
    "TrainingParameters",
    "TrainingResult",
    "TransformerParameters",
    "Unfiltered",
    "VOneFront",
    "Whiten",
    "choose_device",
    "classify_by_prototypes",
    "count_flops",
    "count_trainable",
    "create_front",
    "create_transformer",
    "embed_images",
    "filter_images",
    "find_best_control",
    "gabor_bank",
    "is_fixed",
    "mask_digits",
    "measure_attention_on_digit",
    "measure_cka",
    "measure_few_shot",
    "measure_gain",
    "measure_gains",
    "measure_gradient_on_digit",
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
    "roll_out_attention",
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
