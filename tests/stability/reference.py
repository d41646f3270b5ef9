#!/usr/bin/env python3
"""Writes the frozen vectors of docs/allocation-spec.md, from that page alone and with the standard library only.

    python3 tests/stability/reference.py keys|below|allocations|redraws > tests/stability/<the same>.txt

It shares nothing with the Rust code: ChaCha is written out, integers are Python's own, HMAC and SHA-256 are hashlib's.
The files are append-only: a line that has been there once stays for ever.
"""
import hashlib
import hmac
import struct
import sys
from math import gcd

sys.setrecursionlimit(10_000)

MASK = 0xFFFFFFFF


def block(key, counter, stream, rounds):
    """One block of ChaCha: 64-bit block counter in words 12-13, 64-bit stream in words 14-15, low word first."""
    state = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
    state += [counter & MASK, counter >> 32, stream & MASK, stream >> 32]
    x = state[:]

    def quarter(a, b, c, d):
        for add, xor, by in ((b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)):
            to = a if xor == d else c
            x[to] = (x[to] + x[add]) & MASK
            x[xor] ^= x[to]
            x[xor] = ((x[xor] << by) | (x[xor] >> (32 - by))) & MASK

    for _ in range(rounds // 2):
        quarter(0, 4, 8, 12), quarter(1, 5, 9, 13), quarter(2, 6, 10, 14), quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15), quarter(1, 6, 11, 12), quarter(2, 7, 8, 13), quarter(3, 4, 9, 14)
    return [(a + b) & MASK for a, b in zip(x, state)]


def numbers(key, stream, rounds):
    """64-bit integers of a stream from word 0: first word + 2^32 * second."""
    counter = 0
    while True:
        words = block(key, counter, stream, rounds)
        for low, high in zip(words[::2], words[1::2]):
            yield low + (high << 32)
        counter += 1


def below(source, n):
    """below/1 for any n >= 1."""
    limbs = 1
    while n >= 1 << (64 * limbs):
        limbs += 1
    power = 1 << (64 * limbs)
    while True:
        x = sum(next(source) << (64 * i) for i in range(limbs))
        m = x * n
        if m % power >= power % n:
            return m >> (64 * limbs)


def lp(text):
    raw = text.encode("utf-8")
    return struct.pack(">H", len(raw)) + raw


def stream_key(seed, mode, study, epoch, purpose, levels):
    message = b"lottning/draw/1" + lp(mode) + lp(study) + struct.pack(">I", epoch) + lp(purpose)
    message += struct.pack(">H", len(levels)) + b"".join(lp(level) for level in levels)
    return hmac.new(seed, message, hashlib.sha256).digest()


def arm_at(weights, ask):
    """Arm from weights in lowest terms and a bounded integer."""
    divisor = 0
    for weight in weights:
        divisor = gcd(divisor, weight)
    weights = [weight // divisor for weight in weights]
    point, total = ask(sum(weights)), 0
    for arm, weight in enumerate(weights):
        total += weight
        if total > point:
            return arm


COMPLETIONS = {}


def completions(bound, counts, left):
    """Ways to end level in `left` more units with no two arms ever further apart than the bound."""
    if max(counts) - min(counts) > bound:
        return 0
    if left == 0:
        return int(max(counts) == min(counts))
    key = bound, left, tuple(sorted(count - min(counts) for count in counts))
    if key not in COMPLETIONS:
        COMPLETIONS[key] = sum(completions(bound, after, left - 1) for after in one_more(counts))
    return COMPLETIONS[key]


def one_more(counts):
    """The counts after each arm."""
    return [[count + (arm == given) for arm, count in enumerate(counts)] for given in range(len(counts))]


class Stratum:
    """One stratum in one epoch; `ask(purpose, number, n)` answers with an integer below n."""

    def __init__(self, method, ratio, ask):
        self.method, self.ratio, self.ask, self.count, self.blocks = method, ratio, ask, [0] * len(ratio), 0
        self.listed = [0] * len(ratio)  # counts within the list, for methods that know its length
        if method[0] == "permuted-block":
            self.open()

    def open(self):
        lengths = self.method[1]
        length = lengths[self.ask("block", self.blocks, len(lengths)) if len(lengths) > 1 else 0]
        self.left = [length // sum(self.ratio) * part for part in self.ratio]

    def weights(self):
        name, *options = self.method
        arms, count, listed = len(self.ratio), self.count, self.listed
        if name == "simple":
            return self.ratio
        if name == "permuted-block":
            return self.left
        if name == "big-stick":
            return [int(c - min(count) < options[0]) for c in count]
        if name == "random-allocation":
            return [options[0] * part // sum(self.ratio) - c for part, c in zip(self.ratio, listed)]
        if name == "biased-coin":
            p, q = options
            smallest = count.count(min(count))
            if p * arms <= q * smallest:
                return [1] * arms
            return [p * (arms - smallest) if c == min(count) else (q - p) * smallest for c in count]
        if name == "urn":
            alpha, beta = options
            balls = [alpha + beta * (sum(count) - c) for c in count]
            return balls if any(balls) else [1] * arms
        if name == "truncated-binomial":
            return [int(c < options[0] // arms) for c in listed]
        if name == "maximal":
            length, bound = options
            return [completions(bound, after, length - sum(listed) - 1) for after in one_more(listed)]
        raise ValueError(name)

    def next(self):
        arm = arm_at(self.weights(), lambda n: self.ask("arm", sum(self.count), n))
        self.take(arm)
        return arm

    def take(self, arm):
        self.count[arm] += 1
        if self.method[0] == "permuted-block":
            self.left[arm] -= 1
            if sum(self.left) == 0:
                self.blocks += 1
                self.open()
        if self.method[0] in ("random-allocation", "truncated-binomial", "maximal"):
            self.listed[arm] += 1
            if sum(self.listed) == self.method[1]:
                self.listed = [0] * len(self.ratio)


class Duplicated:
    """A stratum of a method for equal arms at an unequal ratio: the method's own stratum is one of duplicates."""

    def __init__(self, method, ratio, ask):
        self.of = [arm for arm, part in enumerate(ratio) for _ in range(part)]
        self.own, self.arms, self.ask, self.drawn = Stratum(method, (1,) * len(self.of), ask), len(ratio), ask, 0

    def next(self):
        weights = self.own.weights()
        sums = [sum(w for w, of in zip(weights, self.of) if of == arm) for arm in range(self.arms)]
        arm = arm_at(sums, lambda n: self.ask("arm", self.drawn, n))
        chosen = [place for place, of in enumerate(self.of) if of == arm]
        if len(chosen) > 1:
            number = arm_at([weights[place] for place in chosen], lambda n: self.ask("duplicate", self.drawn, n))
            chosen = chosen[number:]
        self.own.take(chosen[0])
        self.drawn += 1
        return arm


def fresh(method, ratio, ask):
    """A stratum at its beginning."""
    takes_parts = method[0] in ("simple", "permuted-block", "random-allocation")
    return (Stratum if takes_parts or set(ratio) == {1} else Duplicated)(method, ratio, ask)


# Method, ratio, and the options as the protocol writes them. New methods are a new batch, so that new lines come last.
FIRST = [
    ("simple", (1, 1), "-", ("simple",)),
    ("simple", (2, 1), "-", ("simple",)),
    ("simple", (3, 1, 1), "-", ("simple",)),
    ("permuted-block", (1, 1), "-", ("permuted-block", [4])),
    ("permuted-block", (1, 1), "block_len=2", ("permuted-block", [2])),
    ("permuted-block", (1, 1), "block_lens=2,4,6", ("permuted-block", [2, 4, 6])),
    ("permuted-block", (1, 1), "block_lens=6,2", ("permuted-block", [6, 2])),
    ("permuted-block", (2, 1), "block_len=6", ("permuted-block", [6])),
    ("permuted-block", (2, 1), "block_lens=3,6", ("permuted-block", [3, 6])),
    ("permuted-block", (1, 1, 1), "block_len=6", ("permuted-block", [6])),
    ("big-stick", (1, 1), "-", ("big-stick", 3)),
    ("big-stick", (1, 1), "max_imbalance=1", ("big-stick", 1)),
    ("big-stick", (1, 1), "max_imbalance=4", ("big-stick", 4)),
]
SECOND = [
    ("big-stick", (1, 1, 1), "max_imbalance=2", ("big-stick", 2)),
    ("big-stick", (1, 1, 1, 1), "max_imbalance=1", ("big-stick", 1)),
    ("random-allocation", (1, 1), "list_len=40", ("random-allocation", 40)),
    ("random-allocation", (2, 1), "list_len=12", ("random-allocation", 12)),
    ("random-allocation", (2, 2, 1), "list_len=15", ("random-allocation", 15)),
    ("biased-coin", (1, 1), "-", ("biased-coin", 2, 3)),
    ("biased-coin", (1, 1), "bias=0.75", ("biased-coin", 3, 4)),
    ("biased-coin", (1, 1, 1), "bias=3/4", ("biased-coin", 3, 4)),
    ("biased-coin", (1, 1, 1, 1), "bias=1/2", ("biased-coin", 1, 2)),
    ("urn", (1, 1), "-", ("urn", 0, 1)),
    ("urn", (1, 1), "urn=1,1", ("urn", 1, 1)),
    ("urn", (1, 1, 1), "urn=2,3", ("urn", 2, 3)),
    ("truncated-binomial", (1, 1), "list_len=10", ("truncated-binomial", 10)),
    ("truncated-binomial", (1, 1, 1), "list_len=12", ("truncated-binomial", 12)),
    ("maximal", (1, 1), "list_len=12", ("maximal", 12, 3)),
    ("maximal", (1, 1), "list_len=20;max_imbalance=2", ("maximal", 20, 2)),
    ("maximal", (1, 1), "list_len=200", ("maximal", 200, 3)),
    ("maximal", (1, 1), "list_len=200;max_imbalance=8", ("maximal", 200, 8)),
    ("maximal", (1, 1), "list_len=600;max_imbalance=300", ("maximal", 600, 300)),
]
THIRD = [
    ("maximal", (1, 1, 1), "list_len=12;max_imbalance=2", ("maximal", 12, 2)),
    ("maximal", (1, 1, 1, 1), "list_len=16;max_imbalance=1", ("maximal", 16, 1)),
    ("maximal", (1, 1, 1), "list_len=201;max_imbalance=5", ("maximal", 201, 5)),
    ("maximal", (1, 1, 1, 1), "list_len=400", ("maximal", 400, 3)),
]
FOURTH = [
    ("big-stick", (2, 1), "-", ("big-stick", 3)),
    ("big-stick", (2, 1, 1), "max_imbalance=1", ("big-stick", 1)),
    ("big-stick", (3, 5), "max_imbalance=2", ("big-stick", 2)),
    ("biased-coin", (2, 1), "-", ("biased-coin", 2, 3)),
    ("biased-coin", (3, 2), "bias=0.75", ("biased-coin", 3, 4)),
    ("biased-coin", (1, 2, 1), "bias=1", ("biased-coin", 1, 1)),
    ("urn", (2, 1), "-", ("urn", 0, 1)),
    ("urn", (1, 3, 1), "urn=2,3", ("urn", 2, 3)),
    ("truncated-binomial", (2, 1), "list_len=12", ("truncated-binomial", 12)),
    ("truncated-binomial", (2, 1, 1), "list_len=16", ("truncated-binomial", 16)),
    ("maximal", (2, 1), "list_len=12;max_imbalance=2", ("maximal", 12, 2)),
    ("maximal", (1, 2, 1), "list_len=16;max_imbalance=1", ("maximal", 16, 1)),
    ("maximal", (2, 1), "list_len=201", ("maximal", 201, 3)),
    ("maximal", (1, 2, 1), "list_len=200;max_imbalance=2", ("maximal", 200, 2)),
]
FIFTH = [
    ("big-stick", (9, 1), "-", ("big-stick", 3)),
    ("big-stick", (7, 3), "max_imbalance=1", ("big-stick", 1)),
    ("big-stick", (63, 1), "max_imbalance=2", ("big-stick", 2)),
    ("biased-coin", (13, 7), "-", ("biased-coin", 2, 3)),
    ("biased-coin", (5, 4), "bias=0.75", ("biased-coin", 3, 4)),
    ("urn", (9, 1), "-", ("urn", 0, 1)),
    ("urn", (10, 9, 1), "urn=2,3", ("urn", 2, 3)),
    ("truncated-binomial", (9, 1), "list_len=30", ("truncated-binomial", 30)),
    ("truncated-binomial", (5, 4), "list_len=18", ("truncated-binomial", 18)),
    ("maximal", (7, 3), "list_len=20;max_imbalance=2", ("maximal", 20, 2)),
    ("maximal", (10, 9, 1), "list_len=60;max_imbalance=1", ("maximal", 60, 1)),
    ("maximal", (5, 4), "list_len=207", ("maximal", 207, 3)),
]
BATCHES = [FIRST, SECOND, THIRD, FOURTH, FIFTH]
WIDE = 200  # from this length on, the weights of `maximal` need several limbs, and more arms are written
SEED = bytes(range(32))
STRATA = [[], ["rinkeby-kista"], ["enskede-arsta-vantor", "yes"], ["å/ä ö", "3+", "0.5"]]
PLACES = [("live", "iuh-2025", 0), ("live", "iuh-2025", 1), ("rehearsal", "iuh-2025", 0), ("draw", "draw", 0)]
LETTERS = "abcdefgh"


def text(levels):
    """Levels as one field: percent signs, bars and blanks escaped, joined by bars; '-' without any."""
    return "|".join(x.replace("%", "%25").replace("|", "%7C").replace(" ", "%20") for x in levels) or "-"


def keys():
    print("# commit <seed> <protocol hash> <commitment> | beacon <seed> <value> <effective seed>")
    print("# key <seed> <mode> <study> <epoch> <purpose> <levels> <key> | redraw <hash> <analysis> <lock> <key>")
    print("# replicates <purpose> <seed text> <key>")
    for name in (b"", b"lottning = 1\n"):
        digest = hashlib.sha256(name).digest()
        commitment = hashlib.sha256(b"lottning/commit/1" + SEED + digest).hexdigest()
        print("commit", SEED.hex(), digest.hex(), commitment)
    value = hashlib.sha256(b"a public round").hexdigest()
    effective = hmac.new(SEED, b"lottning/beacon/1" + value.encode(), hashlib.sha256).hexdigest()
    print("beacon", SEED.hex(), value, effective)
    for seed in (SEED, bytes(32), b"\xff" * 32):
        for mode, study, epoch in PLACES + [("live", "iuh-2025", 0x01020304)]:
            for purpose in ("arm", "block", "duplicate"):
                for levels in STRATA:
                    key = stream_key(seed, mode, study, epoch, purpose, levels).hex()
                    print("key", seed.hex(), mode, study, epoch, purpose, text(levels), key)
    for analysis, lock in (("primary", "final"), ("acceptance", "evaluation-2025")):
        key = hashlib.sha256(b"lottning/redraw/1" + bytes(range(100, 132)) + lp(analysis) + lp(lock)).hexdigest()
        print("redraw", bytes(range(100, 132)).hex(), analysis, lock, key)
    for purpose, seed in (("draw", SEED.hex()), ("estimate", "1"), ("simulate", "20250203")):
        key = hashlib.sha256(b"lottning/replicates/1" + lp(purpose) + lp(seed)).hexdigest()
        print("replicates", purpose, seed, key)


def bounded():
    print("# <rounds> <key> <stream> <n in hexadecimal> <twenty results of below/1 one after another, in hexadecimal>")
    wide = [1, 2, 3, 4, 6, 10, 100, 1000003, (1 << 32) - 1, 1 << 32, (1 << 63) + 1, 3 << 62, (1 << 64) - 1]
    wide += [1 << 64, (1 << 64) + 1, (1 << 127) + 1, 3 << 126, (1 << 128) - 1, 1 << 128, 10**40, (1 << 191) + 1]
    wide += [3**150, (1 << 255) + 12345, (1 << 256) - 189]
    for rounds, key, stream in ((20, SEED, 0), (20, bytes(32), (1 << 40) + 3), (8, SEED, (1 << 64) - 1)):
        for n in wide:
            source = numbers(key, stream, rounds)
            drawn = [format(below(source, n), "x") for _ in range(20)]
            print(rounds, key.hex(), stream, format(n, "x"), ",".join(drawn))


def one_list(mode, study, epoch, levels, name, ratio, options, method):
    keys = {}

    def ask(purpose, number, n):
        if purpose not in keys:
            keys[purpose] = stream_key(SEED, mode, study, epoch, purpose, levels)
        return below(numbers(keys[purpose], number, 20), n)

    stratum = fresh(method, ratio, ask)
    arms = 100 if name == "maximal" and method[1] >= WIDE else 40
    return name, ":".join(map(str, ratio)), options, "".join(LETTERS[stratum.next()] for _ in range(arms))


def allocations():
    print("# <seed> <mode> <study> <epoch> <levels> <method> <ratio> <options> <the first arms, a letter each>")
    for methods in BATCHES:
        for mode, study, epoch in PLACES:
            for levels in STRATA:
                for name, ratio, options, method in methods:
                    drawn = one_list(mode, study, epoch, levels, name, ratio, options, method)
                    print(SEED.hex(), mode, study, epoch, text(levels), *drawn)


def redraws():
    print("# <key> <replicate> <method> <ratio> <options> <strata of the families, a digit each> <arms, a letter each>")
    order = [0, 1, 0, 0, 2, 1, 0, 2, 2, 1, 0, 0, 1, 2, 0, 1, 1, 0, 2, 0, 0, 0, 1, 2, 0, 1, 0, 2, 0, 1]
    key = hashlib.sha256(b"lottning/redraw/1" + SEED + lp("primary") + lp("final")).digest()
    for name, ratio, options, method in (one for batch in BATCHES for one in batch):
        for replicate in (0, 1, 9999):
            source = numbers(key, replicate, 8)
            ask = lambda purpose, number, n: below(source, n)
            strata, arms = {}, ""
            for place in order:
                if place not in strata:
                    strata[place] = fresh(method, ratio, ask)
                arms += LETTERS[strata[place].next()]
            parts = ":".join(str(part) for part in ratio)
            print(key.hex(), replicate, name, parts, options, "".join(map(str, order)), arms)


if __name__ == "__main__":
    what = {"keys": keys, "below": bounded, "allocations": allocations, "redraws": redraws}
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    what[sys.argv[1]]()
