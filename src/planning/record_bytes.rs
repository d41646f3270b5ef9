//! The record of a simulated study as bytes, little-endian and bit for bit. What a piece is made of beside its records is
//! `pieces`'.

use super::record::{AnalysisRecord, Drawn, Found, Looked, Record, StageWise};

pub(super) fn write_record(out: &mut Vec<u8>, record: &Record) {
    let Record {
        families,
        screened,
        turned_away,
        lost,
        enrolment_days,
        days_closed,
        replacements,
        correct_guess_share,
        imbalance,
        drawn,
        reached,
        analyses,
    } = record;
    let wholes = [
        families,
        screened,
        turned_away,
        lost,
        enrolment_days,
        days_closed,
        replacements,
    ];
    for whole in wholes {
        out.extend_from_slice(&whole.to_le_bytes());
    }
    // Months of enrolment, of which there are a few hundred at most.
    out.extend_from_slice(&(reached.len() as u16).to_le_bytes());
    for families in reached {
        out.extend_from_slice(&families.to_le_bytes());
    }
    out.push(u8::from(correct_guess_share.is_some()));
    out.extend_from_slice(&correct_guess_share.unwrap_or(0.0).to_le_bytes());
    out.extend_from_slice(&imbalance.to_le_bytes());
    match drawn {
        None => out.push(0),
        Some(Drawn { cost, target }) => {
            out.push(1 + u8::from(cost.is_some()));
            out.extend_from_slice(&target.to_le_bytes());
            out.extend(cost.iter().flat_map(|own| own.to_le_bytes()));
        }
    }
    for AnalysisRecord {
        truth,
        found,
        joint,
        under_null,
        looked,
    } in analyses
    {
        out.extend_from_slice(&truth.to_le_bytes());
        match under_null {
            None => out.push(NOT_ASKED),
            Some(Ok(p_value)) => {
                out.push(0);
                out.extend_from_slice(&p_value.to_le_bytes());
            }
            Some(Err(code)) => write_code(out, code),
        }
        match found {
            Ok(Found {
                estimate,
                std_error,
                conf_low,
                conf_high,
                p_value,
            }) => {
                out.push(if joint.is_some() { JOINT } else { 0 });
                for number in [estimate, std_error, conf_low, conf_high, p_value] {
                    out.extend_from_slice(&number.to_le_bytes());
                }
                out.extend(joint.iter().flat_map(|own| own.to_le_bytes()));
            }
            Err(code) => write_code(out, code),
        }
        write_looked(out, looked.as_ref());
    }
}

/// Nothing, or one more than the number of looks, and the looks.
fn write_looked(out: &mut Vec<u8>, looked: Option<&Looked>) {
    let Some(Looked {
        stage,
        rejects,
        days,
        information,
        stage_wise,
    }) = looked
    else {
        out.extend_from_slice(&0u16.to_le_bytes());
        return;
    };
    out.extend_from_slice(&(information.len() as u16 + 1).to_le_bytes());
    out.extend_from_slice(&stage.to_le_bytes());
    out.extend_from_slice(&days.to_le_bytes());
    out.push(u8::from(*rejects));
    for own in information {
        out.extend_from_slice(&own.to_le_bytes());
    }
    out.push(u8::from(stage_wise.is_some()));
    if let Some(StageWise {
        estimate,
        conf_low,
        conf_high,
        p_value,
    }) = stage_wise
    {
        for number in [estimate, conf_low, conf_high, p_value] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// How the looks went, whose number was read.
fn read_looked(reader: &mut Reader<'_>, looks: u16) -> Option<Looked> {
    let (stage, days) = (reader.u16()?, reader.u32()?);
    let rejects = reader.take(1)?[0] == 1;
    let information: Option<Vec<f64>> = (0..looks).map(|_| reader.f64()).collect();
    let stage_wise = if reader.take(1)?[0] == 1 {
        Some(StageWise {
            estimate: reader.f64()?,
            conf_low: reader.f64()?,
            conf_high: reader.f64()?,
            p_value: reader.f64()?,
        })
    } else {
        None
    };
    Some(Looked {
        stage,
        rejects,
        days,
        information: information?,
        stage_wise,
    })
}

/// In place of the length of a code: no twin of the study was run.
const NOT_ASKED: u8 = u8::MAX;

/// In place of the length of a code: numbers, with a p-value after them that is adjusted over shared redraws.
const JOINT: u8 = u8::MAX - 1;

/// Length + 1 and the code of a failure. Codes are short names; one of 252 bytes or more does not occur.
fn write_code(out: &mut Vec<u8>, code: &str) {
    let code = &code.as_bytes()[..code.len().min(252)];
    out.push(code.len() as u8 + 1);
    out.extend_from_slice(code);
}

fn read_code(
    reader: &mut Reader<'_>,
    longer: u8,
    known: &dyn Fn(&str) -> Option<&'static str>,
) -> Option<&'static str> {
    let code = reader.take(usize::from(longer) - 1)?;
    known(std::str::from_utf8(code).ok()?)
}

pub(super) fn read_record(
    reader: &mut Reader<'_>,
    analyses: u16,
    known: &dyn Fn(&str) -> Option<&'static str>,
) -> Option<Record> {
    let families = reader.u32()?;
    let screened = reader.u32()?;
    let turned_away = reader.u32()?;
    let lost = reader.u32()?;
    let enrolment_days = reader.u32()?;
    let days_closed = reader.u32()?;
    let replacements = reader.u32()?;
    let months = reader.u16()?;
    let reached: Option<Vec<u32>> = (0..months).map(|_| reader.u32()).collect();
    let has_share = reader.take(1)?[0];
    let share = reader.f64()?;
    let imbalance = reader.f64()?;
    let drawn = match reader.take(1)?[0] {
        0 => None,
        known => Some(Drawn {
            target: reader.u32()?,
            cost: if known > 1 { Some(reader.f64()?) } else { None },
        }),
    };
    let analyses: Option<Vec<AnalysisRecord>> = (0..analyses)
        .map(|_| {
            let truth = reader.f64()?;
            let under_null = match reader.take(1)?[0] {
                NOT_ASKED => None,
                0 => Some(Ok(reader.f64()?)),
                longer => Some(Err(read_code(reader, longer, known)?)),
            };
            let tag = reader.take(1)?[0];
            let found = match tag {
                0 | JOINT => Ok(Found {
                    estimate: reader.f64()?,
                    std_error: reader.f64()?,
                    conf_low: reader.f64()?,
                    conf_high: reader.f64()?,
                    p_value: reader.f64()?,
                }),
                longer => Err(read_code(reader, longer, known)?),
            };
            let joint = match tag {
                JOINT => Some(reader.f64()?),
                _ => None,
            };
            Some(AnalysisRecord {
                truth,
                found,
                joint,
                under_null,
                looked: match reader.u16()?.checked_sub(1) {
                    None => None,
                    Some(looks) => Some(read_looked(reader, looks)?),
                },
            })
        })
        .collect();
    Some(Record {
        families,
        screened,
        turned_away,
        lost,
        enrolment_days,
        days_closed,
        replacements,
        correct_guess_share: (has_share == 1).then_some(share),
        imbalance,
        drawn,
        reached: reached?,
        analyses: analyses?,
    })
}

/// Bytes that are read from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (own, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(own)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn f64(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.array()?))
    }
}
