/* The threshold-linear motif of chapter 2 and the pair of motifs of chapter 4, as pure functions.

   A motif is { alpha, beta1, beta2, T_E, T_N }, symbols as in the text; thresholds left out are 0.
   Time is in units of τ; inputs and rates share one arbitrary unit. A network is dx/dt = -x +
   f(Wx + I - T) with f(u) = max(0, u), integrated by the Euler method with the steps of the book's
   library, so that courses agree with it and not only steady rates. Drawing is in playground.js. */
(() => {
  "use strict";

  const STABILITY_CLASSES = [
    "soft",
    "hard, within the contraction bounds",
    "hard, stable outside the bounds",
    "unstable",
  ];
  const RUNAWAY_RATE = 1e9;
  const SMALLEST_RATE = 1e-30; // smaller ones become 0: subnormal numbers are slow

  const complete = (motif) => ({ T_E: 0, T_N: 0, ...motif });
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /* β₁ where VIP cells silence the share v (0 to 1) of the feedback inhibition, as in chapter 5. */
  const disinhibit = (beta1, vip) => beta1 * (1 - vip);

  const loop = (motif) => motif.beta1 * motif.beta2;

  /* α or, in a pair, α + γ from which no active state is stable. */
  const stabilityLimit = (motif) => Math.min(2, 1 + loop(motif));

  const winnerGain = (motif) => 1 / (1 + loop(motif) - motif.alpha);

  const suppressionRatio = (motif) => loop(motif) * winnerGain(motif);

  /* Index into STABILITY_CLASSES. */
  function stabilityClass(alpha, loopStrength) {
    if (alpha >= Math.min(2, 1 + loopStrength)) return 3;
    if (alpha < 1) return 0;
    const bounded = loopStrength > 0.25 && loopStrength < 1;
    return bounded && alpha > 1 && alpha < 2 * Math.sqrt(loopStrength) ? 1 : 2;
  }

  /* Steady rate of a unit that is active alone. */
  function winnerRate(motif, input) {
    const { alpha, beta1, beta2, T_E, T_N } = complete(motif);
    const drive = input - T_E;
    let rate = winnerGain(motif) * (drive + beta1 * T_N);
    if (T_N >= 0 ? drive <= 0 : rate <= 0) return 0;
    const free = drive / (1 - alpha);
    if (alpha < 1 && beta2 * free <= T_N) rate = free;
    return Math.max(0, rate);
  }

  /* Rates that a stable motif settles to from rest; null where chance decides between equals. */
  function steadyState(motif, inputs) {
    const { alpha, beta1, beta2, T_E, T_N } = complete(motif);
    if (alpha >= 1) {
      const largest = Math.max(...inputs);
      const rate = winnerRate(motif, largest);
      if (rate > 0 && inputs.filter((input) => input === largest).length > 1) return null;
      return inputs.map((input) => (input === largest ? rate : 0));
    }
    const rest = 1 - alpha;
    const free = inputs.map((input) => Math.max(0, input - T_E) / rest);
    if (beta2 * sum(free) <= T_N) return free;
    const effective = inputs.map((input) => input - T_E + beta1 * T_N);
    let active = inputs.map(() => true);
    for (;;) {
      const own = effective.filter((_, unit) => active[unit]);
      const shared = (loop(motif) * sum(own)) / (rest + own.length * loop(motif));
      const rates = effective.map((drive, unit) => (active[unit] ? (drive - shared) / rest : 0));
      if (rates.every((rate) => rate >= 0)) return rates;
      active = rates.map((rate) => rate > 0);
    }
  }

  /* Open range of γ in which a pair has an up-state. */
  function persistenceRange(motif) {
    const lowest = 1 + (motif.beta2 * motif.T_E) / motif.T_N - motif.alpha;
    return [lowest, stabilityLimit(motif) - motif.alpha];
  }

  function persists(motif, gamma) {
    const [lowest, highest] = persistenceRange(motif);
    return lowest < gamma && gamma < highest;
  }

  /* Rate of the up-state x*, and of the saddle x_s below it. */
  const upRate = (motif, gamma) =>
    (motif.beta1 * motif.T_N - motif.T_E) / (1 + loop(motif) - motif.alpha - gamma);
  const saddleRate = (motif, gamma) => motif.T_E / (motif.alpha + gamma - 1);

  /* Whether a rate lies above half of the lowest rate that an up-state can have. */
  const isUp = (motif, rate) => rate > motif.T_N / motif.beta2 / 2;

  /* Real part and squared modulus of the two modes of a summed activity with its inhibition. */
  function groupModes(excitation, loopStrength) {
    const inside = excitation ** 2 - 4 * loopStrength;
    if (inside < 0) return Array(2).fill([excitation / 2 - 1, 1 - excitation + loopStrength]);
    return [1, -1].map((sign) => {
      const real = (excitation - 2 + sign * Math.sqrt(inside)) / 2;
      return [real, real ** 2];
    });
  }

  /* A motif of n units; the inhibitory unit comes last. */
  function motifNetwork(motif, n) {
    const { alpha, beta1, beta2, T_E, T_N } = complete(motif);
    const weights = Array.from({ length: n + 1 }, () => new Float64Array(n + 1));
    for (let unit = 0; unit < n; unit += 1) {
      weights[unit][unit] = alpha;
      weights[unit][n] = -beta1;
      weights[n][unit] = beta2;
    }
    const differences = n > 1 ? [[alpha - 1, (alpha - 1) ** 2]] : [];
    return {
      weights,
      thresholds: [...Array(n).fill(T_E), T_N],
      modes: [...groupModes(alpha, n * loop(motif)), ...differences],
    };
  }

  /* Two motifs X and Y with weight γ between equal units: X with its inhibition, then Y. */
  function pairNetwork(motif, gamma, n) {
    const single = motifNetwork(motif, n);
    const size = n + 1;
    const weights = Array.from({ length: 2 * size }, (_, cell) => {
      const row = new Float64Array(2 * size);
      row.set(single.weights[cell % size], cell < size ? 0 : size);
      if (cell % size < n) row[(cell + size) % (2 * size)] = gamma;
      return row;
    });
    const alike = motifNetwork({ ...motif, alpha: motif.alpha + gamma }, n).modes;
    const opposed = motifNetwork({ ...motif, alpha: motif.alpha - gamma }, n).modes;
    return {
      weights,
      thresholds: [...single.thresholds, ...single.thresholds],
      modes: [...alike, ...opposed],
    };
  }

  /* The preferred Euler step, or half of the largest at which every decaying mode decays. */
  function safeStep(network, preferred) {
    const decaying = network.modes.filter(([real]) => real < 0);
    const largest = Math.min(2, ...decaying.map(([real, square]) => (-2 * real) / square));
    return Math.min(preferred, largest / 2);
  }

  /* One Euler step in place; returns the largest rate of change. */
  function advance({ weights, thresholds }, rates, input, step, change) {
    let largest = 0;
    for (let cell = 0; cell < rates.length; cell += 1) {
      let drive = input[cell] - thresholds[cell];
      const row = weights[cell];
      for (let from = 0; from < rates.length; from += 1) drive += row[from] * rates[from];
      change[cell] = Math.max(0, drive) - rates[cell];
      largest = Math.max(largest, Math.abs(change[cell]));
    }
    for (let cell = 0; cell < rates.length; cell += 1) {
      const rate = rates[cell] + step * change[cell];
      rates[cell] = rate < SMALLEST_RATE ? 0 : rate;
    }
    return largest;
  }

  /* Course under inputs that are constant in phases of [onset, inputs of all cells], from rest.
     Returns times, rates (a row per sample) and the last state; ends early if a rate runs away. */
  function simulate(network, phases, duration, { every = 1 } = {}) {
    const step = safeStep(network, 0.02);
    const starts = phases.map(([onset]) => Math.round(onset / step));
    const state = new Float64Array(network.thresholds.length);
    const change = new Float64Array(state.length);
    const times = [0];
    const rates = [Array.from(state)];
    for (let count = 0, phase = 0; count < Math.round(duration / step); count += 1) {
      while (phase + 1 < starts.length && starts[phase + 1] <= count) phase += 1;
      if (!(advance(network, state, phases[phase][1], step, change) < RUNAWAY_RATE)) break;
      if ((count + 1) % every === 0) {
        times.push((count + 1) * step);
        rates.push(Array.from(state));
      }
    }
    return { times, rates, state: Array.from(state) };
  }

  /* Steady rates of all cells under constant inputs; null if they are not reached. */
  function settle(network, input, initial, { tolerance = 1e-10, longest = 20000 } = {}) {
    const step = safeStep(network, 0.05);
    const state = Float64Array.from(initial ?? network.thresholds.map(() => 0));
    const change = new Float64Array(state.length);
    for (let count = 0; count < longest / step; count += 1) {
      const largest = advance(network, state, input, step, change);
      if (largest < tolerance) return Array.from(state);
      if (!(largest < RUNAWAY_RATE)) return null;
    }
    return null;
  }

  /* Phases of a pair of n units that gets cues of equal duration, the first on unit 0 of X, the
     next on unit 1, with a gap after each. */
  function cuePhases(n, amplitudes, duration, gap) {
    return amplitudes.flatMap((amplitude, unit) => {
      const cued = Array(2 * n + 2).fill(0);
      cued[unit] = amplitude;
      const onset = unit * (duration + gap);
      return [[onset, cued], [onset + duration, Array(2 * n + 2).fill(0)]];
    });
  }

  window.swtaModel = Object.freeze({
    STABILITY_CLASSES,
    disinhibit,
    loop,
    stabilityLimit,
    winnerGain,
    suppressionRatio,
    stabilityClass,
    winnerRate,
    steadyState,
    persistenceRange,
    persists,
    upRate,
    saddleRate,
    isUp,
    motifNetwork,
    pairNetwork,
    safeStep,
    simulate,
    settle,
    cuePhases,
  });
})();
