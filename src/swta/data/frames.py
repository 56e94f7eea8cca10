"""All frames of an index in memory, reduced to one size, checked before any work begins."""

from __future__ import annotations

from dataclasses import dataclass

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
    """Frames of one size; labels equal to ``n_classes`` are void, the last id of every source."""

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
    severity: int = 0,
) -> SceneSet:
    """Load every frame of an index, reduced to ``height`` × ``width`` pixels.

    The largest centred part of a frame with that ratio of sides is taken; images are reduced by a
    box filter, labels by their nearest value. Nothing is returned unless every frame could be read,
    so no training starts that would meet a damaged one.

    Args:
        index: from `load_scene_index` and ``select``.
        name: what figures and tables call the set.
        height, width: of the result, px.
        limit: take only so many frames, evenly spread over the index; all by default.
        at_most: leave smaller frames (all of one size) at their own size.
        severity: of the night that `form_night` makes of them before they are reduced; 0 is day.

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
        spread = np.linspace(0, len(frames) - 1, limit).round().astype(int)
        frames = tuple(frames[i] for i in spread)
    images, labels, problems = [], [], []
    for i, frame in enumerate(tqdm(frames, desc=name, unit="frame", disable=None, leave=False)):
        try:
            scene = load_scene(index, frame)
        except DataCorrupt as error:
            problems.append(str(error))
            continue
        rows, columns = scene.labels.shape
        if at_most:
            height, width = min(height, rows), min(width, columns)
        if rows < height or columns < width:
            raise ParameterError(
                f"{frame.name} has {columns} × {rows} pixels; allowed: a size up to that, not "
                f"{width} × {height}"
            )
        image = form_night(scene.image[None], severity, first=i)[0]
        images.append(_reduce(image, height, width, Image.Resampling.BOX))
        labels.append(_reduce(scene.labels, height, width, Image.Resampling.NEAREST))
    if problems:
        listed = "\n".join(problems)
        raise DataCorrupt(f"{name}: {len(problems)} of {len(frames)} frames\n{listed}")
    scored = tuple(c for c in index.classes if not c.ignore)
    sequences = tuple(frame.sequence for frame in frames)
    return SceneSet(name, np.stack(images), np.stack(labels), scored, sequences)


def _reduce(
    picture: NDArray[np.uint8], height: int, width: int, how: Image.Resampling
) -> NDArray[np.uint8]:
    rows, columns = picture.shape[:2]
    scale = min(rows / height, columns / width)
    top, left = 0.5 * (rows - scale * height), 0.5 * (columns - scale * width)
    box = (left, top, columns - left, rows - top)
    return np.asarray(Image.fromarray(picture).resize((width, height), how, box))
