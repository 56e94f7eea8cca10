"""The playground's model agrees with the library, and its controls and read-out work."""

import itertools
from pathlib import Path

import numpy as np
import papermill
import pytest

from swta import memory
from swta.circuit import (
    Motif,
    Selection,
    StepInputs,
    motif_network,
    settle,
    simulate_rate,
    stability_class,
    steady_state,
    suppression_ratio,
    winner_gain,
    winner_rate,
)
from swta.memory import CoupledPair, Cue
from swta.memory.coupling import pair_network
from swta.validation import ParameterError

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"
SCRIPTS = ("playground_model.js", "playground_figure.js", "playground.js")
PAGES = {
    "motif": ROOT / "_build" / "html" / "book" / "02_soft_wta.html",
    "pair": ROOT / "_build" / "html" / "book" / "04_up_states.html",
}
MEMORY = {"alpha": 0.9, "beta1": 3.0, "beta2": 0.25, "T_E": 0.3, "T_N": 1.0}


def fields(motif):
    """The fields of a motif that the page knows, under the same names."""
    return {name: getattr(motif, name) for name in ("alpha", "beta1", "beta2", "T_E", "T_N")}


def stable_motifs(n_units):
    """Every stable motif of a grid that includes VIP drive, thresholds and both regimes."""
    motifs = []
    for alpha, beta1, beta2, vip, T_E, T_N in itertools.product(
        (0.0, 0.5, 0.9, 0.97, 1.03, 1.2, 1.4, 1.7),
        (1.0, 3.0, 4.0),
        (0.1, 0.25, 0.5),
        (0.0, 0.3, 0.9),
        (0.0, 0.3),
        (-0.5, 0.0, 1.0),
    ):
        try:
            motifs.append(Motif(alpha, beta1 * (1 - vip), beta2, T_E, T_N, n_units))
        except ParameterError:
            continue
    return motifs


@pytest.fixture(scope="module")
def script(browser):
    """Evaluates a function of one argument in a blank page that holds the model alone."""
    page = browser.new_page()
    page.add_script_tag(path=STATIC / SCRIPTS[0])
    yield page.evaluate
    page.close()


@pytest.mark.parametrize(("alpha", "gain"), [(0.9, 1.1765), (1.2, 1.8182), (1.4, 2.8571)])
def test_gain_has_its_worked_value(script, alpha, gain):
    motif = fields(Motif(alpha=alpha))
    assert script("m => swtaModel.winnerGain(m)", motif) == pytest.approx(gain, abs=5e-5)


@pytest.mark.parametrize(
    ("alpha", "kappa"),
    [(0, 0.429), (0.5, 0.600), (0.8, 0.789), (0.9, 0.882), (1, 1), (1.2, 1.364), (1.4, 2.143)],
)
def test_suppression_ratio_has_its_worked_value(script, alpha, kappa):
    motif = fields(Motif(alpha=alpha))
    assert script("m => swtaModel.suppressionRatio(m)", motif) == pytest.approx(kappa, abs=5e-4)


@pytest.mark.parametrize(
    ("alpha", "inputs", "rates"),
    [
        (0.9, (10, 8, 6), (11.765, 0, 0)),
        (1.2, (10, 8, 6), (18.182, 0, 0)),
        (1.4, (10, 8, 6), (28.571, 0, 0)),
        (0.5, (10, 9, 8), (5.2727, 3.2727, 1.2727)),
        (0.8, (10, 9, 8), (8.0882, 3.0882, 0)),
        (0.5, (10, 8, 6), (6.5, 2.5, 0)),
    ],
)
def test_steady_state_has_its_worked_value(script, alpha, inputs, rates):
    motif = Motif(alpha=alpha, n_units=3)
    closed, settled = script(
        """([m, inputs]) => [
             swtaModel.steadyState(m, inputs),
             swtaModel.settle(swtaModel.motifNetwork(m, 3), [...inputs, 0])]""",
        [fields(motif), inputs],
    )
    assert closed == pytest.approx(rates, abs=5e-4)
    assert settled[:3] == pytest.approx(rates, abs=5e-4)
    assert closed == pytest.approx(steady_state(motif, inputs), abs=1e-9)
    assert settled[:3] == pytest.approx(steady_state(motif, inputs), abs=1e-6)


def test_closed_forms_agree_on_a_grid(script):
    rng = np.random.default_rng(1)
    motifs = stable_motifs(4)
    inputs = rng.uniform(0, 12, (len(motifs), 4))
    inputs[::7] *= rng.integers(0, 2, (len(inputs[::7]), 4))  # some units without input
    cases = [[fields(m), list(row)] for m, row in zip(motifs, inputs, strict=True)]
    shown = script(
        """cases => cases.map(([m, inputs]) => [
             swtaModel.winnerGain(m), swtaModel.suppressionRatio(m),
             swtaModel.winnerRate(m, inputs[0]), ...swtaModel.steadyState(m, inputs)])""",
        cases,
    )
    expected = [
        [winner_gain(m), suppression_ratio(m), winner_rate(m, row[0]), *steady_state(m, row)]
        for m, row in zip(motifs, inputs, strict=True)
    ]
    assert len(motifs) > 800
    np.testing.assert_allclose(shown, expected, rtol=1e-9, atol=1e-9)


def test_settled_rates_agree_on_a_grid(script):
    motifs = stable_motifs(4)[::5]
    inputs = np.random.default_rng(2).uniform(0, 12, (len(motifs), 4))
    cases = [[fields(m), [*row, 0.0]] for m, row in zip(motifs, inputs, strict=True)]
    shown = script(
        "cases => cases.map(([m, i]) => swtaModel.settle(swtaModel.motifNetwork(m, 4), i))", cases
    )
    expected = np.concatenate(
        [settle(m, row, longest=2e5) for m, row in zip(motifs, inputs, strict=True)]
    )
    np.testing.assert_allclose(np.array(shown)[:, :4], expected, rtol=1e-6, atol=1e-6)


def test_the_winner_of_the_past_keeps_its_place(script):
    """With unit 1's input last, the end agrees with the library's run of the same inputs."""
    motif = Motif(alpha=1.2)
    early, late = [0, 9, 3, 3], [10, 9, 3, 3]
    shown = script(
        """([m, early, late]) => {
             const network = swtaModel.motifNetwork(m, 4);
             const course = swtaModel.simulate(network, [[0, early], [25, late]], 65);
             return [course.times, course.rates, swtaModel.settle(network, late, course.state)]}""",
        [fields(motif), [*early, 0], [*late, 0]],
    )
    inputs = StepInputs(np.array([0.0, 25.0]), np.array([early, late], dtype=float))
    course = simulate_rate(motif, inputs, duration=65)
    assert shown[0] == pytest.approx(course.time, abs=1e-9)
    rates = np.concatenate([course.rates[:, 0], course.inhibition], axis=1)
    np.testing.assert_allclose(shown[1], rates, atol=1e-9)
    assert shown[2][:4] == pytest.approx([0, 9 * winner_gain(motif), 0, 0], abs=1e-6)


def test_equal_rivals_are_left_to_chance(script):
    with pytest.raises(ParameterError, match="chance"):
        steady_state(Motif(alpha=1.2, n_units=2), [5, 5])
    hard = fields(Motif(alpha=1.2))
    assert script("m => swtaModel.steadyState(m, [5, 5])", hard) is None
    assert script("m => swtaModel.steadyState(m, [0, 0])", hard) == [0, 0]


def test_regimes_agree_over_the_map(script):
    alphas, loops = np.linspace(0, 2.2, 89), np.linspace(0, 2, 81)
    shown = script(
        "([as, ls]) => as.map((a) => ls.map((l) => swtaModel.stabilityClass(a, l)))",
        [list(alphas), list(loops)],
    )
    np.testing.assert_array_equal(shown, stability_class(alphas[:, None], loops[None, :]))


def test_euler_steps_are_those_of_the_library(script):
    motifs = stable_motifs(2)[::11]
    pairs = [
        CoupledPair(Motif(a, 3.0, 0.25, 0.3, 1.0, 2), g)
        for a in (0.5, 0.9)
        for g in (0.0, 0.2, 0.8)
    ]
    shown = script(
        """([motifs, pairs]) => [
             ...motifs.map((m) => swtaModel.motifNetwork(m, 2)),
             ...pairs.map(([m, gamma]) => swtaModel.pairNetwork(m, gamma, 2)),
           ].map((network) => swtaModel.safeStep(network, 2))""",
        [[fields(m) for m in motifs], [[fields(p.motif), p.gamma] for p in pairs]],
    )
    networks = [*map(motif_network, motifs), *map(pair_network, pairs)]
    assert shown == pytest.approx([network.safe_step(2) for network in networks], rel=1e-6)


def test_closed_forms_of_the_pair_agree(script):
    pairs = [
        CoupledPair(Motif(alpha, beta1, beta2, T_E, T_N, 2), share * limit)
        for alpha, beta1, beta2, T_E, T_N in itertools.product(
            (0.5, 0.9, 1.05), (2.0, 3.0), (0.25, 0.4), (0.1, 0.3), (0.5, 1.0)
        )
        for limit in [min(2.0, 1.0 + beta1 * beta2) - alpha]
        for share in (0.1, 0.5, 0.9)
    ]
    shown = script(
        """pairs => pairs.map(([m, gamma]) => [
             ...swtaModel.persistenceRange(m), swtaModel.persists(m, gamma),
             swtaModel.upRate(m, gamma), swtaModel.saddleRate(m, gamma)])""",
        [[fields(p.motif), p.gamma] for p in pairs],
    )
    assert {row[2] for row in shown} == {True, False}
    for pair, (lowest, highest, persists, up, saddle) in zip(pairs, shown, strict=True):
        assert (lowest, highest) == pytest.approx(memory.persistence_range(pair.motif), abs=1e-12)
        assert persists == memory.persists(pair)
        if persists:
            assert up == pytest.approx(memory.up_rate(pair), rel=1e-9)
            assert saddle == pytest.approx(memory.saddle_rate(pair), rel=1e-9)


SETTLE_AFTER_CUES = """([m, gamma, cues]) => {
  const network = swtaModel.pairNetwork(m, gamma, 2);
  const phases = swtaModel.cuePhases(2, cues, 30, 60);
  const course = swtaModel.simulate(network, phases, 90 * cues.length, { every: 25 });
  const rest = swtaModel.settle(network, Array(6).fill(0), course.state);
  return { course, rest };
}"""


@pytest.mark.parametrize(
    ("gamma", "rate"),
    [(0, 0), (0.05, 0), (0.2, 0), (0.3, 4.909), (0.4, 6.0), (0.6, 10.8), (0.8, 54.0)],
)
def test_up_state_after_a_cue_has_its_worked_value(script, gamma, rate):
    rest = script(SETTLE_AFTER_CUES, [MEMORY, gamma, [6]])["rest"]
    assert rest[0] == pytest.approx(rate, abs=5e-4)
    if rate:
        pair = CoupledPair(Motif(**MEMORY, n_units=2), gamma)
        assert [rest[0], rest[3]] == pytest.approx([memory.up_rate(pair)] * 2, abs=1e-6)


@pytest.mark.parametrize("amplitude", [2, 6, 10, 14, 18])
def test_a_second_cue_replaces_or_wipes_as_in_the_library(script, amplitude):
    shown = script(SETTLE_AFTER_CUES, [MEMORY, 0.3, [6, amplitude]])
    pair = CoupledPair(Motif(**MEMORY, n_units=2), 0.3)
    result = memory.simulate_cues([pair], [[Cue(6), Cue(amplitude)]], retention=60)
    assert shown["course"]["times"] == pytest.approx(result.time, abs=1e-9)
    rates = np.array(shown["course"]["rates"])
    np.testing.assert_allclose(rates[:, :2], result.x[:, 0], atol=1e-6)
    np.testing.assert_allclose(rates[:, 3:5], result.y[:, 0], atol=1e-6)
    expected = [0, memory.up_rate(pair)] if amplitude <= 10 else [0, 0]  # worked example
    assert shown["rest"][:2] == pytest.approx(expected, abs=1e-6)


@pytest.fixture
def widget(browser):
    """Opens a page that holds one playground and nothing else; no console message is allowed."""
    complaints, contexts = [], []

    def open_page(model, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content(
            f'<html lang="en"><body><div class="playground" data-model="{model}">off</div></body>'
        )
        page.add_style_tag(path=STATIC / "playground.css")
        for name in SCRIPTS:
            page.add_script_tag(path=STATIC / name)
        page.wait_for_selector(".pg-ready")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def shown_numbers(page):
    """The read-out as a mapping from term to text."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.pg-numbers div')].map(
             (pair) => [...pair.children].map((part) => part.textContent)))"""
    )


def move(page, **values):
    """Set sliders as a hand would and wait for the drawing."""
    page.evaluate(
        """async (values) => {
             for (const [name, value] of Object.entries(values)) {
               const slider = document.querySelector(`.playground [name=${name}]`);
               slider.value = value;
               slider.dispatchEvent(new Event('input', { bubbles: true }));
             }
             await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
           }""",
        values,
    )


@pytest.mark.parametrize(("model", "chapter"), [("motif", "02_soft_wta"), ("pair", "04_up_states")])
def test_sliders_start_at_the_values_of_the_chapter(widget, model, chapter):
    page = widget(model)
    starts = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('input[type=range]')].map("
        "(range) => [range.name, range.valueAsNumber]))"
    )
    declared = papermill.inspect_notebook(str(ROOT / "book" / f"{chapter}.ipynb"))
    same = {"cue0": "cue", "duration": "cue_duration"}
    for name in (
        "alpha",
        "beta1",
        "beta2",
        *(("gamma", "T_E", "T_N", *same) if model == "pair" else ()),
    ):
        assert starts[name] == float(declared[same.get(name, name)]["default"]), name
    if model == "motif":
        inputs = [starts[f"input{unit}"] for unit in range(1, 5)]
        assert inputs == pytest.approx(Selection().inputs(4))
    assert starts["vip"] == 0


def test_the_motif_reads_out_what_the_library_gives(widget):
    page = widget("motif")
    move(page, alpha=0.8, vip=0.2, input1=10, input2=9, input3=8, input4=0)
    motif = Motif(alpha=0.8, beta1=3 * 0.8)
    numbers = shown_numbers(page)
    assert numbers["gain g"] == f"{winner_gain(motif):.3f}"
    assert numbers["κ"] == f"{suppression_ratio(motif):.3f}"
    assert numbers["β₁β₂"] == f"{motif.loop:.3f}"
    assert numbers["regime"] == "soft"
    rates = steady_state(motif, [10, 9, 8, 0])
    listed = ", ".join(f"{unit + 1} {rate:.2f}" for unit, rate in enumerate(rates))
    described = page.locator("svg").first.get_attribute("aria-label")
    assert f"Steady rates: {listed}, inh {0.25 * rates.sum():.2f}" in described
    move(page, alpha=1.2)
    assert shown_numbers(page)["regime"] == "hard, within the contraction bounds"
    move(page, alpha=1.9)
    assert shown_numbers(page)["regime"] == "unstable"
    assert shown_numbers(page)["gain g"] == "–"


def test_the_pair_reads_out_what_the_library_gives(widget):
    page = widget("pair")
    pair = CoupledPair(Motif(**MEMORY, n_units=2), 0.3)
    numbers = shown_numbers(page)
    assert numbers["up-state x*"] == f"{memory.up_rate(pair):.3f}" == "4.909"
    assert numbers["saddle xs"] == f"{memory.saddle_rate(pair):.3f}"
    lowest, highest = memory.persistence_range(pair.motif)
    assert numbers["γ allowed"] == f"{lowest:.3f} to {highest:.3f}"
    status = page.get_by_role("status")
    assert status.inner_text() == (
        "After cue 0, state 0 stays up at 4.909. Cue 1 installs state 1, at 4.909."
    )
    for preset, said in {
        "Forgets": "There is no up-state",
        "Undershoots": "Cue 0 does not leave the pair in its up-state.",
        "Wiped": "Cue 1 wipes it out.",
        "Holds": "Cue 1 installs state 1",
    }.items():
        page.get_by_role("button", name=preset).click()
        status.get_by_text(said).wait_for(timeout=5000)


@pytest.mark.parametrize("model", ["motif", "pair"])
def test_every_control_is_reached_and_moved_by_keys(widget, model):
    page = widget(model)
    names = page.evaluate(
        "() => [...document.querySelectorAll('button, input')].map((e) => e.name || e.textContent)"
    )
    reached = []
    for _ in names:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const e = document.activeElement;
                     return [e.name || e.textContent, getComputedStyle(e).outlineStyle,
                             e.tagName === 'BUTTON' || e.labels.length === 1] }"""
            )
        )
    assert reached == [[name, "solid", True] for name in names]
    page.get_by_role("slider", name="α self-excitation").focus()
    before = page.locator("svg").last.get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('output').textContent === '0.92'")
    assert page.locator("svg").last.get_attribute("aria-label") != before
    page.keyboard.press("End")
    page.get_by_role("status").get_by_text("Unstable").wait_for(timeout=5000)
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("model", ["motif", "pair"])
def test_no_corner_of_the_sliders_breaks_the_drawing(widget, model):
    page = widget(model)
    ranges = page.evaluate(
        "() => [...document.querySelectorAll('input[type=range]')]"
        ".map((range) => [range.name, range.min, range.max])"
    )
    rng = np.random.default_rng(3)
    for _ in range(60):
        corner = rng.integers(1, 3, len(ranges))
        move(page, **{row[0]: float(row[k]) for row, k in zip(ranges, corner, strict=True)})
        if model == "motif":
            page.evaluate("document.querySelector('[name=late]').click()")
        drawn = page.locator(".playground").inner_html()
        assert not any(word in drawn for word in ("NaN", "Infinity", "undefined", "null")), corner


@pytest.mark.parametrize("model", ["motif", "pair"])
def test_nothing_moves_by_itself_and_a_phone_is_wide_enough(widget, model):
    page = widget(
        model, reduced_motion="reduce", viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    moving = page.evaluate(
        """() => [...document.querySelectorAll('.playground, .playground *')].filter((e) => {
             const style = getComputedStyle(e);
             return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0;
           }).length"""
    )
    assert moving == 0
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('svg text')].filter((t) => {
             const box = t.getBoundingClientRect();
             return box.left < 0 || box.right > window.innerWidth;
           }).map((t) => t.textContent)"""
    )
    assert not beyond


@pytest.mark.parametrize("model", PAGES)
def test_the_page_of_the_book_holds_it_and_says_so_without_scripts(browser, model):
    if not PAGES[model].is_file():
        pytest.skip("no book in _build/html: run `make book` first")
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(PAGES[model].as_uri())
        figure = page.locator(f".playground[data-model={model}]")
        assert figure.count() == 1
        assert figure.get_by_text("in a browser that runs").count() == (0 if scripts else 1)
        assert figure.locator("svg").count() == (2 if scripts else 0)
        context.close()
