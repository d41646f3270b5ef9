// The weights of the methods and the draw of an arm, as docs/allocation-spec.md says in sections 6 and 7. Every number is a
// whole number of any size; nothing is rounded. A method refuses what it cannot keep by throwing.

const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a; };
const sum = (list) => list.reduce((total, part) => total + part, 0n);
const lowest = (list) => { const divisor = list.reduce(gcd, 0n); return list.map((part) => part / divisor); };

function whole(value, least) {
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${value} must be a whole number of at least ${least}`);
  return BigInt(value);
}

/** An exact fraction [above, below] of what a protocol writes: "2/3", "0.8", { decimal: "0.8" } or 1. */
function fraction(value) {
  const text = typeof value === "number" ? String(value) : typeof value === "string" ? value : (value || {}).decimal;
  const found = /^\s*\+?(\d+)(?:\.(\d+))?(?:\s*\/\s*(\d+))?\s*$/.exec(text || "");
  if (!found || (found[2] && found[3])) throw new Error(`'${text}' is no fraction`);
  const digits = found[2] || "";
  const above = BigInt(found[1] + digits), under = found[3] ? BigInt(found[3]) : 10n ** BigInt(digits.length);
  if (under === 0n) throw new Error(`'${text}' divides by nothing`);
  return lowest([above, under]);
}

/** The first place whose cumulative weight exceeds the number. */
function pick(weights, number) {
  let place = 0;
  while (number >= weights[place]) { number -= weights[place]; place += 1; }
  return place;
}

/** An option as its text: a number as it is written, `true` or `false`, and a list its items joined by commas. */
const textOf = (value) => {
  if (Array.isArray(value)) return value.map(textOf).join(",");
  const own = (value || {}).decimal ?? value;
  if (!["number", "string", "boolean"].includes(typeof own)) throw new Error(`${own} is no option`);
  return String(own);
};
const digits = (text) => { if (!/^[0-9]+$/.test(text)) throw new Error(`'${text}' must be a whole number`); return Number(text); };
const items = (read) => (text) => text.split(",").map((part) => read(part.trim()));
const itself = (text) => text;
const yesOrNo = (text) => { if (!["true", "false"].includes(text)) throw new Error(`'${text}' is neither true nor false`); return text === "true"; };

const READ = {
  block_len: digits, max_imbalance: digits, list_len: digits, block_lens: items(digits), urn: items(digits), bias: itself,
  probability: itself, factor_weights: items(itself), imbalance: itself, ratio_preserving: yesOrNo,
};

/** The options of a method by their texts, so that "2,4" is [2, 4]; what is no option of a method stays as it is. */
const settings = (options) => Object.fromEntries(Object.entries(options)
  .map(([key, value]) => [key, Object.hasOwn(READ, key) ? READ[key](textOf(value)) : value]));

const either = (options, key, otherwise) => (key in options ? options[key] : otherwise);

const MOST_DUPLICATES = 64n;

/** The arm of each duplicate, those of the first arm first. */
const duplicated = (ratio) => ratio.flatMap((part, arm) => Array(Number(part)).fill(arm));

/** Which of its duplicates a drawn arm stands for, by their weights in lowest terms; one alone is not drawn for. */
function duplicate(armOf, arm, weigh, draw) {
  const own = armOf.map((_, place) => place).filter((place) => armOf[place] === arm);
  if (own.length === 1) return own[0];
  const all = weigh(), weights = lowest(own.map((place) => all[place]));
  return own[pick(weights, draw(sum(weights)))];
}

/** A method for equal arms as it is, or at an unequal ratio by duplicates: it weighs as many of each arm as its part. */
const ofEqualArms = (build) => (ratio, options, choose) => {
  if (ratio.every((part) => part === 1n)) return build(ratio, options);
  if (sum(ratio) > MOST_DUPLICATES) throw new Error(`the parts of the ratio must sum to at most ${MOST_DUPLICATES}`);
  const armOf = duplicated(ratio), method = build(armOf.map(() => 1n), options);
  let drawn = 0;
  return {
    weights() {
      const weights = ratio.map(() => 0n);
      method.weights().forEach((weight, place) => { weights[armOf[place]] += weight; });
      return weights;
    },
    take(arm) {
      method.take(duplicate(armOf, arm, method.weights, (n) => choose("duplicate", drawn, n)));
      drawn += 1;
    },
  };
};

/** Counts of equal arms, forgotten when a list of `length` places is full (0: never). */
function counting(ratio, length, weigh) {
  let counts = ratio.map(() => 0);
  return {
    weights: () => weigh(counts),
    take(arm) {
      counts[arm] += 1;
      if (length && counts.reduce((a, b) => a + b) === length) counts = ratio.map(() => 0);
    },
  };
}

function blocks(lengths, ratio, choose) {
  const total = sum(ratio);
  const sizes = lengths.map((length) => whole(length, 1));
  if (!sizes.length || sizes.some((size) => size % total)) throw new Error("a length must be a multiple of the ratio's sum");
  let block = 0, places;
  const open = () => {
    const size = sizes[sizes.length > 1 ? Number(choose("block", block, BigInt(sizes.length))) : 0];
    places = ratio.map((part) => (size / total) * part);
  };
  open();
  return {
    weights: () => places,
    take(arm) {
      places[arm] -= 1n;
      if (places.every((left) => left === 0n)) { block += 1; open(); }
    },
  };
}

function listLength(ratio, options) {
  const length = Number(whole(options.list_len, 1));
  if (length % ratio.length) throw new Error("the number of arms must divide the length of the list");
  return length;
}

/** How far each arm is ahead of the last, ascending, when `arm` has one more than the counts. */
function ahead(counts, arm) {
  const more = counts.map((count, place) => count + (place === arm ? 1 : 0)).sort((a, b) => a - b);
  return more.map((count) => count - more[0]);
}

/** Every way in which so many arms can be ahead of the last, by at most the bound. */
function waysAhead(arms, bound) {
  let all = [[0]];
  for (let arm = 1; arm < arms; arm += 1) {
    all = all.flatMap((own) => {
      const last = own[own.length - 1];
      return Array.from({ length: bound - last + 1 }, (_, more) => [...own, last + more]);
    });
  }
  return all;
}

/** In how many ways `left` more places bring all arms level, never further apart than the bound, after one more for `arm`. */
function completions(arms, bound) {
  const every = waysAhead(arms, bound).map((counts) => [counts, counts.reduce((a, b) => a + b)]);
  const rows = [new Map([[String(every[0][0]), 1n]])];
  const after = (left, counts, arm) => rows[left].get(String(ahead(counts, arm))) || 0n;
  return (left, counts, arm) => {
    while (rows.length <= left) {
      const last = rows.length - 1, row = new Map();
      for (const [own, total] of every) {
        if ((total + last + 1) % arms) continue; // the places drawn and left are whole rounds of all arms
        const number = sum(own.map((_, place) => after(last, own, place)));
        if (number) row.set(String(own), number);
      }
      rows.push(row);
    }
    return after(left, counts, arm);
  };
}

/** Whether a list of `length` places with differences up to a bound can stand in few enough ways. */
function isCountable(arms, length, bound) {
  let states = 1;
  for (let below = 1; below < arms; below += 1) states = (states * (bound + below)) / below;
  return length <= 1000 && length * states <= 1e6;
}

function minimization(ratio, options, choose) {
  const names = options.factors;
  if (!Array.isArray(names) || !names.length) throw new Error("minimization balances at least one factor");
  const weights = either(options, "factor_weights", names.map(() => 1)).map(fraction);
  if (weights.length !== names.length || weights.some(([above]) => above === 0n)) throw new Error("there must be one weight above 0 for each factor");
  const common = weights.reduce((product, [, under]) => product * under, 1n);
  const factorWeights = weights.map(([above, under]) => (above * common) / under); // only their proportion matters
  const preserving = either(options, "ratio_preserving", false);
  // The arm of each candidate, and the part of the ratio that a candidate has.
  const armOf = preserving ? duplicated(ratio) : ratio.map((_, arm) => arm);
  const parts = preserving ? armOf.map(() => 1n) : ratio;
  const n = BigInt(parts.length), scale = parts.map((part) => parts.reduce((a, b) => (a / gcd(a, b)) * b, 1n) / part);
  const [above, under] = fraction(either(options, "probability", "4/5"));
  if (above > under || above * n < under) throw new Error("the probability must lie from 1 / candidates to 1");
  const shares = (counts, own) => counts.map((count, place) => (count + (place === own ? 1n : 0n)) * scale[place]);
  const measure = {
    range(counts, own) {
      const all = shares(counts, own);
      return all.reduce((a, b) => (a > b ? a : b)) - all.reduce((a, b) => (a < b ? a : b));
    },
    variance(counts, own) { // times a constant that is the same for every candidate
      const all = shares(counts, own);
      return n * sum(all.map((share) => share * share)) - sum(all) ** 2n;
    },
    sum: (counts, own) => counts[own] * scale[own],
  }[either(options, "imbalance", "range")];
  if (!measure) throw new Error("the imbalance is unknown");
  const tables = new Map();
  const rows = (factors) => factors.map((level, place) => {
    const name = JSON.stringify([place, level]);
    if (!tables.has(name)) tables.set(name, parts.map(() => 0n));
    return tables.get(name);
  });
  const candidates = (factors) => {
    if (factors.length !== names.length) throw new Error("there is not one level for each balanced factor");
    const own = rows(factors);
    const scores = parts.map((_, candidate) => sum(own.map((counts, f) => factorWeights[f] * measure(counts, candidate))));
    const least = scores.reduce((a, b) => (a < b ? a : b));
    const best = scores.map((score) => score === least);
    const tied = BigInt(best.filter(Boolean).length);
    if (tied === n) return parts;
    const ofBest = sum(parts.filter((_, place) => best[place])), all = sum(parts);
    const larger = ofBest * under > above * all; // the best arms' own part of the ratio
    const [a, b] = larger ? [ofBest, all] : [above, under];
    return parts.map((part, place) => (best[place] ? a * part * (n - tied) : (b - a) * ofBest));
  };
  let drawn = 0;
  return {
    weights(factors) {
      const weights = ratio.map(() => 0n);
      candidates(factors).forEach((weight, candidate) => { weights[armOf[candidate]] += weight; });
      return weights;
    },
    take(arm, factors) {
      const chosen = duplicate(armOf, arm, () => candidates(factors), (n) => choose("duplicate", drawn, n));
      for (const counts of rows(factors)) counts[chosen] += 1n;
      drawn += 1;
    },
  };
}

const METHODS = {
  "simple": (ratio) => ({ weights: () => ratio, take() {} }),
  "permuted-block": (ratio, options, choose) =>
    blocks(either(options, "block_lens", [either(options, "block_len", 4)]), ratio, choose),
  "random-allocation": (ratio, options, choose) => blocks([options.list_len], ratio, choose),
  "big-stick": ofEqualArms((ratio, options) => {
    const bound = Number(whole(either(options, "max_imbalance", 3), 1));
    return counting(ratio, 0, (counts) => counts.map((count) => (count - Math.min(...counts) < bound ? 1n : 0n)));
  }),
  "biased-coin": ofEqualArms((ratio, options) => {
    const [p, q] = fraction(either(options, "bias", "2/3")), arms = BigInt(ratio.length);
    if (2n * p < q || p > q) throw new Error("the bias must lie from 1/2 to 1");
    return counting(ratio, 0, (counts) => {
      const behind = counts.map((count) => count === Math.min(...counts)), m = BigInt(behind.filter(Boolean).length);
      return behind.map((is) => (p * arms <= q * m ? 1n : is ? p * (arms - m) : (q - p) * m));
    });
  }),
  "urn": ofEqualArms((ratio, options) => {
    const [alpha, beta, ...more] = either(options, "urn", [0, 1]).map((part) => whole(part, 0));
    if (beta === undefined || more.length || alpha + beta === 0n) throw new Error("an urn has two numbers, not both 0");
    return counting(ratio, 0, (counts) => {
      const all = counts.reduce((a, b) => a + b), balls = counts.map((count) => alpha + beta * BigInt(all - count));
      return sum(balls) === 0n ? ratio : balls;
    });
  }),
  "truncated-binomial": ofEqualArms((ratio, options) => {
    const length = listLength(ratio, options);
    return counting(ratio, length, (counts) => counts.map((count) => (count < length / ratio.length ? 1n : 0n)));
  }),
  "maximal": ofEqualArms((ratio, options) => {
    const arms = ratio.length, length = listLength(ratio, options);
    const bound = Math.min(length / arms, Number(whole(either(options, "max_imbalance", 3), 1)));
    if (!isCountable(arms, length, bound)) throw new Error("the method is for lists of at most 1000 that can stand in few enough ways");
    const ways = completions(arms, bound);
    return counting(ratio, length, (counts) => {
      const left = length - counts.reduce((a, b) => a + b) - 1;
      return counts.map((_, arm) => ways(left, counts, arm));
    });
  }),
  "minimization": minimization,
};

/** The draws of one stratum in one epoch: a function that gives the place of the next arm. */
function stratum(seed, mode, study, epoch, levels, method, ratio, options) {
  const keys = {};
  const choose = (purpose, stream, n) => {
    if (!(purpose in keys)) keys[purpose] = streamKey(seed, mode, study, epoch, purpose, levels);
    return below(n, numbers(keys[purpose], stream));
  };
  if (!Object.hasOwn(METHODS, method)) throw new Error(`the method '${method}' is unknown`);
  const state = METHODS[method](lowest(ratio.map((part) => whole(part, 1))), settings(options), choose);
  let drawn = 0;
  return (factors) => {
    const weights = lowest(state.weights(factors));
    const arm = pick(weights, choose("arm", drawn, sum(weights)));
    state.take(arm, factors);
    drawn += 1;
    return arm;
  };
}
