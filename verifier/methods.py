"""The weights of the methods, as docs/allocation-spec.md, section 6, says. Used by draw.py beside it.

A method has `weights(factors)`, an integer for each arm (`factors`: the levels of the family that is to be drawn), and
`take(arm, factors)`, which notes what was drawn. A method refuses what it cannot keep with ValueError. Nothing here rounds.
"""
import math
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement


def text(value):
    """An option as its text: a number as it is written, `true` or `false`, and a list its items joined by commas."""
    if isinstance(value, list):
        return ",".join(map(text, value))
    if type(value) not in (bool, int, str):
        raise ValueError(f"{value!r} is no option")
    return str(value).lower() if type(value) is bool else str(value)


def number(written):
    if not (written.isascii() and written.isdigit()):
        raise ValueError(f"{written!r} must be a whole number")
    return int(written)


def items(read):
    return lambda written: [read(part.strip()) for part in written.split(",")]


READ = {"block_len": number, "max_imbalance": number, "list_len": number, "block_lens": items(number), "urn": items(number),
        "bias": str, "probability": str, "factor_weights": items(str), "imbalance": str,
        "ratio_preserving": {"true": True, "false": False}.__getitem__}


def settings(options):
    """The options of a method by their texts, so that "2,4" is [2, 4]; what is no option of a method stays as it is."""
    return {key: READ[key](text(value)) if key in READ else value for key, value in options.items()}


def whole(value, least):
    if type(value) is not int or value < least:
        raise ValueError(f"{value!r} must be a whole number of at least {least}")
    return value


def fraction(value):
    """An exact fraction of what a protocol writes: "2/3", "0.8", 0.8 (kept as its text) or 1."""
    if type(value) not in (str, int):
        raise ValueError(f"{value!r} is no fraction")
    try:
        # Spaces around the stroke mean nothing, in a protocol as here; not every version of Python reads them.
        return Fraction("/".join(part.strip() for part in str(value).split("/")))
    except ZeroDivisionError:
        raise ValueError(f"{value!r} divides by nothing") from None


def integers(fractions):
    """Weights over their least common denominator."""
    denominator = math.lcm(*(share.denominator for share in fractions))
    return [int(share * denominator) for share in fractions]


class Method:
    def __init__(self, ratio, options, choose):
        """`ratio` in lowest terms; `choose(purpose, stream, n)` draws an integer below n for another purpose than the arm."""
        self.ratio, self.options, self.choose = ratio, settings(options), choose
        self.counts, self.drawn = [0] * len(ratio), 0
        self.start()

    def start(self):
        pass

    def take(self, arm, factors):
        self.counts[arm] += 1
        self.drawn += 1


class Simple(Method):
    def weights(self, factors):
        return self.ratio


class PermutedBlock(Method):
    def start(self):
        self.lengths = self.read_lengths()
        if not self.lengths or any(whole(length, 1) % sum(self.ratio) for length in self.lengths):
            raise ValueError("a length must be a multiple of the sum of the ratio")
        self.block = 0
        self.open_block()

    def read_lengths(self):
        return self.options["block_lens"] if "block_lens" in self.options else [self.options.get("block_len", 4)]

    def open_block(self):
        chosen = self.choose("block", self.block, len(self.lengths)) if len(self.lengths) > 1 else 0
        self.places = [self.lengths[chosen] // sum(self.ratio) * part for part in self.ratio]

    def weights(self, factors):
        return self.places

    def take(self, arm, factors):
        self.places[arm] -= 1
        if not any(self.places):
            self.block += 1
            self.open_block()


class RandomAllocation(PermutedBlock):
    def read_lengths(self):
        return [self.options["list_len"]]


class BigStick(Method):
    def start(self):
        self.bound = whole(self.options.get("max_imbalance", 3), 1)

    def weights(self, factors):
        return [int(count - min(self.counts) < self.bound) for count in self.counts]


class BiasedCoin(Method):
    def start(self):
        self.bias = fraction(self.options.get("bias", "2/3"))
        if not Fraction(1, 2) <= self.bias <= 1:
            raise ValueError("the bias must lie from 1/2 to 1")

    def weights(self, factors):
        p, q, arms = self.bias.numerator, self.bias.denominator, len(self.counts)
        behind = [count == min(self.counts) for count in self.counts]
        m = sum(behind)
        if p * arms <= q * m:
            return [1] * arms
        return [p * (arms - m) if is_behind else (q - p) * m for is_behind in behind]


class Urn(Method):
    def start(self):
        self.alpha, self.beta = (whole(part, 0) for part in self.options.get("urn", [0, 1]))
        if self.alpha == self.beta == 0:
            raise ValueError("an urn of 0 and 0 has nothing to draw")

    def weights(self, factors):
        balls = [self.alpha + self.beta * (sum(self.counts) - count) for count in self.counts]
        return balls if any(balls) else [1] * len(balls)


class Listed(Method):
    """Lists of n places, one after another: what was counted is forgotten when a list is full."""

    def start(self):
        self.length = whole(self.options["list_len"], 1)
        if self.length % len(self.ratio):
            raise ValueError("the number of arms must divide the length of the list")

    def take(self, arm, factors):
        super().take(arm, factors)
        if self.drawn == self.length:
            self.counts, self.drawn = [0] * len(self.ratio), 0


class TruncatedBinomial(Listed):
    def weights(self, factors):
        return [int(count < self.length // len(self.ratio)) for count in self.counts]


def ahead(counts, arm):
    """How far each arm is ahead of the last, ascending, when `arm` has one more than the counts."""
    more = sorted(count + (place == arm) for place, count in enumerate(counts))
    return tuple(count - more[0] for count in more)


@lru_cache(maxsize=None)
def completions(arms, bound, left):
    """For each way to be ahead, by at most the bound, in how many ways `left` more places bring all arms level, never further
    apart than the bound. A way that is not there has none."""
    if left == 0:
        return {(0,) * arms: 1}
    after, ways = completions(arms, bound, left - 1), {}
    for others in combinations_with_replacement(range(bound + 1), arms - 1):
        if (sum(others) + left) % arms == 0:  # the places drawn and left are whole rounds of all arms
            number = sum(after.get(ahead((0, *others), arm), 0) for arm in range(arms))
            if number:
                ways[0, *others] = number
    return ways


class Maximal(Listed):
    def start(self):
        super().start()
        arms = len(self.ratio)
        self.bound = min(whole(self.options.get("max_imbalance", 3), 1), self.length // arms)
        if self.length > 1000 or self.length * math.comb(self.bound + arms - 1, arms - 1) > 1_000_000:
            raise ValueError("the method is for lists of at most 1000 that can stand in few enough ways")
        for left in range(self.length):  # one after another, so that no recursion is deep
            completions(arms, self.bound, left)

    def weights(self, factors):
        after = completions(len(self.ratio), self.bound, self.length - self.drawn - 1)
        return [after.get(ahead(self.counts, arm), 0) for arm in range(len(self.ratio))]


MOST_DUPLICATES = 64


class Duplicated:
    """A method for equal arms at an unequal ratio: it weighs duplicates, as many of each arm as its part (section 6.2)."""

    def __init__(self, method, ratio, options, choose):
        if sum(ratio) > MOST_DUPLICATES:
            raise ValueError(f"the parts of the ratio must sum to at most {MOST_DUPLICATES}")
        self.arms, self.choose, self.drawn = len(ratio), choose, 0
        self.arm_of = [arm for arm, part in enumerate(ratio) for _ in range(part)]
        self.method = method([1] * len(self.arm_of), options, choose)

    def weights(self, factors):
        weights = [0] * self.arms
        for arm, weight in zip(self.arm_of, self.method.weights(factors)):
            weights[arm] += weight
        return weights

    def take(self, arm, factors):
        chosen = duplicate(self, arm, lambda: self.method.weights(factors))
        self.method.take(chosen, factors)
        self.drawn += 1


def duplicate(state, arm, candidates):
    """Which of its duplicates a drawn arm stands for, by their weights in lowest terms; one alone is not drawn for."""
    own = [place for place, of in enumerate(state.arm_of) if of == arm]
    if len(own) == 1:
        return own[0]
    weights = candidates()
    weights = [weights[place] for place in own]
    divisor = math.gcd(*weights)
    rest = state.choose("duplicate", state.drawn, sum(weights) // divisor)
    return own[pick([weight // divisor for weight in weights], rest)]


def of_equal_arms(method):
    """The method as it is for equal arms, by duplicates otherwise."""
    def build(ratio, options, choose):
        equal = set(ratio) == {1}
        return method(ratio, options, choose) if equal else Duplicated(method, ratio, options, choose)
    return build


class Minimization(Method):
    """Counts by factor and level, for each arm, or for each of its duplicates where the ratio is preserved."""

    def start(self):
        self.names = self.options["factors"]
        if not isinstance(self.names, list) or not self.names:
            raise ValueError("minimization balances at least one factor")
        weights = self.options.get("factor_weights", [1] * len(self.names))
        self.factor_weights = [fraction(weight) for weight in weights]
        if len(weights) != len(self.names) or min(self.factor_weights) <= 0:
            raise ValueError("there must be one weight above 0 for each factor")
        self.measure = {"range": self.spread, "variance": self.variance, "sum": self.total}[
            self.options.get("imbalance", "range")]
        preserving = self.options.get("ratio_preserving", False)
        # The arm of each candidate, and the part of the ratio that a candidate has.
        self.arm_of = [arm for arm, part in enumerate(self.ratio) for _ in range(part if preserving else 1)]
        self.parts = [1] * len(self.arm_of) if preserving else self.ratio
        self.probability = fraction(self.options.get("probability", "4/5"))
        if not Fraction(1, len(self.parts)) <= self.probability <= 1:
            raise ValueError("the probability must lie from 1 / candidates to 1")
        self.tables = {}  # (factor, level): counts of the candidates

    def spread(self, counts, candidate):
        shares = self.shares(counts, candidate)
        return max(shares) - min(shares)

    def variance(self, counts, candidate):
        shares = self.shares(counts, candidate)
        mean = sum(shares) / len(shares)
        return sum((share - mean) ** 2 for share in shares)

    def total(self, counts, candidate):
        return Fraction(counts[candidate], self.parts[candidate])

    def shares(self, counts, candidate):
        return [Fraction(count + (place == candidate), part)
                for place, (count, part) in enumerate(zip(counts, self.parts))]

    def rows(self, factors):
        if len(factors) != len(self.names):
            raise ValueError("there is not one level for each balanced factor")
        return [self.tables.setdefault((place, level), [0] * len(self.arm_of)) for place, level in enumerate(factors)]

    def candidates(self, factors):
        """Weight of each candidate."""
        rows, n = self.rows(factors), len(self.arm_of)
        scores = [sum(weight * self.measure(counts, candidate) for weight, counts in zip(self.factor_weights, rows))
                  for candidate in range(n)]
        best = [score == min(scores) for score in scores]
        tied = sum(best)
        if tied == n:
            return list(self.parts)
        of_best = sum(part for part, is_best in zip(self.parts, best) if is_best)
        share = max(self.probability, Fraction(of_best, sum(self.parts)))
        return integers([share * part / of_best if is_best else (1 - share) / (n - tied)
                         for part, is_best in zip(self.parts, best)])

    def weights(self, factors):
        weights = [0] * len(self.ratio)
        for arm, weight in zip(self.arm_of, self.candidates(factors)):
            weights[arm] += weight
        return weights

    def take(self, arm, factors):
        chosen = duplicate(self, arm, lambda: self.candidates(factors))
        for counts in self.rows(factors):
            counts[chosen] += 1
        self.drawn += 1


def pick(weights, number):
    """The first place whose cumulative weight exceeds the number."""
    place = 0
    while number >= weights[place]:
        number, place = number - weights[place], place + 1
    return place


METHODS = {
    "simple": Simple, "permuted-block": PermutedBlock, "random-allocation": RandomAllocation,
    "big-stick": of_equal_arms(BigStick), "biased-coin": of_equal_arms(BiasedCoin), "urn": of_equal_arms(Urn),
    "truncated-binomial": of_equal_arms(TruncatedBinomial), "maximal": of_equal_arms(Maximal), "minimization": Minimization,
}
