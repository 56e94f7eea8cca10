"""Chapter 5: the motif as a filter in front of a vision transformer.

`SoftWTA` turns an image into three channels of competing columns; the front-ends of `CONTROLS` are
what it is compared with. `train_arms` trains the same transformer behind each of them and tests it
on digits from elsewhere. `measure_attention_on_digit` and its kin ask why.
"""

from swta.vision.arms import (
    ArmsResult,
    choose_trainings,
    find_best_control,
    join_arms,
    measure_gain,
    measure_gains,
    measure_steps,
    measure_steps_ratio,
    pick_trainings,
    select_arm,
    summarise_accuracy,
    tabulate_accuracy,
    tabulate_learning,
    tabulate_trainings,
)
from swta.vision.augment import Deformation, deform_images
from swta.vision.checkpoint import CheckpointError
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
from swta.vision.experiment import Workers, train_arms, train_chosen
from swta.vision.filter import FORMS, SoftWTA
from swta.vision.flops import (
    count_filter_operations,
    count_flops,
    count_training_flops,
    measure_flops_ratio,
)
from swta.vision.images import (
    FilterStages,
    FilterTransform,
    filter_images,
    is_fixed,
    measure_settling_error,
    to_tensor,
    trace_filter,
)
from swta.vision.lesions import (
    UnrolledWTA,
    grade_filter,
    list_lesions,
    measure_behind,
    measure_unrolling_error,
    tabulate_changes,
)
from swta.vision.looks import compare_looks, map_attention, measure_looks, measure_margins
from swta.vision.machine import Machine, choose_device, choose_machine
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
from swta.vision.studies import (
    compare_unseen_classes,
    load_transfer_sets,
    measure_corruptions,
    measure_transfer,
    measure_unseen_classes,
    tabulate_sizes,
    tabulate_transfer,
    train_known_classes,
    train_sizes,
    train_transfer,
)
from swta.vision.study_plots import (
    plot_attention,
    plot_course,
    plot_grades,
    plot_sizes,
    plot_table,
    plot_trainings,
    plot_transfer,
    plot_unseen_classes,
)
from swta.vision.tokens import TokenWTA
from swta.vision.training import (
    TrainingParameters,
    TrainingResult,
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
    "CheckpointError",
    "CircuitParameters",
    "ColourInvariant",
    "Deformation",
    "DifferenceOfGaussians",
    "DivisiveNormalisation",
    "FilterParameters",
    "FilterStages",
    "FilterTransform",
    "LocalContrast",
    "LocalResponse",
    "Machine",
    "OrientationBank",
    "OrientationEnergy",
    "PixelBank",
    "PixelParameters",
    "PushPull",
    "RandomConvolution",
    "SoftWTA",
    "Standardise",
    "TokenWTA",
    "TrainingParameters",
    "TrainingResult",
    "TransformerParameters",
    "Unfiltered",
    "UnrolledWTA",
    "VOneFront",
    "Whiten",
    "Workers",
    "choose_device",
    "choose_machine",
    "choose_trainings",
    "classify_by_prototypes",
    "compare_looks",
    "compare_unseen_classes",
    "count_filter_operations",
    "count_flops",
    "count_trainable",
    "count_training_flops",
    "create_front",
    "create_transformer",
    "deform_images",
    "embed_images",
    "filter_images",
    "find_best_control",
    "gabor_bank",
    "grade_filter",
    "is_fixed",
    "join_arms",
    "list_lesions",
    "load_transfer_sets",
    "map_attention",
    "mask_digits",
    "measure_attention_on_digit",
    "measure_behind",
    "measure_cka",
    "measure_corruptions",
    "measure_few_shot",
    "measure_flops_ratio",
    "measure_gain",
    "measure_gains",
    "measure_gradient_on_digit",
    "measure_hits",
    "measure_looks",
    "measure_margins",
    "measure_settling_error",
    "measure_steps",
    "measure_steps_ratio",
    "measure_transfer",
    "measure_unrolling_error",
    "measure_unseen_classes",
    "pick_trainings",
    "plot_attention",
    "plot_course",
    "plot_gains",
    "plot_grades",
    "plot_learning",
    "plot_orientation_key",
    "plot_sizes",
    "plot_stages",
    "plot_table",
    "plot_trainings",
    "plot_transfer",
    "plot_unseen",
    "plot_unseen_classes",
    "prepend",
    "roll_out_attention",
    "select_arm",
    "shift_images",
    "steps_to_reach",
    "summarise_accuracy",
    "tabulate_accuracy",
    "tabulate_changes",
    "tabulate_learning",
    "tabulate_sizes",
    "tabulate_trainings",
    "tabulate_transfer",
    "to_tensor",
    "trace_filter",
    "train",
    "train_arms",
    "train_chosen",
    "train_known_classes",
    "train_sizes",
    "train_transfer",
]
