"""Tests of methods.py: weights by hand, published tables, and the arms that the program's vectors freeze.

python3 -m unittest discover verifier
"""
import copy
import math
import re
import unittest
from fractions import Fraction
from itertools import product
from pathlib import Path

from draw import Stratum
from methods import METHODS, completions

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "stability"


def never(purpose, stream, n):
    raise AssertionError("nothing is to be drawn here")


def shares(weights):
    return [Fraction(weight, sum(weights)) for weight in weights]


class Case(unittest.TestCase):
    def method(self, name, ratio=(1, 1), choose=never, **options):
        return METHODS[name](list(ratio), options, choose)

    def weights(self, method, arms, factors=()):
        """The weights before each of the arms, and after the last; the arms are taken."""
        seen = []
        for arm in arms:
            seen.append(list(method.weights(factors)))
            method.take("abc".index(arm), factors)
        return [*seen, list(method.weights(factors))]

    def refused(self, name, ratio=(1, 1), **options):
        with self.assertRaises((ValueError, KeyError), msg=(name, ratio, options)):
            self.method(name, ratio, **options)


class ByHand(Case):
    def test_random_allocation(self):
        # Four places of 2:2; when the list is full the next begins.
        self.assertEqual(self.weights(self.method("random-allocation", list_len=4), "abbab"),
                         [[2, 2], [1, 2], [1, 1], [1, 0], [2, 2], [2, 1]])
        self.assertEqual(self.weights(self.method("random-allocation", (2, 1), list_len=3), "aba"),
                         [[2, 1], [1, 1], [1, 0], [2, 1]])
        self.refused("random-allocation")
        self.refused("random-allocation", (2, 1), list_len=4)

    def test_three_equal_arms(self):
        # Counts 2, 0, 0 with the bound 2: the first arm is closed.
        self.assertEqual(self.weights(self.method("big-stick", (1, 1, 1), max_imbalance=2), "aab"),
                         [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1]])
        # p = 3/4; one arm behind has 3/4, two behind share 3/4: 3 * 1 each, against 1 * 2.
        self.assertEqual(self.weights(self.method("biased-coin", (1, 1, 1), bias="3/4"), "ab"),
                         [[1, 1, 1], [2, 3, 3], [1, 1, 6]])
        # p = 1/2 is less than the 2/3 that two of three have anyway.
        self.assertEqual(self.weights(self.method("biased-coin", (1, 1, 1), bias="1/2"), "ab"),
                         [[1, 1, 1], [1, 1, 1], [1, 1, 2]])
        # Other arms' counts after a, b: 1, 1, 2.
        self.assertEqual(self.weights(self.method("urn", (1, 1, 1), urn=[1, 2]), "ab"), [[1, 1, 1], [1, 3, 3], [3, 3, 5]])
        self.assertEqual(self.weights(self.method("truncated-binomial", (1, 1, 1), list_len=3), "abc"),
                         [[1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])
        self.refused("maximal", (1, 1, 1), list_len=16)
        self.refused("maximal", list_len=1002)
        # C(45, 2) * 999 = 989,010 ways are few enough, C(46, 2) * 999 = 1,033,965 are not.
        self.refused("maximal", (1, 1, 1), list_len=999, max_imbalance=44)

    def test_biased_coin(self):
        # Efron: 2/3 to the arm behind, a fair coin when level.
        self.assertEqual(self.weights(self.method("biased-coin"), "abba"), [[1, 1], [1, 2], [1, 1], [2, 1], [1, 1]])
        for bias, behind in (("3/5", [2, 3]), ("0.75", [1, 3]), ("1", [0, 1]), (1, [0, 1]), ("1/2", [1, 1])):
            self.assertEqual(self.weights(self.method("biased-coin", bias=bias), "a")[1], behind)
        for bias in ("0.4", "11/10", "x", "1/0", 2, None, True):
            self.refused("biased-coin", bias=bias)

    def test_urn(self):
        # Wei: alpha balls each at first, beta of the other colour after each draw.
        self.assertEqual(self.weights(self.method("urn"), "aab"), [[1, 1], [0, 1], [0, 2], [1, 2]])
        self.assertEqual(self.weights(self.method("urn", urn=[1, 2]), "aab"), [[1, 1], [1, 3], [1, 5], [3, 5]])
        self.assertEqual(self.weights(self.method("urn", urn=[3, 0]), "aab")[3], [3, 3])
        for urn in ([0, 0], [1], [-1, 2], [1, True], [1, 1.5], 3, "1,", "1;2", "1,2,3", "-1,2", ""):
            self.refused("urn", urn=urn)

    def test_an_option_is_its_text(self):
        # A protocol may write a number or a list as a text, and a list of one for the one: section 6.
        for name, written, meant in (
                ("urn", {"urn": "1, 2"}, {"urn": [1, 2]}), ("urn", {"urn": [1, "2"]}, {"urn": [1, 2]}),
                ("permuted-block", {"block_len": "6"}, {"block_len": 6}), ("permuted-block", {"block_lens": 2}, {"block_len": 2}),
                ("permuted-block", {"block_len": [2]}, {"block_len": 2}), ("random-allocation", {"list_len": "4"}, {"list_len": 4}),
                ("big-stick", {"max_imbalance": "2"}, {"max_imbalance": 2}), ("biased-coin", {"bias": ["3/4"]}, {"bias": "3/4"}),
                ("biased-coin", {"bias": "3 / 4"}, {"bias": "3/4"})):
            self.assertEqual(self.weights(self.method(name, **written), "ab"), self.weights(self.method(name, **meant), "ab"))
        own, meant = (self.method("minimization", (2, 1), factors=["sex"], ratio_preserving=preserving)
                      for preserving in ("false", False))
        self.assertEqual((own.arm_of, own.parts), (meant.arm_of, meant.parts))
        own = self.method("minimization", (2, 1), factors=["sex", "age"], factor_weights="2, 1/2", ratio_preserving="true")
        self.assertEqual((own.factor_weights, own.arm_of), ([2, Fraction(1, 2)], [0, 0, 1]))
        for options in ({"max_imbalance": " 2"}, {"max_imbalance": "+2"}, {"max_imbalance": "2.0"}, {"max_imbalance": [2, 3]}):
            self.refused("big-stick", **options)
        self.refused("minimization", factors=["sex"], ratio_preserving="yes")

    def test_truncated_binomial(self):
        self.assertEqual(self.weights(self.method("truncated-binomial", list_len=4), "abbab"),
                         [[1, 1], [1, 1], [1, 1], [1, 0], [1, 1], [1, 1]])
        self.refused("truncated-binomial", list_len=5)
        self.refused("truncated-binomial")

    def test_maximal(self):
        # n = 4, b = 1: a b a b, a b b a, b a a b, b a b a; each pair is free, then fixed.
        self.assertEqual(self.weights(self.method("maximal", list_len=4, max_imbalance=1), "abba"),
                         [[2, 2], [0, 2], [1, 1], [1, 0], [2, 2]])
        # n = 4, b = 2: six sequences; after a: abab, abba, aabb: one goes on with a, two with b.
        self.assertEqual(self.weights(self.method("maximal", list_len=4, max_imbalance=2), "a")[1], [1, 2])

    def test_maximal_is_every_admissible_sequence_equally_often(self):
        def apart(arms, given):
            counts = [given.count(arm) for arm in range(arms)]
            return max(counts) - min(counts)

        for arms, n, bound, number in ((2, 6, 2, 18), (2, 8, 3, 68), (2, 8, 1, 16), (2, 6, 3, 20), (3, 6, 1, 36), (3, 6, 2, 90),
                                       (3, 9, 1, 216), (3, 9, 2, 1296), (4, 8, 1, 576)):
            admissible = [given for given in product(range(arms), repeat=n) if apart(arms, given) == 0
                          and all(apart(arms, given[:k]) <= bound for k in range(n))]
            self.assertEqual(len(admissible), number)
            for given in admissible:
                method, chance = self.method("maximal", (1,) * arms, list_len=n, max_imbalance=bound), Fraction(1)
                for arm in given:
                    chance *= shares(method.weights(()))[arm]
                    method.take(arm, ())
                self.assertEqual(chance, Fraction(1, len(admissible)))

    def test_numbers_of_sequences_of_the_maximal_procedure(self):
        # Berger, Ivanova and Knoll 2003: b = 1 gives 2^(n/2), b = 2 gives 2 * 3^(n/2 - 1); b >= n/2 gives C(n, n/2).
        for n, bound, count in ((6, 1, 8), (6, 2, 18), (8, 2, 54), (12, 2, 486), (20, 2, 39366), (6, 3, 20), (8, 3, 68),
                                (10, 3, 232), (12, 3, 792), (20, 3, 107616), (10, 4, 250), (20, 4, 153750),
                                (20, 10, math.comb(20, 10)), (400, 200, math.comb(400, 200))):
            self.assertEqual(self.lists(2, n, bound), count)

    def test_numbers_of_sequences_of_three_and_four_arms(self):
        # b = 1: each round of all arms in any order; b = 2 of three arms, twelve places: every one of the 3^12 lists looked at;
        # b >= n / arms: the multinomial coefficient.
        for arms, n, bound, count in ((3, 12, 1, 6**4), (4, 12, 1, 24**3), (3, 12, 2, 18684), (3, 12, 3, 32100),
                                      (3, 12, 4, math.factorial(12) // 24**3), (4, 8, 2, math.factorial(8) // 16)):
            self.assertEqual(self.lists(arms, n, bound), count)

    def lists(self, arms, n, bound):
        for left in range(n):
            completions(arms, bound, left)
        return completions(arms, bound, n)[(0,) * arms]


class Minimization(Case):
    def minimization(self, counts, ratio=(1, 1), **options):
        """`counts`: for each factor, the counts of the arms at the level of the family that comes."""
        method = self.method("minimization", ratio, factors=[str(place) for place in range(len(counts))], **options)
        for place, own in enumerate(counts):
            method.tables[place, "x"] = list(own)
        return method

    def share(self, counts, ratio=(1, 1), **options):
        return shares(self.minimization(counts, ratio, **options).weights(["x"] * len(counts)))

    def test_worked_cases(self):
        certain = {"probability": "1"}
        # PMC6547231, table 4, patient 15: site 2 has 3/5, women 3/3, 65 and older 3/3; range sums 3 and 5: control.
        self.assertEqual(self.share([(3, 5), (3, 3), (3, 3)], imbalance="range", **certain), [1, 0])
        # Pocock's table of 80 patients: 30/31, 18/17, 9/8, 19/21. Sum 76 and 77: A; range 5 and 5: a tie; squares 9 and 13: A.
        pocock = [(30, 31), (18, 17), (9, 8), (19, 21)]
        self.assertEqual(self.share(pocock, imbalance="sum", **certain), [1, 0])
        self.assertEqual(self.share(pocock, imbalance="range", **certain), [Fraction(1, 2)] * 2)
        self.assertEqual(self.share(pocock, imbalance="variance", **certain), [1, 0])
        # Ratio 3:1, male 5/1, site 5/3. Totals over ratio 10/3 and 4: A. With male alone 5/3 and 1: B.
        self.assertEqual(self.share([(5, 1), (5, 3)], (3, 1), imbalance="sum", **certain), [1, 0])
        self.assertEqual(self.share([(5, 1)], (3, 1), imbalance="sum", **certain), [0, 1])

    def test_ties(self):
        # One best of three: 4/5, the others 1/10 each. Two best: max(4/5, 2/3) halved. All: the ratio.
        for counts, wanted in (((0, 1, 1), ["4/5", "1/10", "1/10"]), ((0, 0, 1), ["2/5", "2/5", "1/5"]),
                               ((2, 2, 2), ["1/3"] * 3)):
            self.assertEqual(self.share([counts], (1, 1, 1), imbalance="sum"), [Fraction(x) for x in wanted])
        # With p = 1/2 two tied arms of three have 2/3 between them, which is more.
        self.assertEqual(self.share([(0, 0, 1)], (1, 1, 1), imbalance="sum", probability="0.5"), [Fraction(1, 3)] * 3)
        # 3:2:1, totals over ratio 0, 0, 1: the first two have 5/6 > 4/5 of the ratio, shared 3:2.
        self.assertEqual(self.share([(0, 0, 1)], (3, 2, 1), imbalance="sum"),
                         [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
        self.assertEqual(self.share([(3, 2, 1)], (3, 2, 1), imbalance="sum"),
                         [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])

    def test_weights_of_factors(self):
        # Totals 0 and 1 of the first factor, 1 and 0 of the second: level; twice the first: the first arm.
        both = [(0, 1), (1, 0)]
        self.assertEqual(self.share(both, imbalance="sum"), [Fraction(1, 2)] * 2)
        self.assertEqual(self.share(both, imbalance="sum", factor_weights=[2, 1]), [Fraction(4, 5), Fraction(1, 5)])
        self.assertEqual(self.share(both, imbalance="sum", factor_weights=[1, 2]), [Fraction(1, 5), Fraction(4, 5)])

    def test_the_ratio_is_preserved_by_duplicates(self):
        # 2:1 is a, a', b. Nothing counted: 1/3 each. The second duplicate of a counted: a and b tie over a', 4/5 between them.
        asked = []

        def choose(purpose, stream, n):
            asked.append((purpose, stream, n))
            return n - 1

        method = self.method("minimization", (2, 1), choose, factors=["f"], ratio_preserving=True)
        self.assertEqual(method.weights(["x"]), [2, 1])
        method.take(0, ["x"])
        self.assertEqual(asked, [("duplicate", 0, 2)])  # equal weights, 1 and 1
        self.assertEqual(method.tables[0, "x"], [0, 1, 0])
        self.assertEqual(shares(method.weights(["x"])), [Fraction(3, 5), Fraction(2, 5)])  # 2/5 + 1/5, 2/5
        method.take(1, ["x"])  # b has no duplicate: nothing is drawn
        self.assertEqual((len(asked), method.tables[0, "x"]), (1, [0, 1, 1]))
        # a alone is best: 4/5, a' and b 1/10 each. Of a the duplicates weigh 8 and 1.
        self.assertEqual(shares(method.weights(["x"])), [Fraction(9, 10), Fraction(1, 10)])
        method.take(0, ["x"])
        self.assertEqual(asked[1:], [("duplicate", 2, 9)])
        self.assertEqual(method.tables[0, "x"], [0, 2, 1])

    def test_refusals(self):
        whole = {"factors": ["f", "g"]}
        self.method("minimization", **whole)
        for change in ({"factors": []}, {"factors": "fg"}, {"factor_weights": [1]}, {"factor_weights": [1, 0]}, {"factor_weights": [1, "x"]},
                       {"probability": "1/3"}, {"probability": "1/4", "ratio_preserving": True}, {"probability": "1.1"}, {"imbalance": "entropy"}):
            self.refused("minimization", **whole | change)
        self.refused("minimization")


EQUAL_ARMS = (  # each method for equal arms
    ("big-stick", {"max_imbalance": 2}), ("biased-coin", {"bias": "3/4"}), ("urn", {"urn": [0, 1]}), ("urn", {"urn": [2, 3]}),
    ("truncated-binomial", {}), ("maximal", {"max_imbalance": 2}),
)


class Unequal(Case):
    """Methods for equal arms at an unequal ratio, by duplicates (allocation-spec.md, section 6.2)."""

    def lists(self, name, ratio, options, n):
        """Every list of n arms with its probability, whatever duplicates it hides."""
        answer, asked = 0, []

        def choose(purpose, stream, below):
            asked.append(below)
            return answer

        now = {((), ()): (self.method(name, ratio, choose, **options), Fraction(1))}
        for place in range(n):
            later = {}
            for (arms, _), (method, chance) in now.items():
                for arm, share in enumerate(shares(method.weights(()))):
                    answer, answers = 0, 1
                    while share and answer < answers:
                        own = copy.deepcopy(method)
                        asked.clear()
                        own.take(arm, ())
                        answers = asked[0] if asked else 1
                        key = (*arms, arm), tuple(own.method.counts if hasattr(own, "method") else own.places)
                        before = later[key][1] if key in later else 0
                        later[key] = own, before + chance * share / answers
                        answer += 1
            now = later
        chances = {}
        for (arms, _), (_, chance) in now.items():
            chances[arms] = chances.get(arms, 0) + chance
        return chances

    def test_the_ratio_holds_at_every_place(self):
        for name, options in EQUAL_ARMS:
            for ratio, n in (((2, 1), 5), ((1, 2, 1), 6), ((3, 1), 6), ((9, 1), 4), ((7, 3), 4), ((5, 4), 4)):
                listed = name in ("truncated-binomial", "maximal")
                chances = self.lists(name, ratio, options | ({"list_len": 2 * sum(ratio)} if listed else {}), n)
                self.assertEqual(sum(chances.values()), 1)
                for place in range(n):
                    for arm, part in enumerate(ratio):
                        share = sum(chance for arms, chance in chances.items() if arms[place] == arm)
                        self.assertEqual(share, Fraction(part, sum(ratio)), (name, ratio, place))

    def test_an_urn_of_two_to_one(self):
        # By hand. After a, the urn has no ball of that duplicate: 1, 1. After b: a alone. After a and a': 1, 1, 2. Otherwise 1, 2, 1.
        found = {"".join("ab"[arm] for arm in arms): chance for arms, chance in self.lists("urn", (2, 1), {}, 3).items()}
        self.assertEqual(found, {"aaa": Fraction(1, 6), "aab": Fraction(1, 6), "aba": Fraction(1, 4), "abb": Fraction(1, 12),
                                 "baa": Fraction(1, 4), "bab": Fraction(1, 12)})

    def test_the_strictest_rules_are_permuted_blocks(self):
        for ratio in ((2, 1), (1, 2, 1), (3, 2)):
            n = sum(ratio)
            blocks = self.lists("permuted-block", ratio, {"block_len": n}, n)
            for name, options in (("big-stick", {"max_imbalance": 1}), ("biased-coin", {"bias": 1}),
                                  ("truncated-binomial", {"list_len": n}), ("maximal", {"max_imbalance": 1, "list_len": n})):
                self.assertEqual(self.lists(name, ratio, options, n), blocks, (name, ratio))

    def test_which_duplicate(self):
        # 2:1 is a, a', b. Bound 1: after a' only a and b are open, and a takes a number for its only open duplicate.
        asked = []

        def choose(purpose, stream, n):
            asked.append((purpose, stream, n))
            return n - 1

        method = self.method("big-stick", (2, 1), choose, max_imbalance=1)
        self.assertEqual(self.weights(method, "aaba"), [[2, 1], [1, 1], [0, 1], [2, 1], [1, 1]])
        self.assertEqual(asked, [("duplicate", 0, 2), ("duplicate", 1, 1), ("duplicate", 3, 2)])

    def test_refusals(self):
        for name, options in EQUAL_ARMS:
            self.method(name, (5, 3), **options | {"list_len": 8})
            self.method(name, (9, 1), **options | {"list_len": 10})
            self.refused(name, (64, 1), **options | {"list_len": 65})
        for name in ("truncated-binomial", "maximal"):
            self.refused(name, (2, 1), list_len=8)


def lines(name):
    """Lines of a file of vectors beside this folder, split at spaces; none if this folder was taken elsewhere."""
    file = VECTORS / name
    if not file.is_file():
        raise unittest.SkipTest("the vectors are not beside this folder")
    return [line.split(" ") for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def text(part):
    return part.replace("%20", " ").replace("%7C", "|").replace("%25", "%")


def read_options(options):
    read = {}
    for option in options.split(";") if options != "-" else []:
        key, value = option.split("=")
        parts = [int(x) if re.fullmatch(r"\d+", x) else x for x in value.split(",")]
        many = ("block_lens", "urn", "factors", "factor_weights")
        read[key] = parts if key in many else value == "true" if value in ("true", "false") else parts[0]
    return read


class Vectors(Case):
    def stratum(self, seed, mode, study, epoch, levels, method, ratio, options):
        levels = [] if levels == "-" else [text(level) for level in levels.split("|")]
        return Stratum(bytes.fromhex(seed), mode, text(study), int(epoch), levels, method,
                       [int(part) for part in ratio.split(":")], read_options(options))

    def test_the_frozen_arms(self):
        checked = set()
        for *given, arms in lines("allocations.txt"):
            stratum = self.stratum(*given[:8])
            self.assertEqual("".join("abcdefgh"[stratum.draw()] for _ in arms), arms, given)
            checked.add(given[5])
        self.assertEqual(set(METHODS) - {"minimization"}, checked)

    def test_the_frozen_arms_of_minimization(self):
        checked = 0
        for kind, *given in lines("minimization.txt"):
            if kind != "list":
                continue
            seed, mode, study, epoch, levels, ratio, options, families, arms = given
            stratum = self.stratum(seed, mode, study, epoch, levels, "minimization", ratio, options)
            self.assertEqual("".join("abcdefgh"[stratum.draw(list(family))] for family in families.split(",")), arms, given)
            checked += 1
        self.assertGreater(checked, 20)


if __name__ == "__main__":
    unittest.main()
