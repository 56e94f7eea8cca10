"""All frames of an index in memory, reduced to one size, checked before any work begins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from swta.data.errors import DataCorrupt
from swta.data.night import form_night
from swta.data.scenes import SceneClass, SceneIndex, load_scene
from swta.validation import ParameterError, check_integer


@dataclass(frozen=True)
class SceneSet:
    """Frames of one size; labels equal to ``n_classes`` are void."""

    name: str
    images: NDArray[np.uint8]  # (n, H, W, 3) RGB
    labels: NDArray[np.uint8]  # (n, H, W) class ids
    classes: tuple[SceneClass, ...]  # those that are scored
    sequences: tuple[str, ...]  # (n,)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def n_classes(self) -> int:
        """Number of classes that are scored."""
        return len(self.classes)


def load_scenes(
    index: SceneIndex,
    *,
    name: str,
    height: int,
    width: int,
    limit: int | None = None,
    at_most: bool = False,
) -> SceneSet:
    """Load every frame of an index, reduced to ``height`` × ``width`` pixels.

    Images are reduced by a box filter, labels by their nearest value. Nothing is returned unless
    every frame could be read, so no training starts that would meet a damaged one.

    Args:
        index: from `load_scene_index` and ``select``.
        name: what figures and tables call the set.
        height, width: of the result, px.
        limit: take only so many frames, evenly spread over the index; all by default.
        at_most: keep smaller frames (all of one size) at their own size.

    Raises:
        DataCorrupt: frames that cannot be read or are not what was published, all of them named.
        ParameterError: an empty index, or a size that the frames do not reach.
    """
    check_integer("height", height, low=1)
    check_integer("width", width, low=1)
    if not len(index):
        raise ParameterError(f"{name}: the index has no frame; allowed: at least one")
    frames = index.frames
    if limit is not None and check_integer("limit", limit, low=1) < len(frames):
        frames = tuple(
            frames[i] for i in np.linspace(0, len(frames) - 1, limit).round().astype(int)
        )
    if at_most:
        first = load_scene(index, frames[0]).labels.shape
        height, width = min(height, first[0]), min(width, first[1])
    void = next(c.id for c in index.classes if c.ignore)
    images = np.empty((len(frames), height, width, 3), np.uint8)
    labels = np.empty((len(frames), height, width), np.uint8)
    problems = []
    for i, frame in enumerate(tqdm(frames, desc=name, unit="frame", disable=None, leave=False)):
        try:
            scene = load_scene(index, frame)
        except DataCorrupt as error:
            problems.append(str(error))
            continue
        if scene.labels.shape[0] < height or scene.labels.shape[1] < width:
            raise ParameterError(
                f"{frame.name} has {scene.labels.shape[1]} × {scene.labels.shape[0]} pixels; "
                f"allowed: a size up to that, not {width} × {height}"
            )
        size = (width, height)
        for array, target, how in (
            (scene.image, images, Image.Resampling.BOX),
            (scene.labels, labels, Image.Resampling.NEAREST),
        ):
            target[i] = np.asarray(Image.fromarray(array).resize(size, how))
    if problems:
        raise DataCorrupt(
            f"{name}: {len(problems)} of {len(frames)} frames\n" + "\n".join(problems)
        )
    scored = tuple(c for c in index.classes if not c.ignore)
    labels[labels == void] = len(scored)
    return SceneSet(name, images, labels, scored, tuple(frame.sequence for frame in frames))


def darken_scenes(scenes: SceneSet, severity: int, *, name: str, seed: int = 0) -> SceneSet:
    """The same frames and labels after dark, by `form_night` at a severity of 0 (day) to 5.

    Raises:
        ParameterError: an unknown severity.
    """
    return replace(scenes, name=name, images=form_night(scenes.images, severity, seed=seed))
