"""Every resample of small comparisons, in rational arithmetic: run `python3 enumerate.py` in this folder.

A resample takes, for each family, a family of its own arm and stratum, all choices alike. Of each (theta* - theta)/se* is kept, se*
by the variances within arm and stratum, and how often it occurs; without a standard error above 0 it does not exist. Written to 17 digits
from the exact square with its sign.
"""

from collections import Counter
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import product

getcontext().prec = 40

# Strata of (treated, control).
CASES = {
    "two-arms": [([2, 3, 11], [1, 4, 6])],
    "two-strata": [([5, 12], [3, 4, 9]), ([40, 22], [10, 31])],
}


def moments(strata):
    families = sum(len(a) + len(b) for a, b in strata)
    effect = square = Fraction(0)
    for a, b in strata:
        share = Fraction(len(a) + len(b), families)
        mean = [Fraction(sum(y), len(y)) for y in (a, b)]
        effect += share * (mean[0] - mean[1])
        for y, own in zip((a, b), mean):
            inner = sum((v - own) ** 2 for v in y) / Fraction(len(y) - 1)
            square += share**2 * inner / len(y)
    return effect, square


def resamples(strata):
    cells = [y for pair in strata for y in pair]
    every = [list(product(y, repeat=len(y))) for y in cells]
    for choice in product(*every):
        yield list(zip(choice[0::2], choice[1::2]))


with open("resamples.csv", "w") as out:
    out.write("case,t,count\n")
    for name, strata in CASES.items():
        effect, _ = moments(strata)
        counts = Counter()
        for drawn in resamples(strata):
            own, square = moments(drawn)
            apart = own - effect
            signed = None if square == 0 else (1 if apart >= 0 else -1) * apart**2 / square
            counts[signed] += 1
        assert sum(counts.values()) == sum(1 for _ in resamples(strata))
        for signed in sorted(counts, key=lambda own: (own is None, own)):
            if signed is None:
                text = "NA"
            else:
                root = (Decimal(abs(signed.numerator)) / Decimal(signed.denominator)).sqrt()
                text = f"{(-root if signed < 0 else root):.17g}"
            out.write(f"{name},{text},{counts[signed]}\n")
