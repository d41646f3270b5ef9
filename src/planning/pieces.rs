//! Pieces of a simulation that are run apart: which replicates a shard runs, how their records are written down, and
//! what a set of pieces lacks.
//!
//! A piece is (plan hash, cell, replicates `from..to`). A replicate is the same study wherever it is run, so pieces are
//! put together by their numbers alone. Nothing here touches a file; `app::simulation` keeps pieces in a folder.

use super::record::Record;
use super::record_bytes::{Reader, read_record, write_record};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Form of the records: another form is another plan.
pub const FORM: u32 = 7;

/// First bytes of a piece.
const MAGIC: &[u8; 19] = b"lottning-records/1\n";
/// Bytes before the records: magic, plan, cell, from, to, shard, of, analyses.
pub const HEAD: usize = MAGIC.len() + 32 + 4 + 8 + 8 + 4 + 4 + 2;
/// Bytes of the checksum at the end.
const SUM: usize = 32;
/// Most studies in a piece.
pub const LONGEST: u64 = 1000;

/// One of several shards, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub number: u32,
    /// How many shards there are.
    pub of: u32,
}

impl Shard {
    /// From `I/N` with I in 1…N.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, of) = text.split_once('/')?;
        let digits = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| part.parse::<u32>().ok()).flatten()
        };
        let (number, of) = (digits(number)?, digits(of)?);
        (1..=of).contains(&number).then_some(Self { number, of })
    }

    /// The replicates of a cell that this shard runs: shares that differ by one at most, in the order of the shards.
    pub fn replicates(self, of_cell: u64) -> Range<u64> {
        let cut =
            |shards: u32| (u128::from(of_cell) * u128::from(shards) / u128::from(self.of)) as u64;
        cut(self.number - 1)..cut(self.number)
    }
}

/// The parts of `wanted` that no piece covers, in order.
///
/// ```
/// use lottning::planning::pieces::gaps;
/// assert_eq!(gaps(&[10..20, 0..5, 15..30], 0..40), [5..10, 30..40]);
/// ```
pub fn gaps(covered: &[Range<u64>], wanted: Range<u64>) -> Vec<Range<u64>> {
    let mut covered = covered.to_vec();
    covered.sort_unstable_by_key(|range| (range.start, range.end));
    let mut gaps = Vec::new();
    let mut at = wanted.start;
    for range in covered {
        if range.end <= at || range.start >= wanted.end {
            continue;
        }
        if range.start > at {
            gaps.push(at..range.start);
        }
        at = range.end;
    }
    if at < wanted.end {
        gaps.push(at..wanted.end);
    }
    gaps
}

/// What a piece says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceHead {
    /// Hash of the plan.
    pub plan: [u8; 32],
    /// Place of the cell in the plan.
    pub cell: u32,
    /// The replicates.
    pub replicates: Range<u64>,
    /// The shard that ran them, if they were run by one.
    pub shard: Option<Shard>,
    /// Analyses of each study.
    pub analyses: u16,
}

/// Why bytes are no piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin as a piece does.
    #[error("it does not begin as records do")]
    Head,
    /// The checksum is another, or bytes are missing.
    #[error("its checksum does not hold")]
    Checksum,
    /// The checksum holds and the content makes no sense: written by another program.
    #[error("its content makes no sense")]
    Content,
}

/// Reads the head of a piece from its first [`HEAD`] bytes.
///
/// # Errors
/// [`Damage::Head`].
pub fn head(bytes: &[u8]) -> Result<PieceHead, Damage> {
    read_head(&mut Reader(bytes)).ok_or(Damage::Head)
}

fn read_head(reader: &mut Reader<'_>) -> Option<PieceHead> {
    if reader.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let plan = reader.array()?;
    let (cell, from, to) = (reader.u32()?, reader.u64()?, reader.u64()?);
    let (number, of) = (reader.u32()?, reader.u32()?);
    let analyses = u16::from_le_bytes(reader.array()?);
    let shard = (of > 0).then_some(Shard { number, of });
    (from < to && to - from <= LONGEST).then_some(PieceHead {
        plan,
        cell,
        replicates: from..to,
        shard,
        analyses,
    })
}

/// Writes a piece: head, records, SHA-256 of all before it. There are as many records as replicates, each with
/// `head.analyses` analyses.
pub fn encode(head: &PieceHead, records: &[Record]) -> Vec<u8> {
    let each = 150 + usize::from(head.analyses) * 58;
    let mut out = Vec::with_capacity(HEAD + records.len() * each + SUM);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&head.plan);
    out.extend_from_slice(&head.cell.to_le_bytes());
    out.extend_from_slice(&head.replicates.start.to_le_bytes());
    out.extend_from_slice(&head.replicates.end.to_le_bytes());
    let (number, of) = head.shard.map_or((0, 0), |shard| (shard.number, shard.of));
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&of.to_le_bytes());
    out.extend_from_slice(&head.analyses.to_le_bytes());
    for record in records {
        write_record(&mut out, record);
    }
    let sum = Sha256::digest(&out);
    out.extend_from_slice(&sum);
    out
}

/// Reads a piece back, bit for bit. `known` gives the code of a failed analysis its one place in the program.
///
/// # Errors
/// [`Damage`].
pub fn decode(
    bytes: &[u8],
    known: &dyn Fn(&str) -> Option<&'static str>,
) -> Result<(PieceHead, Vec<Record>), Damage> {
    let own = head(bytes)?;
    let end = bytes.len().checked_sub(SUM).ok_or(Damage::Checksum)?;
    let (content, sum) = bytes.split_at(end);
    if Sha256::digest(content)[..] != *sum {
        return Err(Damage::Checksum);
    }
    let mut reader = Reader(content.get(HEAD..).ok_or(Damage::Checksum)?);
    let count = own.replicates.end - own.replicates.start;
    let records: Option<Vec<Record>> = (0..count)
        .map(|_| read_record(&mut reader, own.analyses, known))
        .collect();
    match records {
        Some(records) if reader.0.is_empty() => Ok((own, records)),
        _ => Err(Damage::Content),
    }
}

/// Hash over everything that makes a replicate what it is; each part is preceded by its length.
///
/// `SHA-256("lottning/plan/1" ‖ u32be(form) ‖ (u64be(length) ‖ part)…)`.
pub fn plan_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"lottning/plan/1");
    hash.update(FORM.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Damage, HEAD, PieceHead, Record, Shard};
    use super::{decode, encode, gaps, head};
    use crate::planning::record::{AnalysisRecord, Drawn, Found, Looked, StageWise};

    fn record(families: u32, found: Result<Found, &'static str>) -> Record {
        Record {
            families,
            screened: 12,
            turned_away: 1,
            lost: 1,
            enrolment_days: 365,
            days_closed: 3,
            replacements: 2,
            correct_guess_share: (families > 0).then_some(0.1 + 0.2),
            imbalance: 1.5,
            drawn: (families == 9).then_some(Drawn {
                cost: Some(0.1 + 0.2),
                target: 400,
            }),
            reached: vec![families / 2, families],
            analyses: vec![AnalysisRecord {
                truth: -0.0,
                joint: (families == 9).then_some(0.04),
                under_null: match families {
                    0 => Some(Err("no-rows")),
                    9 => Some(Ok(0.3)),
                    _ => None,
                },
                looked: (families == 5).then(|| Looked {
                    stage: 1,
                    rejects: true,
                    days: 400,
                    information: vec![3.5, 0.1 + 0.2, 0.0],
                    stage_wise: Some(StageWise {
                        estimate: -0.0,
                        conf_low: -1.0,
                        conf_high: 2.0,
                        p_value: 0.01,
                    }),
                }),
                found,
            }],
        }
    }

    fn piece() -> (PieceHead, Vec<Record>) {
        let found = Found {
            estimate: f64::MIN_POSITIVE,
            std_error: 0.1,
            conf_low: -1e300,
            conf_high: 0.3,
            p_value: 1.0,
        };
        let head = PieceHead {
            plan: [7; 32],
            cell: 3,
            replicates: 40..43,
            shard: Shard::parse("2/3"),
            analyses: 1,
        };
        let records = vec![
            record(0, Err("no-rows")),
            record(9, Ok(found)),
            record(5, Ok(found)),
        ];
        (head, records)
    }

    fn known(code: &str) -> Option<&'static str> {
        (code == "no-rows").then_some("no-rows")
    }

    #[test]
    fn a_piece_comes_back_bit_for_bit() {
        let (own, records) = piece();
        let bytes = encode(&own, &records);
        assert_eq!(head(&bytes[..HEAD]), Ok(own.clone()));
        let (read, back) = decode(&bytes, &known).unwrap();
        assert_eq!((read, back.clone()), (own.clone(), records));
        assert_eq!(encode(&own, &back), bytes);
        assert_eq!(back[0].analyses[0].truth.to_bits(), (-0.0_f64).to_bits());
    }

    #[test]
    fn every_byte_counts() {
        let (own, records) = piece();
        let bytes = encode(&own, &records);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(decode(&other, &known).is_err(), "byte {at}");
            assert!(decode(&bytes[..at], &known).is_err(), "cut at {at}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode(&longer, &known), Err(Damage::Checksum));
        assert_eq!(decode(&bytes, &|_| None), Err(Damage::Content));
        assert_eq!(decode(b"", &known), Err(Damage::Head));
    }

    #[test]
    fn shards_share_every_replicate_out_once() {
        for replicates in [0, 1, 2, 7, 1000, 1_000_003] {
            for of in [1, 2, 3, 7, 64] {
                let mut at = 0;
                for number in 1..=of {
                    let own = Shard { number, of }.replicates(replicates);
                    assert_eq!(own.start, at);
                    let length = own.end - own.start;
                    assert!(
                        (replicates / u64::from(of)..=replicates / u64::from(of) + 1)
                            .contains(&length)
                    );
                    at = own.end;
                }
                assert_eq!(at, replicates);
            }
        }
        for wrong in [
            "0/3", "4/3", "1", "/3", "1/", "a/3", "1/0", "+1/3", "1/3/3", "",
        ] {
            assert_eq!(Shard::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn gaps_by_hand() {
        let found = |covered: &[(u64, u64)], (from, to): (u64, u64)| -> Vec<(u64, u64)> {
            let covered: Vec<_> = covered.iter().map(|(from, to)| *from..*to).collect();
            let gaps = gaps(&covered, from..to);
            gaps.iter().map(|gap| (gap.start, gap.end)).collect()
        };
        assert_eq!(found(&[], (0, 0)), []);
        assert_eq!(found(&[], (3, 5)), [(3, 5)]);
        assert_eq!(found(&[(0, 10)], (3, 5)), []);
        assert_eq!(found(&[(4, 5), (0, 1), (0, 2)], (0, 6)), [(2, 4), (5, 6)]);
        assert_eq!(found(&[(7, 9)], (0, 6)), [(0, 6)]);
    }
}
