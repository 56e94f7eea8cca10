/* Playground: a motif (chapter 2) or a pair of motifs (chapter 4) with sliders, run in the page.

   Fills every <div class="playground" data-model="motif|pair">; what stands inside remains where
   scripts do not run. Formulas are in playground_model.js, drawing in playground_figure.js. */
(() => {
  "use strict";
  const model = window.swtaModel;
  const { shape, show, drawRates, drawMap } = window.swtaFigure;
  const SETTLING_LIMIT = 5000; // τ; slower approaches are called so
  const CUE_GAP = 60; // τ after each cue, as in the chapter
  const COURSE = 40; // τ shown after the last change of the inputs of a motif
  const HEAD_START = 25; // τ for which the other units have their inputs alone

  /* name, symbol, meaning, lowest, highest, step, value at the start (as in the chapter) */
  const COUPLINGS = [
    ["alpha", "α", "self-excitation", 0, 2, 0.01, 0.9],
    ["beta1", "β₁", "inhibitory unit to each unit", 0, 4, 0.05, 3],
    ["beta2", "β₂", "each unit to the inhibitory unit", 0.05, 0.5, 0.01, 0.25],
    ["vip", "v", "VIP drive: share of β₁ silenced", 0, 1, 0.01, 0],
  ];
  const INPUTS = [10, 9, 3, 3].map((start, unit) => {
    const name = `input of unit ${unit + 1}`;
    return [`input${unit + 1}`, `I${"₁₂₃₄"[unit]}`, name, 0, 15, 0.1, start];
  });
  const VIEWS = {
    motif: {
      title: "one motif of four units",
      groups: { Motif: COUPLINGS, Inputs: INPUTS },
      late: "unit 1’s input comes last",
      presets: {
        Soft: {},
        Hard: { alpha: 1.2 },
        "First come": { alpha: 1.2, late: true },
        "VIP on": { vip: 0.3 },
        "No self-excitation": { alpha: 0 },
      },
      compute: computeMotif,
    },
    pair: {
      title: "two coupled motifs with a cue to each of two states",
      groups: {
        Pair: [...COUPLINGS, ["gamma", "γ", "coupling of X and Y", 0, 1, 0.01, 0.3]],
        "Thresholds and cues": [
          ["T_E", "T_E", "threshold of the units", 0.05, 1, 0.05, 0.3],
          ["T_N", "T_N", "threshold of the inhibitory units", 0.2, 3, 0.05, 1],
          ["cue0", "cue 0", "input to unit 0 of X", 0, 20, 0.5, 6],
          ["cue1", "cue 1", "later input to unit 1 of X", 0, 20, 0.5, 6],
          ["duration", "length", "duration of each cue, τ", 2, 60, 1, 30],
        ],
      },
      presets: {
        Holds: {},
        Forgets: { gamma: 0.05 },
        Undershoots: { gamma: 0.2 },
        Wiped: { cue1: 14 },
      },
      compute: computePair,
    },
  };

  // What is shown: a record for both drawings, numbers and a sentence, from the sliders' values.

  function computeMotif(values) {
    const motif = effectiveMotif(values);
    const inputs = INPUTS.map(([name]) => values[name]);
    const n = inputs.length;
    const network = model.motifNetwork(motif, n);
    const current = [...inputs, 0];
    const onset = values.late ? HEAD_START : 0;
    const phases = [[0, [0, ...current.slice(1)]], [onset, current]].slice(values.late ? 0 : 1);
    const span = onset + COURSE;
    const course = model.simulate(network, phases, span, { every: 5 });
    const stable = motif.alpha < model.stabilityLimit(motif);
    const rates = !stable ? null
      : values.late ? model.settle(network, current, course.state, { longest: SETTLING_LIMIT })
        : withInhibition(motif, model.steadyState(motif, inputs));
    const regime = model.STABILITY_CLASSES[model.stabilityClass(motif.alpha, model.loop(motif))];
    return {
      motif,
      stable,
      course,
      span,
      colours: ["a", "b", "c", "c", "n pg-dashed"],
      shaded: values.late ? [[onset, span, "input 1 on"]] : [],
      bars: [...inputs, null].map((input, cell) => ({
        label: cell < n ? String(cell + 1) : "inh",
        colour: "abccn"[cell],
        rate: rates && rates[cell],
        input,
      })),
      level: null,
      excitation: motif.alpha,
      origin: [values.beta1 * values.beta2, motif.alpha],
      floor: null,
      regime,
      numbers: [["regime", regime], ...gainNumbers(motif)],
      sentence: describeMotif(motif, inputs, rates, values.late),
    };
  }

  function describeMotif(motif, inputs, rates, late) {
    const limit = model.stabilityLimit(motif);
    if (motif.alpha >= limit) {
      return `Unstable: α has reached min(2, 1 + β₁β₂) = ${show(limit, 2)}. `
        + "An active unit runs away or swings.";
    }
    if (!rates) {
      return late ? "The rates settle too slowly to say where."
        : "The largest inputs are equal, and for α ≥ 1 chance decides: make them differ.";
    }
    const units = rates.slice(0, inputs.length);
    const active = [...units.keys()].filter((unit) => units[unit] > 1e-6);
    if (!active.length) return "No unit is active.";
    const kappa = model.suppressionRatio(motif);
    if (motif.alpha < 1) {
      const list = active.map((unit) => `unit ${unit + 1} at ${show(units[unit], 2)}`).join(", ");
      return `Soft, it weighs its inputs: ${list}. `
        + `Beside a lone winner, a unit is silent below κ = ${show(kappa)} of the winner’s input.`;
    }
    const [winner] = active;
    const own = inputs[winner];
    const verb = own < Math.max(...inputs) ? "keeps its place before a rival with more input"
      : "takes all";
    return `Hard, it chooses: unit ${winner + 1} ${verb}, at ${show(units[winner], 2)}. `
      + `To take over, a rival needs an input above κ × ${show(own, 1)} = ${show(kappa * own, 2)}.`;
  }

  function computePair(values) {
    const n = 2;
    const motif = effectiveMotif(values);
    const { gamma, duration } = values;
    const network = model.pairNetwork(motif, gamma, n);
    const cues = [values.cue0, values.cue1];
    const phases = model.cuePhases(n, cues, duration, CUE_GAP);
    const span = 2 * (duration + CUE_GAP);
    const course = model.simulate(network, phases, span, { every: 10 });
    const excitation = motif.alpha + gamma;
    const stable = excitation < model.stabilityLimit(motif);
    const remembers = model.persists(motif, gamma);
    const [before, after] = stable ? heldRates(network, course, phases) : [null, null];
    const [lowest, highest] = model.persistenceRange(motif);
    const level = remembers ? model.upRate(motif, gamma) : null;
    const regime = !stable ? "unstable" : remembers ? "remembers" : "forgets";
    const needed = lowest < highest ? `${show(Math.max(0, lowest))} to ${show(highest)}` : "none";
    return {
      motif,
      stable,
      course,
      span,
      colours: ["a", "n", "c pg-dashed"],
      shaded: cues
        .map((_, cue) => [phases[2 * cue][0], phases[2 * cue + 1][0], `cue ${cue}`])
        .filter((_, cue) => cues[cue] > 0),
      bars: [0, 1, n + 1, n + 2].map((cell) => ({
        label: `${cell > n ? "Y" : "X"}${cell % (n + 1)}`,
        colour: "an"[cell % (n + 1)],
        rate: after && after[cell],
        input: null,
      })),
      level,
      excitation,
      origin: [values.beta1 * values.beta2, motif.alpha],
      floor: lowest + motif.alpha,
      regime,
      numbers: [
        ["regime", regime],
        ["γ allowed", needed],
        ["up-state x*", remembers ? show(level) : "none"],
        ["saddle x_s", remembers ? show(model.saddleRate(motif, gamma)) : "none"],
        ...gainNumbers(motif),
      ],
      sentence: describePair(motif, gamma, cues, before, after),
    };
  }

  /* Rates of all cells that remain after each of two cues; null where they are not reached. */
  function heldRates(network, course, phases) {
    const silence = phases[1][1];
    const second = course.times.findIndex((time) => time >= phases[2][0] - 1e-9);
    return [course.rates[second], course.state].map((state) =>
      model.settle(network, silence, state, { longest: SETTLING_LIMIT }));
  }

  function describePair(motif, gamma, cues, before, after) {
    const limit = model.stabilityLimit(motif);
    if (motif.alpha + gamma >= limit) {
      return `Unstable: α + γ has reached min(2, 1 + β₁β₂) = ${show(limit, 2)}. `
        + "A state that is lit runs away.";
    }
    if (!model.persists(motif, gamma)) {
      return "There is no up-state: whatever a cue lights goes out again.";
    }
    if (!before || !after) return "The rates settle too slowly to say where.";
    const [first, last] = [before, after].map((rates) =>
      [0, 1].find((unit) => model.isUp(motif, rates[unit])));
    if (!cues[0] && !cues[1]) return "No cue is given.";
    const lost = "does not leave the pair in its up-state.";
    const said = [];
    if (cues[0] && first === undefined) said.push(`Cue 0 ${lost}`);
    else if (cues[0]) said.push(`After cue 0, state ${first} stays up at ${show(before[first])}.`);
    if (!cues[1]) return said.join(" ");
    if (last === undefined && first !== undefined) said.push("Cue 1 wipes it out.");
    else if (last === undefined) said.push(said.length ? "Nor does cue 1." : `Cue 1 ${lost}`);
    else if (last === first) said.push("Cue 1 does not change it.");
    else said.push(`Cue 1 installs state ${last}, at ${show(after[last])}.`);
    return said.join(" ");
  }

  function effectiveMotif({ alpha, beta1, beta2, vip, T_E = 0, T_N = 0 }) {
    return { alpha, beta1: model.disinhibit(beta1, vip), beta2, T_E, T_N };
  }

  function withInhibition({ beta2, T_N }, units) {
    return units && [...units, Math.max(0, beta2 * units.reduce((a, b) => a + b, 0) - T_N)];
  }

  function gainNumbers(motif) {
    const stable = motif.alpha < model.stabilityLimit(motif);
    return [
      ["gain g", stable ? show(model.winnerGain(motif)) : "–"],
      ["κ", stable ? show(model.suppressionRatio(motif)) : "–"],
      ["β₁β₂", show(model.loop(motif))],
    ];
  }

  // The page: controls, drawings and read-out.

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /* A symbol with what follows "_" set as a subscript. */
  function symbol(words) {
    const [base, index] = words.split("_");
    return index ? [base, make("sub", {}, index)] : [base];
  }

  function build(root, number) {
    const view = VIEWS[root.dataset.model];
    const id = (part) => `playground-${number}-${part}`;
    const sliders = new Map();
    const slider = ([key, sign, meaning, min, max, step, value]) => {
      const range = make("input", { type: "range", id: id(key), name: key, min, max, step, value });
      const output = make("output", { for: id(key), "aria-hidden": "true" });
      sliders.set(key, { range, output, value, digits: (String(step).split(".")[1] ?? "").length });
      const label = make("label", { for: id(key) }, make("b", {}, ...symbol(sign)), ` ${meaning}`);
      return make("div", { class: "pg-slider" }, label, output, range);
    };
    const late = make("input", { type: "checkbox", id: id("late"), name: "late" });
    const groups = Object.entries(view.groups).map(([legend, rows]) =>
      make("fieldset", {}, make("legend", {}, legend), ...rows.map(slider)));
    if (view.late) {
      const label = make("label", { for: id("late") }, view.late);
      groups[1].append(make("div", { class: "pg-check" }, late, label));
    }
    const presets = Object.entries(view.presets).map(([name, changes]) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => {
        for (const [key, { range, value }] of sliders) range.value = changes[key] ?? value;
        late.checked = Boolean(changes.late);
        render();
      });
      return button;
    });
    const rates = shape("svg", { role: "img", id: id("rates") });
    const map = shape("svg", { role: "img", id: id("map") });
    const numbers = make("dl", { class: "simple pg-numbers" });
    const sentence = make("p", { class: "pg-sentence", role: "status", "aria-live": "polite" });
    let quiet = 0;

    function render() {
      const values = { late: late.checked };
      for (const [key, { range, output, digits }] of sliders) {
        values[key] = range.valueAsNumber;
        output.textContent = show(values[key], digits);
      }
      const shown = view.compute(values);
      drawRates(rates, shown);
      drawMap(map, shown);
      numbers.replaceChildren(...shown.numbers.map(([term, value]) =>
        make("div", {}, make("dt", {}, ...symbol(term)), make("dd", {}, value))));
      const tell = () => {
        if (sentence.textContent !== shown.sentence) sentence.textContent = shown.sentence;
      };
      clearTimeout(quiet); // a screen reader is told once a slider rests
      if (sentence.textContent) quiet = setTimeout(tell, 250);
      else tell();
    }

    root.setAttribute("role", "group");
    root.setAttribute("aria-label", `Playground: ${view.title}`);
    root.replaceChildren(
      make("div", { class: "pg-presets" }, make("span", {}, "Try"), ...presets),
      make("div", { class: "pg-figures" }, make("div", {}, rates), make("div", {}, map)),
      numbers,
      sentence,
      make("div", { class: "pg-controls" }, ...groups),
    );
    root.classList.add("pg-ready");
    let frame = 0;
    let width = root.clientWidth;
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(render);
    };
    root.addEventListener("input", soon);
    new ResizeObserver(() => {
      if (root.clientWidth !== width) soon();
      width = root.clientWidth;
    }).observe(root);
    render();
  }

  const start = () => document.querySelectorAll(".playground[data-model]").forEach(build);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
