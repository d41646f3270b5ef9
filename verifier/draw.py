"""From a seed to the arms of a stratum, as docs/allocation-spec.md says, held against published answers by `self_test`.

Written from that page alone, with Python's standard library. Used by verify.py beside it.
"""
import hashlib
import hmac
import math
import struct
from itertools import islice


# ---- numbers from a seed (sections 1 to 5) -------------------------------------------------------------------------

def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def lp(text):
    data = text.encode("utf-8")
    return struct.pack(">H", len(data)) + data


def commitment(seed, protocol_hash):
    return sha256(b"lottning/commit/1" + seed + protocol_hash).hex()


def effective_seed(seed, beacon=None):
    return seed if beacon is None else mac(seed, b"lottning/beacon/1" + beacon.encode("ascii"))


def stream_key(seed, mode, study, epoch, purpose, levels):
    message = b"lottning/draw/1" + lp(mode) + lp(study) + struct.pack(">I", epoch) + lp(purpose)
    return mac(seed, message + struct.pack(">H", len(levels)) + b"".join(lp(level) for level in levels))


def chacha20_block(key, block, stream):
    """Sixteen words of the key stream: 64 bits of block number and 64 bits of stream."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key),
             block & 0xFFFFFFFF, block >> 32, stream & 0xFFFFFFFF, stream >> 32]
    s = start.copy()

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            mixed = s[z] ^ s[x]
            s[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(x + y) & 0xFFFFFFFF for x, y in zip(s, start)]


def numbers(key, stream):
    """The 64-bit numbers of one stream, from its beginning."""
    block = 0
    while True:
        words = chacha20_block(key, block, stream)
        for low, high in zip(words[::2], words[1::2]):
            yield low | high << 32
        block += 1


def below(n, source):
    """below/1: an unbiased integer from 0 to n - 1."""
    limbs = max(1, -(-n.bit_length() // 64))
    span = 1 << 64 * limbs
    while True:
        m = n * sum(next(source) << 64 * limb for limb in range(limbs))
        if m % span >= span % n:
            return m // span


# ---- methods (sections 6 and 7) ------------------------------------------------------------------------------------

class Simple:
    def __init__(self, ratio, options, block_key):
        self.weights = ratio

    def take(self, arm):
        pass


class PermutedBlock:
    def __init__(self, ratio, options, block_key):
        lengths = options["block_lens"] if "block_lens" in options else [options["block_len"]]
        if not lengths or any(type(m) is not int or m < 1 or m % sum(ratio) for m in lengths):
            raise ValueError("a block length must be a multiple of the sum of the ratio")
        self.ratio, self.lengths, self.block_key, self.block = ratio, lengths, block_key, 0
        self.open_block()

    def open_block(self):
        choice = 0
        if len(self.lengths) > 1:
            choice = below(len(self.lengths), numbers(self.block_key, self.block))
        self.weights = [self.lengths[choice] // sum(self.ratio) * part for part in self.ratio]

    def take(self, arm):
        self.weights[arm] -= 1
        if not any(self.weights):
            self.block += 1
            self.open_block()


class BigStick:
    def __init__(self, ratio, options, block_key):
        self.bound, self.lead = options["max_imbalance"], 0  # lead: count of the first arm less that of the second
        if ratio != [1, 1] or type(self.bound) is not int or self.bound < 1:
            raise ValueError("big-stick needs two equal arms and a max_imbalance of at least 1")

    @property
    def weights(self):
        return [int(self.lead < self.bound), int(self.lead > -self.bound)]

    def take(self, arm):
        self.lead += 1 if arm == 0 else -1


METHODS = {"simple": Simple, "permuted-block": PermutedBlock, "big-stick": BigStick}


class Stratum:
    """The draws of one stratum in one epoch, one after another."""

    def __init__(self, seed, mode, study, epoch, levels, method, ratio, options):
        self.arm_key, block_key = (stream_key(seed, mode, study, epoch, p, levels) for p in ("arm", "block"))
        divisor = math.gcd(*ratio)
        self.state, self.drawn = METHODS[method]([part // divisor for part in ratio], options, block_key), 0

    def draw(self):
        """The place, in the protocol's order, of the next arm."""
        divisor = math.gcd(*self.state.weights)
        weights = [weight // divisor for weight in self.state.weights]
        rest, arm = below(sum(weights), numbers(self.arm_key, self.drawn)), 0
        while rest >= weights[arm]:
            rest, arm = rest - weights[arm], arm + 1
        self.state.take(arm)
        self.drawn += 1
        return arm


# ---- published answers ---------------------------------------------------------------------------------------------

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
    return len(pairs), [f"{name}: {got}, not {wanted}" for name, got, wanted in pairs if got != wanted]
