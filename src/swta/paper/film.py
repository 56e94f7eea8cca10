"""Short looping films of figures, each with a still and a button that stops it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from swta.validation import check_integer, check_real

# What the button does: the picture's source is the still for readers who want less motion.
_TOGGLE = (
    "const p=this.previousElementSibling,i=p.querySelector('img'),s=p.querySelector('source');"
    "if(s){Object.assign(i,{film:i.src,still:s.srcset,moving:!matchMedia(s.media).matches});"
    "s.remove()}i.moving=!i.moving;i.src=i.moving?i.film:i.still;"
    "this.textContent=i.moving?'Pause':'Play'"
)


def draw_frames(
    figure: Figure, update: Callable[[int], None], n_frames: int, *, dpi: float = 80.0
) -> list[Image.Image]:
    """The frames of a film, after each call of ``update`` with the frame's number.

    Raises:
        ParameterError: fewer than two frames.
    """
    check_integer("n_frames", n_frames, low=2, high=1000)
    figure.set_dpi(check_real("dpi", dpi, low=10, high=600))
    canvas = FigureCanvasAgg(figure)
    frames = []
    for number in range(n_frames):
        update(number)
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    return frames


def show_film(
    figure: Figure,
    update: Callable[[int], None],
    n_frames: int,
    *,
    alt: str,
    still: int = -1,
    fps: float = 12.0,
) -> HTML:
    """A film that loops, as part of the page; readers who want less motion see its still.

    Args:
        figure: drawn on; closed afterwards.
        update: changes the figure to the frame of a number.
        n_frames: number of frames.
        alt: what the film shows, for those who do not see it.
        still: number of the frame that stands for the film.
        fps: frames a second.

    Raises:
        ParameterError: a number out of range.
    """
    check_real("fps", fps, low=0.1, high=60)
    frames = draw_frames(figure, update, n_frames)
    plt.close(figure)
    film, one = io.BytesIO(), io.BytesIO()
    pause = [round(1000 / fps)] * (n_frames - 1) + [1200]  # ms; the end stays a moment
    frames[0].save(
        film, "webp", save_all=True, append_images=frames[1:], duration=pause, loop=0, quality=70
    )
    frames[still].save(one, "webp", quality=90)
    moving, standing = (
        f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        for buffer in (film, one)
    )
    width, height = frames[0].size
    return HTML(
        "<div class='film'><picture>"
        f"<source media='(prefers-reduced-motion: reduce)' srcset='{standing}'>"
        f"<img src='{moving}' width='{width}' height='{height}' "
        f"alt='{html.escape(alt, quote=True)}'></picture>"
        f'<button type="button" onclick="{_TOGGLE}">Play or pause</button></div>'
    )
