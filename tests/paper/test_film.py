"""Films loop, stand still for those who want it, and are small."""

import base64
import io
import re

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from swta.paper.film import draw_frames, show_film
from swta.validation import ParameterError


@pytest.fixture
def growing():
    figure, ax = plt.subplots(figsize=(2, 1))
    (bar,) = ax.bar([0], [0])
    ax.set_ylim(0, 10)
    yield figure, bar.set_height
    plt.close(figure)


def pictures(text):
    found = re.findall(r"'data:image/webp;base64,([^']+)'", text)
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in found]


def test_every_frame_is_drawn(growing):
    frames = draw_frames(*growing, 5)
    assert len({frame.tobytes() for frame in frames}) == 5
    assert frames[0].size == (160, 80)


def test_a_film_loops_and_has_a_still_an_alt_text_and_a_button(growing):
    text = show_film(*growing, 6, alt='a "bar" <grows>', fps=20).data
    still, film = pictures(text)
    assert (film.n_frames, still.n_frames) == (6, 1)
    assert film.info["loop"] == 0
    assert "prefers-reduced-motion: reduce" in text
    assert "alt='a &quot;bar&quot; &lt;grows&gt;'" in text
    assert re.search(r'<button type="button" onclick="[^"]+">', text)
    assert len(text) < 100_000


def test_a_film_of_one_frame_is_refused(growing):
    with pytest.raises(ParameterError, match="n_frames"):
        show_film(*growing, 1, alt="nothing")


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_button_plays_and_pauses(browser, growing, motion):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    page.set_content(show_film(*growing, 3, alt="a bar").data)
    film = page.evaluate("document.querySelector('img').src")
    still = page.evaluate("document.querySelector('source').srcset")
    page.wait_for_function("document.querySelector('img').currentSrc !== ''")
    states = [page.evaluate("document.querySelector('img').currentSrc")]
    for _ in range(2):
        page.locator("button").press("Enter")
        states.append(page.evaluate("document.querySelector('img').src"))
    moving = [film, still, film]
    assert states == (moving if motion == "no-preference" else [still, film, still])
    context.close()
