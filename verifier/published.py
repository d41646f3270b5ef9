"""Answers that were published elsewhere or that docs/allocation-spec.md prints, and `self_test`, which holds draw.py to them."""
from fractions import Fraction
from itertools import islice

from draw import Stratum, below, chacha20_block, commitment, effective_seed, numbers, sha256, stream_key

SEED = bytes(range(32))
RFC_8439 = (  # key, block number, stream, words; section 2.3.2 and appendix A.1, test vectors 1 to 3
    (SEED, 0x0900000000000001, 0x4A000000, "e4e7f110 15593bd1 1fdd0f50 c47120a3 c7f4d1c7 0368c033 9aaa2204 4e6cd4c3 "
     "466482d2 09aa9f07 05d7c214 a2028bd9 d19c12b5 b94e16de e883d0cb 4e3c50a2"),
    (bytes(32), 0, 0, "ade0b876 903df1a0 e56a5d40 28bd8653 b819d2bd 1aed8da0 ccef36a8 c70d778b "
     "7c5941da 8d485751 3fe02477 374ad8b8 f4b8436a 1ca11815 69b687c3 8665eeb2"),
    (bytes(32), 1, 0, "bee7079f 7a385155 7c97ba98 0d082d73 a0290fcb 6965e348 3e53c612 ed7aee32 "
     "7621b729 434ee69c b03371d5 d539d874 281fed31 45fb0a51 1f0ae1ac 6f4d794b"),
    (bytes(31) + b"\x01", 1, 0, "2452eb3a 9249f8ec 8d829d9b ddd4ceb1 e8252083 60818b01 f38422b8 5aaa49c9 "
     "bb00ca8e da3ba7b4 c4b592d1 fdf2732f 4436274e 2561b3c8 ebdd4aa6 a0136c00"),
)
BELOW = (  # n, answers one after another; allocation-spec.md, section 5
    (2**63 + 1, "350ce2ecbe95fe9c 24a56e5c3b81dec6 66356f5e37ec1ac5 4912756c263ee659 323fe41d34f7871f"),
    (2**64, "494adcb87703bd8d"),
    (2**127 + 1, "24a56e5c3b81dec6b50ce2ecbe95fe9c"),
    (10**40, "17774a0da5d1fd9b625c088c5652a93dcb"),
)
WORKED = "live", "iuh-2025", 0, ["rinkeby-kista"]  # mode, study, epoch, levels; section 3
ARMS = (  # method, ratio, options, first twenty arms; section 7
    ("simple", [1, 1], {}, "bbaabaabababababbaab"),
    ("simple", [3, 1, 1], {}, "ccaaaaacacabacaccaab"),
    ("permuted-block", [1, 1], {"block_len": 4}, "bbaabaabababababbaab"),
    ("permuted-block", [1, 1], {"block_lens": [2, 4, 6]}, "bbaabaabababababbaab"),
    ("permuted-block", [1, 1], {"block_lens": [6, 2]}, "baaababbababababbaab"),
    ("permuted-block", [2, 1], {"block_len": 6}, "bbaaaaababaaababaaab"),
    ("permuted-block", [1, 1, 1], {"block_len": 6}, "ccabbaacbcabbcacbabc"),
    ("big-stick", [1, 1], {"max_imbalance": 1}, "baabbaabababababbaab"),
    ("big-stick", [1, 1], {"max_imbalance": 4}, "bbaabaabababababbaab"),
    ("big-stick", [1, 1, 1], {"max_imbalance": 2}, "ccaababcbcbbacaccaab"),
    ("random-allocation", [2, 1], {"list_len": 12}, "bbaaaaababaaababbaaa"),
    ("biased-coin", [1, 1], {"bias": "2/3"}, "bbaabaabababababbaab"),
    ("biased-coin", [1, 1, 1], {"bias": "3/4"}, "ccabbaacbcabbcaccabb"),
    ("urn", [1, 1], {"urn": [0, 1]}, "baabbaabababababbaab"),
    ("urn", [1, 1, 1], {"urn": [2, 3]}, "ccabbaacbcabbcaccabc"),
    ("truncated-binomial", [1, 1], {"list_len": 10}, "bbaabaabababababbaab"),
    ("maximal", [1, 1], {"max_imbalance": 3, "list_len": 12}, "bbaabaabababababbaab"),
    ("maximal", [1, 1], {"max_imbalance": 3, "list_len": 200}, "baabbaaabbabababbaab"),
    ("maximal", [1, 1, 1], {"max_imbalance": 2, "list_len": 12}, "ccabbaacbcabbcaccabb"),
    ("maximal", [1, 1, 1], {"max_imbalance": 4, "list_len": 90}, "caaaabacbcbbbccccacb"),
    ("big-stick", [2, 1], {"max_imbalance": 2}, "bbaaaaababaaababaaab"),
    ("biased-coin", [3, 2], {"bias": "3/4"}, "bbaabaabaaababaabaab"),
    ("urn", [2, 1, 1], {"urn": [0, 1]}, "cbaabaacacabacaccaab"),
    ("truncated-binomial", [2, 1], {"list_len": 12}, "bbaaaaababaaababbaab"),
    ("maximal", [2, 1], {"max_imbalance": 3, "list_len": 201}, "babaaaababbabaaaabaa"),
)
MINIMIZED = {"factors": ["site", "earlier_reports"], "factor_weights": [2, 1], "ratio_preserving": True}
UNITS = (  # levels, weights of the arms, arm; section 6.1, ratio 2:1, no strata
    (("north", "0-2"), [2, 1], 0), (("north", "3+"), [3, 2], 0), (("south", "0-2"), [3, 2], 0), (("north", "0-2"), [1, 4], 1),
    (("south", "3+"), [3, 2], 0), (("north", "3+"), [3, 2], 0),
)


def self_test():
    """The number of answers that were met, and a line for each that was not."""
    mode, study, epoch, levels = WORKED
    arm, block = (stream_key(SEED, mode, study, epoch, purpose, levels) for purpose in ("arm", "block"))
    protocol_hash = sha256(b"lottning = 1\n")
    beacon = "4d6d26aa00d79558f1d686cfab1168f0589e2ccad5768850b68ecdcebdd6e0cb"
    pairs = [
        ("commitment", commitment(SEED, protocol_hash),
         "bce24af30eb8d54a60e59a1809b70c73139cce93e259a8c523387d43a2382ac9"),
        ("beacon", effective_seed(SEED, beacon).hex(),
         "5b5096c49517572c1ade8779cc6f9bebb5539415fdd71d52eaf5f83b9ee06089"),
        ("key for arm", arm.hex(), "893e2241e09631102c7beb87db5bebb36d559ef5799f6fdde4de3bf9611be25f"),
        ("key for block", block.hex(), "bcc805bcd28563f51ec94d1c966c1e36d0b174b70f0abf192735354a93bc8403"),
        ("numbers of four streams", [f"{next(numbers(arm, i)):016x}" for i in range(4)],
         ["df1f0cee2feb0b2f", "eace00e9547972a9", "0a562caaa8bad55f", "596d41fa8a33a69b"]),
        ("numbers of one stream", " ".join(f"{x:016x}" for x in islice(numbers(SEED, 0), 5)),
         "6a19c5d97d2bfd39 494adcb87703bd8d cc6adebc6fd8358a 9224ead84c7dccb2 ab2360a2e7cc232b"),
        ("lengths of blocks", [below(3, numbers(block, i)) for i in range(4)], [2, 0, 2, 0]),
    ]
    for key, number, stream, words in RFC_8439:
        pairs.append(("RFC 8439", " ".join(f"{word:08x}" for word in chacha20_block(key, number, stream)), words))
    for n, answers in BELOW:
        source = numbers(SEED, 0)
        pairs.append((f"below {n}", [below(n, source) for _ in answers.split()], [int(x, 16) for x in answers.split()]))
    for method, ratio, options, arms in ARMS:
        stratum = Stratum(SEED, *WORKED, method, ratio, options)
        pairs.append((f"{method} {ratio} {options}", "".join("abc"[stratum.draw()] for _ in arms), arms))
    stratum = Stratum(SEED, mode, study, epoch, [], "minimization", [2, 1], MINIMIZED)
    for place, (factors, weights, arm) in enumerate(UNITS):
        pairs.append((f"minimization, unit {place}", ([Fraction(w, sum(stratum.state.weights(factors)))
                                                      for w in stratum.state.weights(factors)], stratum.draw(factors)),
                      ([Fraction(w, sum(weights)) for w in weights], arm)))
    return len(pairs), [f"{name}: {got}, not {wanted}" for name, got, wanted in pairs if got != wanted]
