"""From a seed to the arms of a stratum, as docs/allocation-spec.md says.

Written from that page alone, with Python's standard library. Used by verify.py beside it; the methods' weights are in
methods.py, and published.py holds all of it against published answers.
"""
import hashlib
import hmac
import math
import struct

from methods import METHODS, pick


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


QUARTERS = [(i, 4 + i, 8 + i, 12 + i) for i in range(4)] + [  # columns, then diagonals
    (i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4) for i in range(4)]


def chacha20_block(key, block, stream):
    """Sixteen words of the key stream: 64 bits of block number and 64 bits of stream."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key),
             block & 0xFFFFFFFF, block >> 32, stream & 0xFFFFFFFF, stream >> 32]
    s = start.copy()

    for _ in range(10):
        for ia, ib, ic, id in QUARTERS:
            a, b, c, d = s[ia], s[ib], s[ic], s[id]
            a = (a + b) & 0xFFFFFFFF
            d ^= a
            d = (d << 16 | d >> 16) & 0xFFFFFFFF
            c = (c + d) & 0xFFFFFFFF
            b ^= c
            b = (b << 12 | b >> 20) & 0xFFFFFFFF
            a = (a + b) & 0xFFFFFFFF
            d ^= a
            d = (d << 8 | d >> 24) & 0xFFFFFFFF
            c = (c + d) & 0xFFFFFFFF
            b ^= c
            b = (b << 7 | b >> 25) & 0xFFFFFFFF
            s[ia], s[ib], s[ic], s[id] = a, b, c, d
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


# ---- from weights to an arm (section 7) ----------------------------------------------------------------------------

class Stratum:
    """The draws of one stratum in one epoch, one after another."""

    def __init__(self, seed, mode, study, epoch, levels, method, ratio, options):
        self.key = lambda purpose: stream_key(seed, mode, study, epoch, purpose, levels)
        self.arm_key, self.other_keys, self.drawn = self.key("arm"), {}, 0
        divisor = math.gcd(*ratio)
        self.state = METHODS[method]([part // divisor for part in ratio], options, self.choose)

    def choose(self, purpose, stream, n):
        if purpose not in self.other_keys:
            self.other_keys[purpose] = self.key(purpose)
        return below(n, numbers(self.other_keys[purpose], stream))

    def draw(self, factors=()):
        """The place, in the protocol's order, of the next arm; `factors` are the levels that the method balances."""
        weights = self.state.weights(factors)
        divisor = math.gcd(*weights)
        weights = [weight // divisor for weight in weights]
        arm = pick(weights, below(sum(weights), numbers(self.arm_key, self.drawn)))
        self.state.take(arm, factors)
        self.drawn += 1
        return arm
