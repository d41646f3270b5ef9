//! The generator and the hashes are the published ones, and `below/1` is frozen.

use hmac::{Hmac, KeyInit, Mac};
use lottning::numerics::stream::{below, below_wide, recorded, replicate};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use rand_chacha::rand_core::Rng;
use sha2::{Digest, Sha256};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

fn key(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

fn counting_key() -> [u8; 32] {
    std::array::from_fn(|i| i as u8)
}

/// RFC 8439, §2.3.2 and appendix A.1. The RFC has a 32-bit counter and a 96-bit nonce where our layout has a 64-bit
/// counter and a 64-bit stream: the first nonce word is the upper half of our counter, the other two are our stream.
#[test]
fn chacha20_is_that_of_rfc_8439() {
    let zero = [0; 32];
    let mut one_last = zero;
    one_last[31] = 1;
    let mut ff_second = zero;
    ff_second[1] = 0xff;
    for (key, counter, nonce, block) in [
        (
            counting_key(), // §2.3.2
            1,
            "000000090000004a00000000",
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
             d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
        ),
        (
            zero, // A.1 #1
            0,
            "000000000000000000000000",
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7
             da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
        ),
        (
            zero, // A.1 #2
            1,
            "000000000000000000000000",
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed
             29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
        ),
        (
            one_last, // A.1 #3
            1,
            "000000000000000000000000",
            "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a
             8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
        ),
        (
            ff_second, // A.1 #4
            2,
            "000000000000000000000000",
            "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca
             13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
        ),
        (
            zero, // A.1 #5
            0,
            "000000000000000000000002",
            "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7
             8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d",
        ),
    ] {
        let nonce = hex(nonce);
        let word = |i: usize| u64::from(u32::from_le_bytes(nonce[i..i + 4].try_into().unwrap()));
        let mut rng = recorded(&key, word(4) | word(8) << 32);
        rng.set_word_pos(u128::from(counter | word(0) << 32) * 16);
        let mut found = [0; 64];
        rng.fill_bytes(&mut found);
        assert_eq!(found.to_vec(), hex(block));
    }
}

/// draft-strombergson-chacha-test-vectors-01, test case 1 (key and stream of zeros), 8 rounds, 256 bits, both blocks.
#[test]
fn chacha8_is_the_published_one() {
    let mut found = [0; 128];
    replicate(&[0; 32], 0).fill_bytes(&mut found);
    let blocks = "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e
                  984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42
                  d2aefa0deaa5c151bf0adb6c01f2a5adc0fd581259f9a2aadcf20f8fd566a26b
                  5032ec38bbc5da98ee0c6f568b872a65a08abf251deb21bb4b56e5d8821e68aa";
    assert_eq!(found.to_vec(), hex(blocks));
}

/// A 64-bit integer is first word + 2³² · second: the first bytes of A.1 #1 are 76b8e0ada0f13d90.
#[test]
fn an_integer_is_two_words_the_first_low() {
    assert_eq!(recorded(&[0; 32], 0).next_u64(), 0x903d_f1a0_ade0_b876);
}

/// FIPS 180-4 examples: "abc", and nothing.
#[test]
fn sha_256_is_that_of_fips_180() {
    assert_eq!(
        Sha256::digest(b"abc").to_vec(),
        hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
    assert_eq!(
        Sha256::digest(b"").to_vec(),
        hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
}

/// RFC 4231, test cases 1 to 4, 6 and 7.
#[test]
fn hmac_sha_256_is_that_of_rfc_4231() {
    let long_key = "aa".repeat(131);
    let count = "0102030405060708090a0b0c0d0e0f10111213141516171819";
    let larger = b"This is a test using a larger than block-size key and a larger than block-size data. The key \
        needs to be hashed before being used by the HMAC algorithm.";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (
            &"0b".repeat(20),
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            "4a656665",
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &"aa".repeat(20),
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            count,
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            &long_key,
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &long_key,
            larger.to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, data, expected) in cases {
        let mut mac = Hmac::<Sha256>::new_from_slice(&hex(key)).unwrap();
        mac.update(&data);
        assert_eq!(mac.finalize().into_bytes().to_vec(), hex(expected));
    }
}

/// Limbs, least significant first, of a hexadecimal number without leading zeros.
fn limbs(text: &str) -> Vec<u64> {
    let mut limbs: Vec<u64> = text
        .as_bytes()
        .rchunks(16)
        .map(|chunk| u64::from_str_radix(std::str::from_utf8(chunk).unwrap(), 16).unwrap())
        .collect();
    while limbs.len() > 1 && limbs.last() == Some(&0) {
        limbs.pop();
    }
    limbs
}

/// The file was written by `reference.py` with Python's own integers.
#[test]
fn below_is_frozen() {
    let mut lines = 0;
    for line in include_str!("below.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[rounds, key_text, stream, n, drawn] = fields.as_slice() else {
            panic!("{line}");
        };
        let (key, stream, n) = (key(key_text), stream.parse().unwrap(), limbs(n));
        let (mut twenty, mut eight) = (recorded(&key, stream), replicate(&key, stream));
        let (mut twenty_again, mut eight_again) = (twenty.clone(), eight.clone());
        for expected in drawn.split(',') {
            let mut found = match rounds {
                "20" => below_wide(&mut twenty, &n),
                _ => below_wide(&mut eight, &n),
            };
            assert_eq!(found.len(), n.len());
            while found.len() > 1 && found.last() == Some(&0) {
                found.pop();
            }
            assert_eq!(found, limbs(expected), "{line}");
            if let [n] = n.as_slice() {
                let one = match rounds {
                    "20" => below(&mut twenty_again, *n),
                    _ => below(&mut eight_again, *n),
                };
                assert_eq!(found, [one]);
            }
        }
        lines += 1;
    }
    assert!(lines >= 72, "the vectors are append-only");
}

/// `below/1` for two limbs once more, with nothing but 128-bit integers.
fn below_two_limbs(rng: &mut impl Rng, n: u128) -> u128 {
    let tail = (u128::MAX % n + 1) % n; // 2^128 mod n
    loop {
        let low = u128::from(rng.next_u64());
        let x = low | u128::from(rng.next_u64()) << 64;
        // x·n = (a·2^64 + b)(c·2^64 + d), column by column.
        let half = u128::from(u64::MAX);
        let (a, b, c, d) = (x >> 64, x & half, n >> 64, n & half);
        let (ac, ad, bc, bd) = (a * c, a * d, b * c, b * d);
        let middle = (bd >> 64) + (ad & half) + (bc & half);
        let m_low = middle << 64 | bd & half;
        let m_high = ac + (ad >> 64) + (bc >> 64) + (middle >> 64);
        if m_low >= tail {
            return m_high;
        }
    }
}

proptest! {
    #[test]
    fn below_in_two_limbs_agrees_with_128_bit_arithmetic(high in 1u64.., low in any::<u64>(), stream in any::<u64>()) {
        let n = u128::from(high) << 64 | u128::from(low);
        let found = below_wide(&mut recorded(&[9; 32], stream), &[low, high]);
        let expected = below_two_limbs(&mut recorded(&[9; 32], stream), n);
        prop_assert_eq!(&found, &[expected as u64, (expected >> 64) as u64]);
        prop_assert!(expected < n);
    }

    #[test]
    fn leading_zero_limbs_change_nothing(n in 1u64.., stream in any::<u64>()) {
        let one = below(&mut recorded(&[9; 32], stream), n);
        prop_assert_eq!(below_wide(&mut recorded(&[9; 32], stream), &[n, 0, 0]), [one]);
    }
}

/// Both ends are reached and no value is rare: 60,000 draws below 6, each share within 4 standard errors of 1/6.
#[test]
fn every_value_has_its_chance() {
    let mut rng = recorded(&[1; 32], 0);
    let mut counts = [0u32; 6];
    for _ in 0..60_000 {
        counts[below(&mut rng, 6) as usize] += 1;
    }
    let error = (60_000.0 * (1.0 / 6.0) * (5.0 / 6.0_f64)).sqrt();
    assert!(
        counts
            .iter()
            .all(|count| (f64::from(*count) - 10_000.0).abs() < 4.0 * error)
    );
}

/// Where rejection matters most, n = 3·2⁶²: without it, results 0, 3, 6, … would come twice as often as the others
/// (multiply and keep the high word maps 4 words to 3 results). With it, each residue mod 3 has a third.
#[test]
fn the_short_tail_is_rejected() {
    let mut rng = recorded(&[2; 32], 0);
    let mut counts = [0u32; 3];
    for _ in 0..30_000 {
        counts[(below(&mut rng, 3 << 62) % 3) as usize] += 1;
    }
    let error = (30_000.0 * (1.0 / 3.0) * (2.0 / 3.0_f64)).sqrt();
    assert!(
        counts
            .iter()
            .all(|count| (f64::from(*count) - 10_000.0).abs() < 4.0 * error)
    );
}
