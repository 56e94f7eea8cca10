"""Street scenes drawn by code, with the class of every pixel: road, houses, cars, poles by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from swta.data.camvid_build import CLASSES, HEIGHT, WIDTH
from swta.validation import check_integer

_ID = {name: number for number, (name, _) in enumerate(CLASSES)}
Colour = tuple[float, float, float]


def draw_street(number: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one daylight scene: image uint8 (360, 480, 3) RGB and labels uint8 (360, 480).

    A flat road runs to a vanishing point on the horizon; along it stand houses, trees, poles with
    signs, cars and people, smaller with distance (size proportional to the depth below the horizon:
    a pinhole camera over a plane). Labels are CamVid's ids; fences, cyclists and void do not occur.

    Args:
        number: which scene; the same number and seed give the same scene.
        seed: not negative.

    Raises:
        ParameterError: a negative number or seed.
    """
    check_integer("number", number, low=0)
    check_integer("seed", seed, low=0)
    generator = np.random.default_rng([seed, number])
    scene = _Canvas(generator)
    scene.draw_ground()
    for side in (-1, 1):
        scene.draw_houses(side)
    # From far to near, so that what is near hides what is behind it.
    for depth in np.sort(generator.uniform(0.08, 0.75, int(generator.integers(10, 18)))):
        draw = (scene.draw_car, scene.draw_tree, scene.draw_pole, scene.draw_person)
        draw[generator.choice(4, p=(0.4, 0.2, 0.25, 0.15))](float(depth))
    return scene.finish()


class _Canvas:
    """Image and label map, drawn together; ``depth`` is 0 at the horizon, 1 at the lower edge."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        self.horizon = generator.uniform(0.38, 0.5) * HEIGHT
        self.centre = generator.uniform(0.4, 0.6) * WIDTH
        self.road = generator.uniform(0.45, 0.65) * WIDTH  # half width at the lower edge, pixels
        self.pavement = generator.uniform(0.15, 0.3) * WIDTH  # width there
        self.image = Image.new("RGB", (WIDTH, HEIGHT))
        self.labels = Image.new("L", (WIDTH, HEIGHT))
        self._paint, self._mark = ImageDraw.Draw(self.image), ImageDraw.Draw(self.labels)

    def draw_ground(self) -> None:
        blue, grey = np.array([120.0, 165.0, 225.0]), np.array([215.0, 218.0, 222.0])
        sky = blue + self.generator.random() * (grey - blue)
        for row in range(int(self.horizon) + 1):
            fade = row / self.horizon
            self._box("Sky", (0, row, WIDTH, row), sky + 0.5 * fade * (245 - sky))
        tone = self.generator.uniform(75, 115)
        self._box("Pavement", (0, self.horizon, WIDTH, HEIGHT), self._colour(tone + 50, 6))
        edges = [(self._x(side * self.road, depth), self._y(depth)) for side, depth in _OUTLINE]
        self._polygon("Road", edges, self._colour(tone, 4))
        for depth in np.geomspace(0.04, 1.0, 9):  # broken line in the middle of the road
            dash = ((-0.008, 1), (0.008, 1), (0.008, 1.18), (-0.008, 1.18))
            corners = [(self._x(x * WIDTH, depth * far), self._y(depth * far)) for x, far in dash]
            self._polygon("Road", corners, (225, 225, 215))

    def draw_houses(self, side: int) -> None:
        """A row of fronts along the pavement, from the far end until they leave the frame."""
        offset, depth = side * (self.road + self.pavement), 0.02
        while 0 < self._x(offset, depth) < WIDTH:
            nearer = depth * self.generator.uniform(1.5, 2.2)
            height = self.generator.uniform(1.0, 2.0)  # times that of the camera
            corners = []
            for at, up in ((depth, 0), (nearer, 0), (nearer, 1), (depth, 1)):
                level = self._y(at) - up * (1 + height) * (self._y(at) - self.horizon)
                corners.append((self._x(offset, at), level))
            wall = self._colour(self.generator.uniform(90, 190), 22)
            self._polygon("Building", corners, wall)
            self._draw_windows(corners, tuple(0.55 * np.array(wall)))
            depth = nearer

    def draw_car(self, depth: float) -> None:
        size = depth * (HEIGHT - self.horizon)
        x = self._x(self.road * float(self.generator.choice((-0.78, -0.4, 0.4, 0.78))), depth)
        y, width, height = self._y(depth), 0.75 * size, 0.5 * size
        body = self._colour(self.generator.uniform(40, 210), 45)
        self._box("Car", (x - width / 2, y - 0.6 * height, x + width / 2, y - 0.1 * height), body)
        roof = [(-0.42, 0.6), (0.42, 0.6), (0.3, 1.0), (-0.3, 1.0)]
        self._polygon("Car", [(x + u * width, y - v * height) for u, v in roof], body)
        glass = [(-0.34, 0.62), (0.34, 0.62), (0.25, 0.93), (-0.25, 0.93)]
        self._polygon("Car", [(x + u * width, y - v * height) for u, v in glass], (50, 58, 66))
        for u in (-0.36, 0.36):
            wheel = (x + (u - 0.1) * width, y - 0.2 * height, x + (u + 0.1) * width, y)
            self._box("Car", wheel, (25, 25, 28))

    def draw_tree(self, depth: float) -> None:
        size, x, y = self._stand(depth)
        self._box("Tree", (x - 0.05 * size, y - size, x + 0.05 * size, y), (85, 65, 45))
        green = self._colour(85, 12) + np.array([-15.0, 25.0, -30.0])
        for _ in range(6):
            u, v = self.generator.normal(0, 0.2, 2) * size
            radius = self.generator.uniform(0.25, 0.45) * size
            middle = (x + u, y - 1.25 * size + v)
            self._disc("Tree", middle, radius, green * self.generator.uniform(0.8, 1.2))

    def draw_pole(self, depth: float) -> None:
        size, x, y = self._stand(depth)
        half = max(0.022 * size, 0.6)
        self._box("Pole", (x - half, y - 1.5 * size, x + half, y), self._colour(110, 5))
        if self.generator.random() < 0.6:
            colour = ((200, 40, 45), (40, 70, 180), (225, 190, 50))[self.generator.integers(3)]
            self._disc("SignSymbol", (x, y - 1.4 * size), 0.14 * size, colour)
            self._disc("SignSymbol", (x, y - 1.4 * size), 0.09 * size, (235, 235, 230))

    def draw_person(self, depth: float) -> None:
        size, x, y = self._stand(depth)
        size *= 0.62
        coat, legs = self._colour(self.generator.uniform(40, 180), 40), self._colour(50, 12)
        self._box("Pedestrian", (x - 0.1 * size, y - 0.5 * size, x + 0.1 * size, y), legs)
        body = (x - 0.14 * size, y - 0.85 * size, x + 0.14 * size, y - 0.4 * size)
        self._box("Pedestrian", body, coat)
        self._disc("Pedestrian", (x, y - 0.92 * size), 0.085 * size, (190, 150, 125))

    def finish(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Add what a camera adds: uneven light, a little blur, noise."""
        picture = gaussian_filter(np.asarray(self.image, dtype=float), (0.6, 0.6, 0))
        picture *= self.generator.uniform(0.85, 1.1)
        texture = gaussian_filter(self.generator.standard_normal((HEIGHT, WIDTH)), 1.0)
        picture += 14 * texture[..., None] + self.generator.normal(0, 3, picture.shape)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8), np.asarray(self.labels)

    def _draw_windows(self, corners: list[tuple[float, float]], colour: Colour) -> None:
        """Rows of windows in the plane of a front given by its four corners."""
        (x0, low0), (x1, low1), (_, high1), (_, high0) = corners
        for u in (0.2, 0.5, 0.8):
            for v in (0.35, 0.6, 0.85):
                window = []
                for du, dv in ((-0.08, -0.07), (0.08, -0.07), (0.08, 0.07), (-0.08, 0.07)):
                    s, t = u + du, v + dv
                    low, high = low0 + s * (low1 - low0), high0 + s * (high1 - high0)
                    window.append((x0 + s * (x1 - x0), low + t * (high - low)))
                self._polygon("Building", window, colour)

    def _stand(self, depth: float) -> tuple[float, float, float]:
        """Size and foot (x, y) of something on the pavement, left or right."""
        side = float(self.generator.choice((-1, 1)))
        across = self.road + self.pavement * self.generator.uniform(0.15, 0.85)
        return depth * (HEIGHT - self.horizon), self._x(side * across, depth), self._y(depth)

    def _x(self, offset: float, depth: float) -> float:
        return self.centre + offset * depth

    def _y(self, depth: float) -> float:
        return self.horizon + depth * (HEIGHT - self.horizon)

    def _colour(self, grey: float, spread: float) -> NDArray[np.float64]:
        return grey + self.generator.normal(0.0, spread, 3)

    def _box(self, name: str, box: tuple[float, ...], colour: object) -> None:
        self._paint.rectangle(box, _rgb(colour))
        self._mark.rectangle(box, _ID[name])

    def _polygon(self, name: str, corners: list[tuple[float, float]], colour: object) -> None:
        self._paint.polygon(corners, _rgb(colour))
        self._mark.polygon(corners, _ID[name])

    def _disc(self, name: str, middle: tuple[float, float], radius: float, colour: object) -> None:
        x, y = middle
        box = (x - radius, y - radius, x + radius, y + radius)
        self._paint.ellipse(box, _rgb(colour))
        self._mark.ellipse(box, _ID[name])


# The road's corners: (side, depth), from the vanishing point to beyond the lower edge.
_OUTLINE = ((-1, 0.0), (1, 0.0), (1, 1.05), (-1, 1.05))


def _rgb(colour: object) -> tuple[int, ...]:
    return tuple(np.clip(np.rint(np.asarray(colour, dtype=float)), 0, 255).astype(int).tolist())
