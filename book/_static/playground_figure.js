/* Drawing for the playground: rates in time beside steady rates, and the map of regimes.

   Both functions fill an <svg> from the record that playground.js makes of the sliders. Colours and
   strokes are classes of playground.css. */
(() => {
  "use strict";
  const model = window.swtaModel;
  const HEIGHT = 222; // px
  const MAP = { loop: 2, excitation: 2.2 }; // largest values of the map
  const UNSTABLE_SHOWN = 50; // where rates run away, their start up to here is drawn

  const show = (value, digits = 3) => value.toFixed(digits).replace("-", "−");

  function shape(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const line = (className, x1, y1, x2, y2) => shape("line", { class: className, x1, y1, x2, y2 });
  const circle = (className, [cx, cy], r) => shape("circle", { class: className, cx, cy, r });
  const rectangle = (className, x, y, width, height) =>
    shape("rect", { class: className, x, y, width, height: Math.max(0, height) });
  const text = (className, x, y, words, anchor = "middle") =>
    shape("text", { class: className, x, y, "text-anchor": anchor }, words);
  const path = (className, points) =>
    shape("path", {
      class: className,
      d: points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join(""),
    });

  /* One unit of the drawing is one pixel, so that letters keep their size on a phone. */
  function fit(svg) {
    const width = Math.max(200, svg.parentElement.clientWidth);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("height", HEIGHT);
    return { left: 34, right: width - 6, top: 22, bottom: HEIGHT - 34, width };
  }

  /* About `count` intervals between round values, from 0 to at least `largest`. */
  function ticks(largest, count) {
    const rough = largest / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= 0.999 * rough);
    const intervals = Math.ceil(largest / step - 1e-9);
    return Array.from({ length: intervals + 1 }, (_, k) => Number((k * step).toPrecision(6)));
  }

  const briefly = (rate) => {
    if (rate < 0.005) return "0";
    return rate < 9.95 ? rate.toFixed(2) : rate.toFixed(rate < 99.5 ? 1 : 0);
  };

  /* Time course on the left and steady rates on the right, over one axis of rates. */
  function drawRates(svg, { course, span, colours, shaded, bars, level, stable }) {
    const { left, right, top, bottom, width } = fit(svg);
    const column = Math.min(34, Math.max(24, width / 18));
    const first = right - bars.length * column;
    const end = first - 12; // of the time axis
    const ceiling = stable ? Infinity : UNSTABLE_SHOWN;
    const drawn = course.rates.flatMap((row) => colours.map((_, cell) => row[cell]));
    const marked = bars.flatMap(({ rate, input }) => [rate ?? 0, input ?? 0]);
    const highest = drawn.reduce((a, b) => Math.max(a, b), 0);
    const peak = Math.max(1, ...marked, Math.min(ceiling, highest));
    const marks = ticks(1.05 * peak, 4);
    const largest = marks[marks.length - 1];
    const x = (time) => left + ((end - left) * time) / span;
    const y = (rate) => bottom - ((bottom - top) * Math.min(rate, 2 * largest)) / largest;

    const pane = shape("clipPath", { id: `${svg.id}-pane` });
    pane.append(rectangle("", left, top - 4, end - left, bottom - top + 6));
    const lines = shape("g", { "clip-path": `url(#${svg.id}-pane)` });
    const parts = [pane];
    for (const [from, to, label] of shaded) {
      parts.push(rectangle("pg-cue", x(from), top, x(to) - x(from), bottom - top));
      parts.push(text("pg-note", (x(from) + x(to)) / 2, top - 9, label));
    }
    for (const mark of marks) {
      parts.push(line("pg-grid", left, y(mark), right, y(mark)));
      parts.push(text("pg-tick", left - 6, y(mark) + 4, String(mark), "end"));
    }
    if (level !== null) parts.push(line("pg-level", left, y(level), right, y(level)));
    for (let cell = colours.length - 1; cell >= 0; cell -= 1) {
      const points = course.times.map((time, k) => [x(time), y(course.rates[k][cell])]);
      lines.append(path(`pg-line pg-${colours[cell]}`, points));
    }
    parts.push(lines);
    for (const time of ticks(span, 4).filter((mark) => mark <= span)) {
      parts.push(text("pg-tick", x(time), bottom + 15, String(time)));
    }
    bars.forEach(({ label, colour, rate, input }, k) => {
      const start = first + k * column;
      const middle = start + column / 2;
      if (rate !== null) {
        const size = [column - 6, bottom - y(rate)];
        parts.push(rectangle(`pg-bar pg-${colour}`, start + 3, y(rate), ...size));
        const gap = input === null ? Infinity : y(rate) - y(input); // from the bar up to its tick
        const value = gap > 0 && gap < 16 ? y(input) : y(rate);
        parts.push(text("pg-value", middle, value - 4, briefly(rate)));
      }
      if (input !== null) {
        parts.push(line("pg-input", start + 1, y(input), start + column - 1, y(input)));
      }
      parts.push(text("pg-tick", middle, bottom + 15, label));
    });
    const settled = bars.some(({ rate }) => rate !== null);
    const title = settled ? "steady rate" : "no steady rate";
    parts.push(text("pg-tick", (first + right) / 2, HEIGHT - 4, title));
    parts.push(text("pg-tick", (left + end) / 2, HEIGHT - 4, "time (τ)"));
    parts.push(text("pg-tick", 0, top - 10, "rate", "start"));
    parts.push(line("pg-axis", left, bottom, right, bottom));
    svg.replaceChildren(...parts);
    const said = bars.map(({ label, rate }) => `${label} ${rate === null ? "none" : show(rate, 2)}`);
    svg.setAttribute("aria-label", `Rates in time. Steady rates: ${said.join(", ")}`);
  }

  /* Regimes over β₁β₂ and excitation, with the present point. A thin line leads to it from where
     it would be without VIP drive and without coupling. `floor` is the excitation above which a
     pair has an up-state; null asks for the map of one motif. */
  function drawMap(svg, { motif, excitation, origin, floor, regime }) {
    const { left, right, top, bottom } = fit(svg);
    const share = (value, largest) => Math.min(Math.max(value / largest, 0), 1);
    const at = ([loop, height]) => [
      left + (right - left) * share(loop, MAP.loop),
      bottom - (bottom - top) * share(height, MAP.excitation),
    ];
    const band = (from, to) => [[0, from], [MAP.loop, from], [MAP.loop, to], [0, to]];
    const roots = Array.from({ length: 25 }, (_, k) => 0.25 + (0.75 * k) / 24);
    const pair = floor !== null;
    const border = pair ? floor : 1;
    const limit = [[0, 1], [1, 2], [MAP.loop, 2]];
    const bounded = [...roots.map((loop) => [loop, 2 * Math.sqrt(loop)]), [1, 1]];
    const regions = [
      [pair ? "pg-holds" : "pg-hard", band(0, MAP.excitation)],
      [pair ? "pg-forgets" : "pg-soft", band(0, border)],
      ["pg-unstable", [...limit, [MAP.loop, MAP.excitation], [0, MAP.excitation]]],
    ];
    const [low, high] = pair ? ["forgets", "remembers"] : ["soft: weighs", "hard: chooses"];
    const notes = [[0.42, 1.9, "unstable"], [1.35, Math.min(border, 2) / 2, low]];
    if (border < 1.8) notes.push([1.5, (border + 2) / 2, high]);
    if (!pair) {
      regions.push(["pg-bounded", bounded]);
      notes.push([0.76, 1.45, "bounded"]);
    }

    const parts = regions.map(([className, points]) => path(className, points.map(at)));
    for (const [loop, height, words] of notes) {
      const [x, y] = at([loop, height]);
      parts.push(text("pg-note", x, y + 4, words));
    }
    for (const mark of [0, 0.5, 1, 1.5, 2]) {
      parts.push(text("pg-tick", at([mark, 0])[0], bottom + 15, String(mark)));
      parts.push(text("pg-tick", left - 6, at([0, mark])[1] + 4, String(mark), "end"));
    }
    parts.push(text("pg-tick", (left + right) / 2, HEIGHT - 4, "inhibitory loop β₁β₂"));
    parts.push(text("pg-tick", left, top - 10, pair ? "α + γ" : "α", "end"));
    const [here, there] = [at([model.loop(motif), excitation]), at(origin)];
    if (Math.hypot(here[0] - there[0], here[1] - there[1]) > 7) {
      parts.push(line("pg-tail", ...there, ...here), circle("pg-origin", there, 3.5));
    }
    parts.push(circle("pg-point", here, 5.5));
    svg.replaceChildren(...parts);
    const axis = pair ? "α + γ" : "α";
    const place = `β₁β₂ ${show(model.loop(motif), 2)}, ${axis} ${show(excitation, 2)}`;
    svg.setAttribute("aria-label", `Map of regimes. Present point: ${place}, ${regime}`);
  }

  window.swtaFigure = Object.freeze({ shape, show, drawRates, drawMap });
})();
