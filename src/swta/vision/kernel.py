"""Compiled loops of the orientation form on the CPU: one image at a time, in the fast cache.

Gabor waves come from one-dimensional passes, cos(a + b) and sin(a + b) being sums of products of
one factor per axis. The fixed point comes from sweeps over the ring at every pixel (projected
successive over-relaxation, red-black) that take turns with an update of the SST field. Passes run
down the columns of a plane, which is one long loop, and planes are transposed in between. All loops
are in this one file because numba's cache notices changes of the file only.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_OPTIONS: Final[dict[str, Any]] = dict(nogil=True, cache=True, fastmath=True, error_model="numpy")
_f4 = np.float32
GROUP: Final = 4  # taps that one pass over a plane takes up; a power of two
SWEEPS: Final = 2  # over the ring, between two updates of the SST field
# Share of the tolerance that the estimated error may reach: the estimate is of the slowest mode
# only; with a fifth the error stayed below the tolerance on all digit sets.
SAFETY: Final = 0.2


@njit(**_OPTIONS)
def fold_even(x: Floats, shift: int, start: int, n: int, taps: Floats, out: Floats) -> None:
    """out[p] = Σ_t taps[t] (x[start + p + t shift] + x[start + p − t shift]), tap 0 once."""
    first, middle = taps[0], x[start : start + n]
    for p in range(n):
        out[p] = first * middle[p]
    for t in range(1, taps.size, 4):
        k0, k1, k2, k3 = taps[t], taps[t + 1], taps[t + 2], taps[t + 3]
        d0 = t * shift
        d1, d2, d3 = d0 + shift, d0 + 2 * shift, d0 + 3 * shift
        a0, b0 = x[start + d0 : start + d0 + n], x[start - d0 : start - d0 + n]
        a1, b1 = x[start + d1 : start + d1 + n], x[start - d1 : start - d1 + n]
        a2, b2 = x[start + d2 : start + d2 + n], x[start - d2 : start - d2 + n]
        a3, b3 = x[start + d3 : start + d3 + n], x[start - d3 : start - d3 + n]
        for p in range(n):
            near = k0 * (a0[p] + b0[p]) + k1 * (a1[p] + b1[p])
            out[p] += near + k2 * (a2[p] + b2[p]) + k3 * (a3[p] + b3[p])


@njit(**_OPTIONS)
def fold_both(
    x: Floats, shift: int, start: int, n: int, even: Floats, odd: Floats, c: Floats, s: Floats
) -> None:
    """`fold_even` into ``c``, and the same with differences and ``odd`` taps into ``s``."""
    first, middle = even[0], x[start : start + n]
    for p in range(n):
        c[p] = first * middle[p]
        s[p] = _f4(0.0)
    for t in range(1, even.size, 4):
        k0, k1, k2, k3 = even[t], even[t + 1], even[t + 2], even[t + 3]
        q0, q1, q2, q3 = odd[t], odd[t + 1], odd[t + 2], odd[t + 3]
        d0 = t * shift
        d1, d2, d3 = d0 + shift, d0 + 2 * shift, d0 + 3 * shift
        a0, b0 = x[start + d0 : start + d0 + n], x[start - d0 : start - d0 + n]
        a1, b1 = x[start + d1 : start + d1 + n], x[start - d1 : start - d1 + n]
        a2, b2 = x[start + d2 : start + d2 + n], x[start - d2 : start - d2 + n]
        a3, b3 = x[start + d3 : start + d3 + n], x[start - d3 : start - d3 + n]
        for p in range(n):
            near = k0 * (a0[p] + b0[p]) + k1 * (a1[p] + b1[p])
            c[p] += near + k2 * (a2[p] + b2[p]) + k3 * (a3[p] + b3[p])
            near = q0 * (a0[p] - b0[p]) + q1 * (a1[p] - b1[p])
            s[p] += near + q2 * (a2[p] - b2[p]) + q3 * (a3[p] - b3[p])


@njit(**_OPTIONS)
def transpose(x: Floats, rows: int, columns: int, out: Floats) -> None:
    """A plane (rows · columns,) as (columns · rows,)."""
    for y in range(rows):
        line = x[y * columns : (y + 1) * columns]
        for i in range(columns):
            out[i * rows + y] = line[i]


@njit(**_OPTIONS)
def pool(
    x: Floats, rows: int, columns: int, taps: Floats, down: Floats, across: Floats,
    padded: Floats, turned: Floats, out: Floats,
) -> None:  # fmt: skip
    """Gaussian mean of a plane (rows · columns,); ``down`` and ``across`` weigh the borders.

    ``padded`` ((rows + 2 reach) · columns,) and ``turned`` ((columns + 2 reach) · rows,) are zero
    above and below; ``padded`` and ``out`` may not overlap.
    """
    reach, n = taps.size - 1, rows * columns
    above, before = reach * columns, reach * rows
    inside = padded[above : above + n]
    copy(x[:n], inside)
    fold_even(padded, columns, above, n, taps, out)
    transpose(out, rows, columns, turned[before:])
    fold_even(turned, rows, before, n, taps, inside)
    for y in range(rows):
        weight = down[y]
        line = out[y * columns : (y + 1) * columns]
        for i in range(columns):
            line[i] = inside[i * rows + y] * weight * across[i]


@njit(**_OPTIONS)
def add_square(
    cc: Floats, ss: Floats, sc: Floats, cs: Floats, ground: Floats, scale: Floats, sign: float,
    weight: float, total: Floats,
) -> None:  # fmt: skip
    """Adds ``weight`` (even² + odd²) of one orientation to ``total``."""
    a, b, c = scale[0], scale[1], scale[2]
    for p in range(total.size):
        wave = a * (cc[p] - sign * ss[p]) - b * ground[p]
        other = c * (sign * sc[p] + cs[p])
        total[p] += weight * (wave * wave + other * other)


@njit(**_OPTIONS)
def copy(x: Floats, out: Floats) -> None:
    """``x`` into the beginning of ``out``."""
    for p in range(x.size):
        out[p] = x[p]


@njit(**_OPTIONS)
def add_energy(
    image: Floats, weight: float, even: Floats, odd: Floats, pairs: NDArray[np.int64],
    members: NDArray[np.int64], scales: Floats, padded: Floats, line: Floats, turned: Floats,
    waves: Floats, squares: Floats,
) -> None:  # fmt: skip
    """Adds ``weight`` (even² + odd²) of every orientation to ``squares`` (n, W · H), transposed.

    ``pairs`` (m, 2) are the frequencies across and down that occur, ``members`` (n, 2) each
    orientation's pair and the sign of its frequency across, ``scales`` (n, 3) the factors of the
    even wave, the window's mean in it, and the odd wave. Frequency 0 is the first.
    """
    height, width = image.shape
    reach, n = even.shape[1] - 1, height * width
    for y in range(height + 2 * reach):  # no edge at the image's border
        copy(image[min(max(y - reach, 0), height - 1)], padded[y * width :])
    cc, sc, cs, ss, ground = waves[0], waves[1], waves[2], waves[3], waves[4]
    above = reach * height
    for f in range(len(even)):
        fold_both(padded, width, reach * width, n, even[f], odd[f], line[:n], line[n:])
        for part in range(1 if f == 0 else 2):
            plane = turned[2 * f + part]
            transpose(line[part * n : (part + 1) * n], height, width, plane[above:])
            for r in range(reach):
                copy(plane[above : above + height], plane[r * height :])
                copy(plane[above + n - height : above + n], plane[above + n + r * height :])
    fold_even(turned[0], height, above, n, even[0], ground)
    for m in range(len(pairs)):
        u, v = pairs[m, 0], pairs[m, 1]
        if u > 0:
            fold_both(turned[2 * v], height, above, n, even[u], odd[u], cc, sc)
        else:
            fold_even(turned[2 * v], height, above, n, even[0], cc)
            sc[:] = _f4(0.0)
        if v == 0:
            cs[:] = _f4(0.0)
            ss[:] = _f4(0.0)
        elif u > 0:
            fold_both(turned[2 * v + 1], height, above, n, even[u], odd[u], cs, ss)
        else:
            fold_even(turned[2 * v + 1], height, above, n, even[0], cs)
            ss[:] = _f4(0.0)
        for i in range(len(members)):
            if members[i, 0] == m:
                add_square(
                    cc, ss, sc, cs, ground, scales[i], _f4(members[i, 1]), weight, squares[i]
                )


@njit(**_OPTIONS)
def sweep(e: Floats, inputs: Floats, sst: Floats, off: float, inverse: float, over: float) -> None:
    """One red-black sweep over the ring at every pixel; columns and inputs are (n, pixels)."""
    n = len(e)
    for start in range(2):
        for i in range(start, n, 2):
            here, given = e[i], inputs[i]
            left, right = e[i - 1 if i > 0 else n - 1], e[i + 1 if i + 1 < n else 0]
            for p in range(here.size):
                wanted = (given[p] - sst[p] + off * (left[p] + right[p])) * inverse
                new = here[p] + over * (wanted - here[p])
                here[p] = new if new > _f4(0.0) else _f4(0.0)


@njit(**_OPTIONS)
def sweep_and_watch(
    e: Floats, inputs: Floats, sst: Floats, off: float, inverse: float, over: float, change: Floats
) -> None:
    """`sweep`, and the largest change at every pixel."""
    n = len(e)
    change[:] = _f4(0.0)
    for start in range(2):
        for i in range(start, n, 2):
            here, given = e[i], inputs[i]
            left, right = e[i - 1 if i > 0 else n - 1], e[i + 1 if i + 1 < n else 0]
            for p in range(here.size):
                wanted = (given[p] - sst[p] + off * (left[p] + right[p])) * inverse
                new = here[p] + over * (wanted - here[p])
                new = new if new > _f4(0.0) else _f4(0.0)
                moved = abs(new - here[p])
                change[p] = moved if moved > change[p] else change[p]
                here[p] = new


@njit(**_OPTIONS)
def largest(x: Floats) -> float:
    """The largest value, x overwritten: halves are compared as vectors."""
    n = x.size
    while n > 16:
        half = n // 2
        rest = n - half
        low, high = x[:half], x[rest : rest + half]
        for p in range(half):
            low[p] = high[p] if high[p] > low[p] else low[p]
        n = rest
    top = x[0]
    for p in range(1, n):
        top = max(top, x[p])
    return top


@njit(**_OPTIONS)
def settle(
    e: Floats, inputs: Floats, rows: int, columns: int, off: float, inverse: float, over: float,
    loop: float, table: Floats, taps: Floats, down: Floats, across: Floats, fields: Floats,
    buffer: Floats, middle: Floats, tolerance: float, most: int,
) -> int:  # fmt: skip
    """The fixed point into ``e`` (n, pixels); how many updates of SST it took, 0 if too many.

    S follows β₁β₂ G * Ē with the weight 2 / (2 + b), b being how strongly Ē answers to S: with k
    columns active next to each other ``table[k]``, averaged over the neighbourhood.
    """
    n, pixels = e.shape
    sst, pooled, mean, change, weight = fields[0], fields[1], fields[2], fields[3], fields[4]
    share = _f4(loop / n)
    before = _f4(1e30)
    sst[:] = _f4(0.0)
    for i in range(n):
        here, given = e[i], inputs[i]
        for p in range(pixels):
            here[p] = given[p] if given[p] > _f4(0.0) else _f4(0.0)
            sst[p] += here[p]
    if loop > 0.0:
        for p in range(pixels):
            mean[p] = share * sst[p]
        pool(mean, rows, columns, taps, down, across, buffer, middle, sst)
    else:
        sst[:] = _f4(0.0)
    damping, top = _f4(1.0), _f4(1e30)
    for k in range(most):
        for _ in range(SWEEPS - 1):
            sweep(e, inputs, sst, off, inverse, over)
        if k < 3:  # no filter settles that soon
            sweep(e, inputs, sst, off, inverse, over)
            moved = _f4(1e30)
        else:
            sweep_and_watch(e, inputs, sst, off, inverse, over, change)
            moved = largest(change)
        if loop > 0.0:
            if k == 0 or k % 8 == 3:
                change[:] = _f4(0.0)
                for i in range(n):
                    here = e[i]
                    for p in range(pixels):
                        change[p] += _f4(1.0) if here[p] > _f4(0.0) else _f4(0.0)
                for p in range(pixels):
                    change[p] = table[int(change[p])]
                pool(change, rows, columns, taps, down, across, buffer, middle, weight)
                for p in range(pixels):
                    weight[p] = _f4(2.0) / (_f4(2.0) + weight[p])
            here = e[0]
            for p in range(pixels):
                mean[p] = here[p]
            for i in range(1, n):
                here = e[i]
                for p in range(pixels):
                    mean[p] += here[p]
            pool(mean, rows, columns, taps, down, across, buffer, middle, pooled)
            for p in range(pixels):
                missing = share * pooled[p] - sst[p]
                sst[p] += damping * weight[p] * missing
                change[p] = abs(missing)
            moved = max(moved, inverse * largest(change))
        shrink = min(max(moved / before, _f4(0.3)), _f4(0.97))
        if moved > before:
            damping *= _f4(0.8)
        before = max(moved, _f4(1e-30))
        left = moved * shrink / (_f4(1.0) - shrink)  # of a geometric series of changes
        if k > 3 and left <= tolerance * top:  # the largest column is looked for when it matters
            change[:] = e[0]
            for i in range(1, n):
                here = e[i]
                for p in range(pixels):
                    change[p] = here[p] if here[p] > change[p] else change[p]
            top = largest(change)
            if left <= tolerance * top:
                return k + 1
    return 0


@njit(**_OPTIONS)
def filter_batch(
    images: Floats, even: Floats, odd: Floats, pairs: NDArray[np.int64],
    members: NDArray[np.int64], scales: Floats, taps: Floats, down: Floats, across: Floats,
    ring: Floats, table: Floats, readout: Floats, numbers: Floats, most: int,
    columns: Floats, vectors: Floats, rounds: NDArray[np.int64],
) -> None:  # fmt: skip
    """Images (B, C, H, W) to settled columns (B or 0, n, H · W) and vectors (B, 3, H · W).

    ``numbers``: LAMP5's grade, the semisaturation, w, the offset, β₁β₂ and the tolerance. Inside,
    planes are transposed: (W · H,).
    """
    batch, channels, height, width = images.shape
    n, pixels = len(members), height * width
    lamp5, semisaturation, feed_forward = numbers[0], numbers[1], numbers[2]
    offset, loop, tolerance = numbers[3], numbers[4], numbers[5]
    gabor, reach = even.shape[1] - 1, taps.size - 1
    padded = np.zeros((height + 2 * gabor) * width, _f4)
    line = np.zeros(2 * pixels, _f4)
    turned = np.zeros((2 * len(even), (width + 2 * gabor) * height), _f4)
    waves = np.zeros((5, pixels), _f4)
    buffer = np.zeros((width + 2 * reach) * height, _f4)
    middle = np.zeros((height + 2 * reach) * width, _f4)
    fields = np.zeros((5, pixels), _f4)
    drive, settled = np.zeros((n, pixels), _f4), np.zeros((n, pixels), _f4)
    mean, pooled = np.zeros(pixels, _f4), np.zeros(pixels, _f4)
    for b in range(batch):
        drive[:] = _f4(0.0)
        same = 1  # channels equal to the first are filtered once
        for c in range(1, channels):
            if np.array_equal(images[b, c], images[b, 0]):
                same += 1
            else:
                add_energy(
                    images[b, c], _f4(1.0 / channels), even, odd, pairs, members, scales, padded,
                    line, turned, waves, drive,
                )  # fmt: skip
        add_energy(
            images[b, 0], _f4(same / channels), even, odd, pairs, members, scales, padded, line,
            turned, waves, drive,
        )  # fmt: skip
        mean[:] = _f4(0.0)
        for i in range(n):
            here = drive[i]
            for p in range(pixels):
                here[p] = np.sqrt(here[p] + _f4(1e-12))
                mean[p] += here[p]
        pool(mean, width, height, taps, across, down, buffer, middle, pooled)
        for p in range(pixels):
            pooled[p] = _f4(1.0) / (lamp5 * pooled[p] / _f4(n) + semisaturation)
            mean[p] *= pooled[p]
        for i in range(n):
            here = drive[i]
            for p in range(pixels):
                here[p] *= pooled[p]
        pool(mean, width, height, taps, across, down, buffer, middle, pooled)
        for i in range(n):
            here = drive[i]
            for p in range(pixels):
                here[p] += offset - feed_forward / _f4(n) * pooled[p]
        rounds[b] = settle(
            settled, drive, width, height, ring[0], ring[1], ring[2], loop, table, taps, across,
            down, fields, buffer, middle, tolerance, most,
        )  # fmt: skip
        if len(columns) == batch:
            for i in range(n):
                transpose(settled[i], width, height, columns[b, i])
        read_out(settled, readout, height, width, mean, vectors[b])


@njit(**_OPTIONS)
def read_out(
    settled: Floats, readout: Floats, height: int, width: int, line: Floats, vector: Floats
) -> None:
    """The population vector of transposed columns, in units of its first entry's s.d."""
    pixels = height * width
    scale = _f4(1.0)
    for k in range(len(readout)):
        line[:] = _f4(0.0)
        for i in range(len(settled)):
            here, weight = settled[i], readout[k, i]
            for p in range(pixels):
                line[p] += weight * here[p]
        if k == 0:
            total, spread = _f4(0.0), _f4(0.0)
            for p in range(pixels):
                total += line[p]
            total /= _f4(pixels)
            for p in range(pixels):
                spread += (line[p] - total) ** 2
            scale = _f4(1.0) / (np.sqrt(spread / _f4(pixels - 1)) + _f4(1e-3))
        for p in range(pixels):
            line[p] *= scale
        transpose(line, width, height, vector[k])
