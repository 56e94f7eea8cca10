"""A placed network fires, spike for spike, as the network that was written down."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swta.truenorth import plots
from swta.truenorth.network import Network, Population, Projection, Source
from swta.truenorth.packing import Bundle, assign_types
from swta.truenorth.placement import build_chip, place
from swta.validation import ParameterError


class DirectNetwork:
    """The network itself, without cores or axons: weight matrices and a queue of arrivals."""

    def __init__(self, network):
        self.network = network
        self.v = {p.name: p.potential.astype(int) for p in network.populations}
        self.due = {}  # (tick, population) -> input
        self.matrices = [matrix.toarray().astype(int) for matrix in network.matrices()]
        self.tick = 0

    def deliver(self, tick, name, fired):
        """``fired`` is 0 or 1 for each neuron or line of ``name``."""
        for projection, matrix in zip(self.network.projections, self.matrices, strict=True):
            if projection.pre == name:
                key = tick + projection.delay, projection.post
                total = projection.weight * (fired @ matrix)
                self.due[key] = self.due.get(key, 0) + total

    def run(self, spikes, n_ticks):
        sizes = self.network.sizes
        found = {p.name: [] for p in self.network.populations}
        for tick in range(self.tick, self.tick + n_ticks):
            for name, rows in spikes.items():
                fired = np.zeros(sizes[name], dtype=int)
                rows = np.reshape(rows, (-1, 2))
                fired[rows[rows[:, 0] == tick, 1]] = 1
                self.deliver(tick, name, fired)
            for p in self.network.populations:
                v = self.v[p.name] + self.due.pop((tick, p.name), 0)
                v = v + np.where(p.leak_reversal, np.sign(v), 1) * p.leak
                fired = v >= p.threshold
                below = ~fired & (v < -p.negative_threshold)
                after = [p.reset, v - p.threshold, v]
                under = [-p.reset, v + p.negative_threshold, v]
                under = np.where(
                    p.negative_saturate, -p.negative_threshold, np.choose(p.reset_mode, under)
                )
                v = np.where(fired, np.choose(p.reset_mode, after), np.where(below, under, v))
                self.v[p.name] = v
                found[p.name] += [(tick, int(i)) for i in np.flatnonzero(fired)]
                self.deliver(tick, p.name, fired.astype(int))
        self.tick += n_ticks
        return found


def assert_same(network, spikes, n_ticks, **options):
    """Run the network on a chip, at a place that is not the first, and by itself."""
    placement = place(network, **options)
    small = place(Network([Population("alone", 1, threshold=9, leak=1)], []))
    chip, first = build_chip([small, placement])
    raster = chip.run(placement.inputs(spikes, first_core=first[1]), n_ticks)
    direct = DirectNetwork(network)
    expected = direct.run(spikes, n_ticks)
    n_spikes = 0
    potentials = placement.read(chip.potentials, first_core=first[1])
    counts = placement.read(raster.counts(), first_core=first[1])
    for name, rows in expected.items():
        assert placement.spikes(raster, name, first_core=first[1]).tolist() == [
            list(row) for row in rows
        ]
        assert potentials[name].tolist() == direct.v[name].tolist()
        assert counts[name].sum() == len(rows)
        n_spikes += len(rows)
    for core in range(placement.n_cores):
        assert placement.axons_used[core] <= 256 and placement.neurons_used[core] <= 256
    assert small.spikes(raster, "alone")[:, 0].tolist() == list(range(8, n_ticks, 9))
    return placement, n_spikes


@st.composite
def networks(draw):
    """Random populations, modes and connections, sometimes larger than a core."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    long = draw(st.booleans())
    sizes = draw(st.lists(st.sampled_from([1, 3, 20, 60, 150, 300]), min_size=1, max_size=4))
    populations = [
        Population(
            f"p{k}",
            n,
            threshold=rng.integers(1, 12, n),
            negative_threshold=rng.integers(0, 9, n),
            reset=rng.integers(-3, 4, n),
            reset_mode=rng.integers(0, 2, n),
            leak=rng.integers(-1, 2, n),
            leak_reversal=rng.random(n) < 0.2,
            negative_saturate=rng.random(n) < 0.7,
            potential=rng.integers(-3, 5, n),
        )
        for k, n in enumerate(sizes)
    ]
    sources = [Source("s0", 40), Source("s1", 7)]
    pool = rng.choice([-7, -2, -1, 1, 3, 6, 255], size=4, replace=False)
    names = [p.name for p in populations]
    n_of = {part.name: part.n for part in (*populations, *sources)}
    projections = []
    for _ in range(draw(st.integers(1, 8))):
        pre = rng.choice([*names, "s0", "s1"])
        post = rng.choice(names)
        low = 0 if pre.startswith("s") else 2 if long else 1
        fan_in = min(n_of[pre], 30)
        density = rng.uniform(0.02, 0.6) * fan_in / n_of[pre]
        projections.append(
            Projection(
                str(pre),
                str(post),
                int(rng.choice(pool)),
                delay=int(rng.integers(low, min(low + 3, 16))),
                connections=rng.random((n_of[pre], n_of[post])) < density,
            )
        )
    spikes = {
        source.name: [
            (t, line) for t in range(25) for line in range(source.n) if rng.random() < 0.15
        ]
        for source in sources
    }
    return Network(populations, projections, sources), spikes, long


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(networks(), st.data())
def test_every_spike_of_random_networks(drawn, data):
    network, spikes, long = drawn
    options = ["auto", "copies", "splitters"] if long else ["auto", "copies"]
    assert_same(network, spikes, 30, fanout=data.draw(st.sampled_from(options)))


def competition(n_units, *, per_unit=16, delay=1, blocks=1, kick=()):
    """Units that excite themselves and share an inhibitory pool."""
    linear = {"threshold": 16, "reset_mode": 1, "negative_threshold": 99, "negative_saturate": True}
    populations = [Population(f"u{k}", per_unit, **linear) for k in range(n_units)]
    populations.append(Population("pool", 16, **linear))
    sources = [Source(f"s{k}", per_unit) for k in range(n_units)]
    projections = []
    for k in range(n_units):
        projections += [
            Projection(f"s{k}", f"u{k}", 16, delay=0, blocks=per_unit),
            Projection(f"u{k}", f"u{k}", 1, delay=delay),
            Projection(f"u{k}", "pool", 1, delay=delay, blocks=blocks),
            Projection("pool", f"u{k}", -2, delay=delay),
        ]
    rng = np.random.default_rng(4)
    spikes = {
        s.name: np.argwhere(rng.random((120, per_unit)) < 0.4 / (k + 1)).tolist()
        for k, s in enumerate(sources)
    }
    return Network([*populations, *kick], projections, sources), spikes


@pytest.mark.parametrize(
    ("n_units", "blocks", "cores"), [(2, 1, 1), (6, 1, 1), (16, 1, 4), (32, 4, 9)]
)
def test_competing_units_over_cores(n_units, blocks, cores):
    """From a core up to 32 units, whose 512 neurons no single core could hear or hold."""
    network, spikes = competition(n_units, blocks=blocks)
    placement, n_spikes = assert_same(network, spikes, 120)
    assert placement.n_cores <= cores
    assert n_spikes > 500
    if n_units > 6:
        assert placement.copies["u0"].tolist() == [2] * 16  # its own core and the pool's
        assert placement.splitters.sum() == 0


@pytest.mark.parametrize("delay", [2, 7, 15])
def test_splitters_keep_the_delay(delay):
    network, spikes = competition(16, delay=delay)
    placement, n_spikes = assert_same(network, spikes, 120, fanout="splitters")
    assert n_spikes > 500
    assert placement.splitters.sum() >= 16 * 16 * 2
    assert all((k == 1).all() for k in placement.copies.values())
    copied = place(network, fanout="copies")
    assert place(network).n_cores == min(placement.n_cores, copied.n_cores)


def test_one_source_with_every_delay():
    """One neuron reaches 15 others, each with a delay of its own: 15 copies or one splitter."""
    one = Population("one", 1, threshold=20, leak=1)
    many = [Population(f"m{d}", 1) for d in range(1, 16)]
    projections = [Projection("one", f"m{d}", 1, delay=d) for d in range(1, 16)]
    network = Network([one, *many], projections)
    placement, _ = assert_same(network, {}, 60)
    assert placement.copies["one"].tolist() == [15]
    later = Network([one, *many], [replace(p, delay=max(p.delay, 2)) for p in projections])
    split, _ = assert_same(later, {}, 60, fanout="splitters")
    assert split.splitters.sum() == 14  # the two of delay 2 share an axon
    assert split.copies["one"].tolist() == [1]


def test_splitters_save_cores_where_copies_would_need_their_axons_again():
    """Neurons that hear 200 lines and reach many cores: copies would carry the lines along."""
    ears = Population("ears", 200, threshold=50)
    far = [Population(f"f{k}", 200) for k in range(6)]
    network = Network(
        [ears, *far],
        [
            Projection("s", "ears", 1, delay=0),
            *(Projection("ears", f.name, 1, delay=3, blocks=200) for f in far),
        ],
        [Source("s", 200)],
    )
    spikes = {"s": [(t, line) for t in range(10) for line in range(0, 200, 3 + t)]}
    placement, n_spikes = assert_same(network, spikes, 20)
    assert n_spikes > 100
    assert placement.n_cores <= place(network, fanout="copies").n_cores
    assert place(network, fanout="splitters").splitters.sum() == 1200


def test_two_projections_between_the_same_neurons_add_up():
    """A weight of 300 is 255 and 45 on two axons."""
    network = Network(
        [Population("a", 2, threshold=300)],
        [Projection("s", "a", w, delay=0, blocks=2) for w in (255, 45)],
        [Source("s", 2)],
    )
    placement, n_spikes = assert_same(network, {"s": [(3, 1), (5, 0)]}, 10)
    assert n_spikes == 2
    assert len(placement.lines["s"]) == 4


def test_groups_keep_axon_types_apart():
    """Two sources that each excite one population and inhibit both: three types, or four axons."""
    own = [Projection(f"s{k}", f"p{k}", 64, delay=0) for k in range(5)]
    parts = (
        [Population(f"p{k}", 2, threshold=70) for k in range(5)],
        [Source(f"s{k}", 2) for k in range(5)],
    )
    spikes = {f"s{k}": [(t, t % 2) for t in range(k, 40, k + 2)] for k in range(5)}
    cores = []
    for group in ("", "inhibition"):
        down = [
            Projection(f"s{k}", f"p{j}", -1, delay=0, axon_group=group)
            for k in range(5)
            for j in range(5)
        ]
        placement, n_spikes = assert_same(Network(parts[0], [*own, *down], parts[1]), spikes, 40)
        assert n_spikes > 10
        cores.append(placement.n_cores)
    assert cores == [2, 1]


def test_motifs_side_by_side_do_not_touch():
    network, spikes = competition(3)
    placement = place(network)
    chip, first = build_chip([placement] * 3)
    rows = [placement.inputs(spikes, first_core=f) for f in first[:2]]
    raster = chip.run(np.concatenate(rows), 120)
    alone = run_alone(placement, spikes)
    for name in placement.places:
        for place_on_chip in first[:2]:
            found = placement.spikes(raster, name, first_core=place_on_chip)
            np.testing.assert_array_equal(found, alone[name])
        assert len(placement.spikes(raster, name, first_core=first[2])) == 0
    assert first.tolist() == [0, 1, 2]


def run_alone(placement, spikes):
    chip, _ = build_chip([placement])
    raster = chip.run(placement.inputs(spikes), 120)
    return {name: placement.spikes(raster, name) for name in placement.places}


def test_axon_types_are_found_where_they_exist():
    def bundles(*tables):
        return {Bundle(str(k), 1, "", 0): table for k, table in enumerate(tables)}

    shared = assign_types(bundles({"a": 1}, {"b": 2}, {"a": 1, "b": 2}))
    assert set(shared.values()) == {0}
    four = bundles({"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}, {"b": 5}, {"b": 6, "c": 1})
    types = assign_types(four)
    assert len({types[b] for b in list(four)[:4]}) == 4
    assert types[Bundle("4", 1, "", 0)] != types[Bundle("5", 1, "", 0)]
    # first come, first served would put both b's with other a's than it can
    assert assign_types(bundles({"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}, {"a": 5})) is None
    triangle = [{"a": k, "b": k, "c": k} for k in range(1, 5)]
    assert assign_types(bundles(*triangle, {"a": 1, "b": 2})) is None
    assert assign_types(bundles(*triangle, {"a": 1, "b": 1})) is not None


def simple(n_pre=4, n_post=4, **fields):
    options = {"weight": 1} | fields
    return Network(
        [Population("pre", n_pre, leak=1), Population("post", n_post)],
        [Projection("pre", "post", **options)],
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: place(simple(n_pre=257)),
            "fan-in: projection 'pre' -> 'post' connects 257 lines to each neuron; a core has 256",
        ),
        (
            lambda: place(simple(n_pre=257, connections=np.ones((257, 4)))),
            r"fan-in: neuron 0 of population 'post' listens to 257 lines from 'pre'.*256 axons",
        ),
        (
            lambda: place(
                Network(
                    [Population("a", 1), Population("b", 1)],
                    [Projection("a", "b", w) for w in (1, 2, 3, -4, 5)],
                )
            ),
            r"weights: population 'b' has 5 different ones, \[-4, 1, 2, 3, 5\], from 'a'.*holds 4",
        ),
        (
            lambda: place(simple(n_post=300), max_cores=1),
            "cores: no core left for population 'post'; the network needs more than 1",
        ),
        (
            lambda: place(
                Network(
                    [Population("hub", 1), Population("a", 1), Population("b", 1)],
                    [Projection("hub", "a", 1)] * 200 + [Projection("hub", "b", 1, delay=2)] * 60,
                )
            ),
            "fan-out: neuron 0 of population 'hub' drives 260 axons and needs as many copies",
        ),
        (
            lambda: place(
                Network(
                    [Population("hub", 1), Population("a", 1), Population("b", 1)],
                    [Projection("hub", "a", 1, delay=2)] * 200
                    + [Projection("hub", "b", 1, delay=3)] * 60,
                ),
                fanout="splitters",
            ),
            "fan-out: neuron 0 of population 'hub' drives 260 axons; a splitter reaches 256",
        ),
        (
            lambda: place(competition(16)[0], fanout="splitters"),
            "splitters: projection 'u0' -> 'u0' has a delay of 1 and population 'u0' drives 2",
        ),
        (lambda: place(simple(), fanout="copy"), "fanout = 'copy' is unknown; allowed: auto"),
        (lambda: place(simple(), max_cores=5000), "max_cores = 5000"),
        (lambda: place(simple(blocks=3)), "blocks = 3 must divide 4 and 4"),
        (
            lambda: place(simple(connections=np.ones((2, 4)))),
            r"projection 'pre' -> 'post': connections has shape \(2, 4\)",
        ),
        (lambda: simple(connections=np.ones((4, 4)), blocks=2), "give blocks or connections"),
        (lambda: simple(weight=0), "'pre' -> 'post': weight = 0 connects nothing"),
        (lambda: simple(weight=256), "'pre' -> 'post': weight = 256 is out of range"),
        (lambda: simple(delay=16), "delay = 16 is out of range; allowed: 0 … 15"),
        (lambda: simple(delay=0), "delay = 0; allowed: 1 … 15 from a population"),
        (lambda: Network([Population("a", 1)], [Projection("b", "a", 1)]), "pre = 'b' is unknown"),
        (
            lambda: Network([Population("a", 1)], [Projection("s", "s", 1)], [Source("s", 1)]),
            "post = 's' is unknown",
        ),
        (lambda: Network([Population("a", 1)] * 2, []), "name 'a' is used twice"),
        (lambda: Network([], []), "number of populations = 0"),
        (lambda: Population("a", 0), "population 'a': n = 0"),
        (lambda: Population("", 1), "population name = ''"),
        (lambda: Population("a", 2, leak=[1, 300]), "population 'a', neuron 1: leak = 300"),
        (lambda: Population("a", 2, threshold=[1, 2, 3]), "population 'a', threshold has shape"),
        (lambda: Source("s", 0), "source 's': n = 0"),
        (lambda: place(simple()).inputs({"s": []}), "source = 's' is unknown"),
        (
            lambda: place(competition(2)[0]).inputs({"s0": [(0, 16)]}),
            "source 's0': line = 16 is out of range; allowed: 0 … 15",
        ),
        (
            lambda: build_chip([place(simple())] * 4097),
            "cores of all networks = 4097 is out of range",
        ),
    ],
)
def test_what_cannot_be_placed(build, message):
    with pytest.raises(ParameterError, match=message):
        build()


def test_figures_count_what_is_there():
    placement = place(competition(16)[0])
    figure, (left, right) = plt.subplots(1, 2)
    plots.plot_placement(placement, left)
    heights = np.array([bar.get_height() for bar in left.patches]).reshape(2, -1)
    np.testing.assert_array_equal(heights.sum(0), placement.neurons_used)
    assert heights[0].sum() == 16 * 16 + 16
    assert left.get_lines()[0].get_ydata().tolist() == placement.axons_used.tolist()
    plots.plot_crossbar(placement, 1, right)
    shown = right.get_images()[0].get_array()
    np.testing.assert_array_equal(shown > 0, placement.crossbar[1])
    plt.close(figure)
