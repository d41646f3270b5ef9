#!/usr/bin/env python3
"""Writes the frozen vectors of minimization, from docs/allocation-spec.md alone and with the standard library only.

    python3 tests/stability/minimization.py > tests/stability/minimization.txt

It shares nothing with the Rust code: scores and chances are fractions here, a variance is a variance, and the generator
is that of reference.py. The file is append-only: a line that has been there once stays for ever.
"""
import hashlib
import sys
from fractions import Fraction
from math import gcd, lcm

from reference import LETTERS, PLACES, SEED, arm_at, below, lp, numbers, stream_key, text


def chances(scores, parts, probability):
    """The chance of each candidate from its score, by the rule of ties."""
    best = [place for place, score in enumerate(scores) if score == min(scores)]
    others = len(parts) - len(best)
    together = sum(parts[place] for place in best)
    share = Fraction(1) if others == 0 else max(probability, Fraction(together, sum(parts)))
    return [
        share * parts[place] / together if place in best else (1 - share) / others for place in range(len(parts))
    ]


def whole(fractions):
    """Fractions over their least common denominator."""
    common = lcm(*(fraction.denominator for fraction in fractions))
    return [int(fraction * common) for fraction in fractions]


class Minimized:
    """One stratum in one epoch; `ask(purpose, number, n)` answers with an integer below n."""

    def __init__(self, ratio, weights, imbalance, probability, duplicated, ask):
        self.arms = [arm for arm, part in enumerate(ratio) for _ in range(part if duplicated else 1)]
        self.parts = [1 if duplicated else ratio[arm] for arm in self.arms]
        self.weights, self.imbalance, self.probability, self.ask = weights, imbalance, probability, ask
        self.counts, self.drawn = [{} for _ in weights], 0

    def score(self, candidate, family):
        total = Fraction(0)
        for weight, counts, level in zip(self.weights, self.counts, family):
            own = counts.get(level, [0] * len(self.parts))
            if self.imbalance == "sum":
                total += weight * Fraction(own[candidate], self.parts[candidate])
                continue
            x = [Fraction(n + (i == candidate), part) for i, (n, part) in enumerate(zip(own, self.parts))]
            mean = sum(x) / len(x)
            total += weight * (max(x) - min(x) if self.imbalance == "range" else sum((v - mean) ** 2 for v in x) / len(x))
        return total

    def chances(self, family):
        scores = [self.score(candidate, family) for candidate in range(len(self.parts))]
        return chances(scores, self.parts, self.probability)

    def next(self, family):
        own = self.chances(family)
        arms = [sum(c for c, of in zip(own, self.arms) if of == arm) for arm in range(max(self.arms) + 1)]
        arm = arm_at(whole(arms), lambda n: self.ask("arm", self.drawn, n))
        candidates = [place for place, of in enumerate(self.arms) if of == arm]
        place = 0
        if len(candidates) > 1:
            shares = whole([own[candidate] for candidate in candidates])
            place = arm_at(shares, lambda n: self.ask("duplicate", self.drawn, n))
        for counts, level in zip(self.counts, family):
            counts.setdefault(level, [0] * len(self.parts))[candidates[place]] += 1
        self.drawn += 1
        return arm


# Ratio, factor weights, imbalance, probability, duplicated: as written and as meant. A new setting is a new line.
SETTINGS = [
    ((1, 1), "1", "range", "4/5", False),
    ((1, 1), "1,1", "range", "4/5", False),
    ((1, 1), "2,1,1", "variance", "0.7", False),
    ((1, 1), "1,1,1", "sum", "1", False),
    ((1, 1), "0.5,0.75", "variance", "1/2", False),
    ((2, 1), "1,1", "range", "4/5", False),
    ((3, 2), "3,1", "variance", "0.9", False),
    ((3, 1), "1,1", "sum", "1", False),
    ((1, 1, 1), "1,1", "range", "0.8", False),
    ((1, 1, 1), "1,2,3", "variance", "2/3", False),
    ((3, 1, 1), "1,1", "sum", "0.7", False),
    ((2, 1), "1,1", "range", "4/5", True),
    ((2, 1), "2,1", "variance", "1", True),
    ((1, 3), "1,1,1", "sum", "0.75", True),
    ((3, 2, 1), "1,1", "range", "3/5", True),
    ((6, 2, 2), "1,1/3", "variance", "0.85", True),
    ((9, 1), "1,1", "range", "4/5", False),
    ((5, 1, 1), "1,2", "variance", "1/2", False),
    ((2, 1), "1,1", "range", "1/3", True),
]
# So many were written first; the lines of later ones follow theirs.
FIRST = 16
LEVELS = [3, 2, 5]
STRATA = [[], ["enskede-arsta-vantor", "yes"]]


def families(setting, number):
    """Levels of so many families for a setting, a digit for each factor."""
    factors = setting[1].count(",") + 1
    for family in range(number):
        digest = hashlib.sha256(b"%d of %d" % (family, SETTINGS.index(setting))).digest()
        yield [digest[factor] % LEVELS[factor] for factor in range(factors)]


def fresh(setting, ask):
    ratio, weights, imbalance, probability, duplicated = setting
    weights = [Fraction(weight) for weight in weights.split(",")]
    divisor = 0
    for part in ratio:
        divisor = gcd(divisor, part)
    ratio = [part // divisor for part in ratio]
    return Minimized(ratio, weights, imbalance, Fraction(probability), duplicated, ask)


def words(setting):
    """Ratio and options as one field each; the options are joined by semicolons."""
    ratio, weights, imbalance, probability, duplicated = setting
    names = ",".join(LETTERS[: weights.count(",") + 1])
    options = f"factors={names};factor_weights={weights};imbalance={imbalance};probability={probability}"
    return ":".join(map(str, ratio)), options + (";ratio_preserving=true" if duplicated else "")


def joined(units):
    return ",".join("".join(map(str, unit)) for unit in units)


def lists(settings):
    print("# list <seed> <mode> <study> <epoch> <strata> <ratio> <options> <levels of the families> <arms, a letter each>")
    for mode, study, epoch in PLACES:
        for levels in STRATA:
            for setting in settings:
                purposes = ("arm", "duplicate")
                keys = {purpose: stream_key(SEED, mode, study, epoch, purpose, levels) for purpose in purposes}
                stratum = fresh(setting, lambda purpose, number, n: below(numbers(keys[purpose], number, 20), n))
                units = list(families(setting, 40))
                arms = "".join(LETTERS[stratum.next(unit)] for unit in units)
                print("list", SEED.hex(), mode, study, epoch, text(levels), *words(setting), joined(units), arms)


def redraws(settings):
    print("# redraw <key> <replicate> <ratio> <options> <strata of the families, a digit each> <levels> <arms>")
    order = [0, 1, 0, 0, 2, 1, 0, 2, 2, 1, 0, 0, 1, 2, 0, 1, 1, 0, 2, 0, 0, 0, 1, 2, 0, 1, 0, 2, 0, 1]
    key = hashlib.sha256(b"lottning/redraw/1" + SEED + lp("primary") + lp("final")).digest()
    for setting in settings:
        for replicate in (0, 9999):
            source = numbers(key, replicate, 8)
            strata, arms, units = {}, "", list(families(setting, len(order)))
            for place, unit in zip(order, units):
                if place not in strata:
                    strata[place] = fresh(setting, lambda purpose, number, n: below(source, n))
                arms += LETTERS[strata[place].next(unit)]
            places = "".join(map(str, order))
            print("redraw", key.hex(), replicate, *words(setting), places, joined(units), arms)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for settings in (SETTINGS[:FIRST], SETTINGS[FIRST:]):
        lists(settings)
        redraws(settings)
