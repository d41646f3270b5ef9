// From a seed to numbers, as docs/allocation-spec.md says in sections 1 to 5: SHA-256, HMAC, ChaCha20 and `below`.
// Written out here because a page that is opened from a file is given no cryptography by the browser.

const SHA_CONSTANTS = (() => {
  // The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the
  // first eight (FIPS 180-4), found with whole numbers.
  const root = (n, power) => {
    let low = 0n, high = n + 1n;
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (middle ** power <= n) low = middle; else high = middle;
    }
    return low;
  };
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
  const part = (prime, power) => Number(root(BigInt(prime) << (32n * power), power) & 0xffffffffn);
  return { round: primes.map((p) => part(p, 3n)), start: primes.slice(0, 8).map((p) => part(p, 2n)) };
})();

const SHA_ROUND = Int32Array.from(SHA_CONSTANTS.round), SHA_WORDS = new Int32Array(64);

function sha256(data) {
  const { length } = data, whole = new Uint8Array(((length + 72) >> 6) << 6), view = new DataView(whole.buffer);
  whole.set(data);
  whole[length] = 0x80;
  view.setUint32(whole.length - 8, Math.floor(length / 0x20000000));
  view.setUint32(whole.length - 4, (length << 3) >>> 0);
  const hash = Int32Array.from(SHA_CONSTANTS.start), w = SHA_WORDS, k = SHA_ROUND;
  for (let at = 0; at < whole.length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15], y = w[i - 2];
      const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + low + w[i - 7] + high) | 0;
    }
    let a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (let i = 0; i < 64; i += 1) {
      const e3 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const a3 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const one = (h + e3 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0, two = (a3 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    hash[0] += a; hash[1] += b; hash[2] += c; hash[3] += d; hash[4] += e; hash[5] += f; hash[6] += g; hash[7] += h;
  }
  const out = new Uint8Array(32), words = new DataView(out.buffer);
  for (let i = 0; i < 8; i += 1) words.setInt32(4 * i, hash[i]);
  return out;
}

function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
}

function hmac(key, message) {
  const pad = (byte) => Uint8Array.from({ length: 64 }, (_, i) => (key[i] || 0) ^ byte); // keys here have 32 bytes
  return sha256(join(pad(0x5c), sha256(join(pad(0x36), message))));
}

const ENCODER = new TextEncoder();
const utf8 = (text) => ENCODER.encode(text);
const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes) {
  let out = "";
  for (const byte of bytes) out += HEX_PAIRS[byte];
  return out;
}

/** The bytes of lower-case hexadecimal text. */
function unhex(text) {
  const out = new Uint8Array(text.length >> 1), digit = (code) => (code < 58 ? code - 48 : code - 87);
  for (let i = 0; i < out.length; i += 1) out[i] = (digit(text.charCodeAt(2 * i)) << 4) | digit(text.charCodeAt(2 * i + 1));
  return out;
}

const isHash = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

function bigEndian(number, bytes) {
  const out = new Uint8Array(bytes);
  for (let i = bytes - 1, rest = number; i >= 0; i -= 1) { out[i] = rest % 256; rest = Math.floor(rest / 256); }
  return out;
}

function lp(text) {
  const bytes = utf8(text);
  if (bytes.length > 65535) throw new Error("a text is longer than 65,535 bytes");
  return join(bigEndian(bytes.length, 2), bytes);
}

const commitment = (seed, protocolHash) => hex(sha256(join(utf8("lottning/commit/1"), seed, protocolHash)));

const effectiveSeed = (seed, beacon) => (beacon === null ? seed : hmac(seed, utf8("lottning/beacon/1" + beacon)));

const streamKey = (seed, mode, study, epoch, purpose, levels) => hmac(seed, join(
  utf8("lottning/draw/1"), lp(mode), lp(study), bigEndian(epoch, 4), lp(purpose), bigEndian(levels.length, 2),
  ...levels.map(lp)));

function chacha20(key, block, stream) {
  const view = new DataView(key.buffer, key.byteOffset, 32), start = new Uint32Array(16);
  start.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
  for (let i = 0; i < 8; i += 1) start[4 + i] = view.getUint32(4 * i, true);
  start.set([block, Math.floor(block / 0x100000000), stream, Math.floor(stream / 0x100000000)], 12);
  const s = start.slice();
  const step = (a, b, d, by) => { s[a] += s[b]; const x = s[d] ^ s[a]; s[d] = (x << by) | (x >>> (32 - by)); };
  const quarter = (a, b, c, d) => { step(a, b, d, 16); step(c, d, b, 12); step(a, b, d, 8); step(c, d, b, 7); };
  for (let round = 0; round < 10; round += 1) {
    for (let i = 0; i < 4; i += 1) quarter(i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i += 1) quarter(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
  }
  return s.map((word, i) => word + start[i]);
}

/** The 64-bit numbers of one stream, from its beginning. */
function* numbers(key, stream) {
  for (let block = 0; ; block += 1) {
    const words = chacha20(key, block, stream);
    for (let i = 0; i < 16; i += 2) yield BigInt(words[i]) | (BigInt(words[i + 1]) << 32n);
  }
}

/** below/1: an unbiased whole number from 0 to n - 1. */
function below(n, source) {
  let limbs = 1n;
  while (n >> (64n * limbs)) limbs += 1n;
  const bits = 64n * limbs, mask = (1n << bits) - 1n, least = (1n << bits) % n;
  for (;;) {
    let x = 0n;
    for (let limb = 0n; limb < limbs; limb += 1n) x |= source.next().value << (64n * limb);
    const m = x * n;
    if ((m & mask) >= least) return m >> bits;
  }
}
