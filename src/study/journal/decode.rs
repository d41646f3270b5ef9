//! Ledger entries back to events. The only way into the fold: what was just appended comes in here too.

use super::canonical::{Object, Value};
use super::entry::{Entry, Parts};
use super::names::Names;
use super::unreadable::{fits_no_field, has_no, is_unknown};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::{Check, Day, Exit, MAX_FIELDS, Named, Service};
use crate::study::field_value::field_value;
use crate::study::identifiers::date;
use crate::study::kernel::{FamilyIx, LeftAside, Roster, Screening, SiteIx, Values, Verdict, What};
use crate::words;

/// Why an entry cannot be read, in a few words for the finding of `verify`.
pub(super) type Unreadable = Words;

/// What an entry says: the event, and the texts that request ids and keys are looked up by.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The event.
    pub what: What,
    /// The payload; empty when erased.
    pub payload: Object<'a>,
    /// The public part.
    pub public: Object<'a>,
    /// The family concerned.
    pub subject: Option<FamilyIx>,
}

/// What other rows take from an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone {
    /// A correction takes it back.
    pub retracted: bool,
    /// An erased row may have named its family.
    pub family: bool,
    /// An erased row may have named its child.
    pub child: bool,
}

/// Reads one entry, naming what it mentions for the first time. `placeholder` names the family of an erased entry.
pub(super) fn decode<'a>(
    protocol: &Protocol,
    names: &mut Names,
    (entry, parts): (&Entry, Parts<'a>),
    placeholder: Option<&str>,
    erased_family: Option<FamilyIx>,
    gone: Gone,
) -> Result<Decoded<'a>, Unreadable> {
    let Parts { public, payload } = parts;
    let public = public.into_object().ok_or_else(|| {
        Words::new(
            "its public part is not a JSON object",
            "dess öppna del är inget JSON-objekt",
        )
    })?;
    let erased = entry.payload.is_none();
    let payload = payload.into_object().ok_or_else(|| {
        Words::new(
            "its payload is not a JSON object",
            "dess innehåll är inget JSON-objekt",
        )
    })?;
    let subject = match payload.get("family").and_then(Value::as_str) {
        // A family enters the ledger by its first screening and in no other way.
        Some(name) if entry.kind != "screened" && !gone.family => {
            let known = names.family(name);
            Some(known.ok_or_else(|| {
                Words::new(
                    "no screening before it names its family",
                    "ingen screening före den nämner dess familj",
                )
            })?)
        }
        Some(name) => Some(names.name_family(name)),
        None if erased => placeholder.map(|name| names.name_family(name)),
        None => erased_family,
    };
    let mut reader = Reader {
        protocol,
        names,
        public: &public,
        payload: &payload,
        erased,
        gone,
    };
    let what = reader.what(&entry.kind, subject)?;
    Ok(Decoded {
        what,
        payload,
        public,
        subject,
    })
}

pub(super) struct Reader<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) names: &'a mut Names,
    pub(super) public: &'a Object<'a>,
    pub(super) payload: &'a Object<'a>,
    pub(super) erased: bool,
    pub(super) gone: Gone,
}

impl<'a> Reader<'a> {
    fn what(&mut self, kind: &str, subject: Option<FamilyIx>) -> Result<What, Unreadable> {
        let family = || subject.ok_or_else(|| has_no("family"));
        Ok(match kind {
            "opened" => What::Opened,
            "epoch-opened" => What::EpochOpened {
                epoch: self.number("epoch")?,
            },
            "beacon" => What::Beacon {
                epoch: self.number("epoch")?,
            },
            "site-opened" => What::SiteOpened {
                site: self.site()?,
                on: self.public_day("on")?,
            },
            "site-closed" => What::SiteClosed {
                site: self.site()?,
                on: self.public_day("on")?,
            },
            "capacity-changed" => What::CapacityChanged {
                site: self.site()?,
                on: self.public_day("on")?,
                therapists: self.number("therapists")?,
            },
            "screened" => What::Screened(self.screening(family()?)?),
            "allocated" => self.allocated(family()?)?,
            "returned" => {
                let (report, received) = self.sighting(family()?)?;
                What::Returned {
                    family: family()?,
                    site: self.site()?,
                    report,
                    received,
                    left_aside: self.left_aside(),
                    named: self.named(),
                }
            }
            "joined" => {
                let (report, received) = self.sighting(family()?)?;
                let children = self.roster("new_children")?;
                What::Joined {
                    family: family()?,
                    site: self.site()?,
                    report,
                    received,
                    left_aside: self.left_aside(),
                    children,
                    named: self.named(),
                }
            }
            "exception" => What::Exception {
                family: family()?,
                site: self.site()?,
                reason: self.reason(&self.protocol.exceptions.reasons)?,
            },
            "violation" => {
                let (truth, received) = self.mistake()?;
                What::Violation {
                    family: family()?,
                    on: self.on()?,
                    reason: self.reason(&self.protocol.violations.reasons)?,
                    truth,
                    received,
                }
            }
            "reported" => What::Reported(self.report(family()?)?),
            "observed" => self.observed(family()?)?,
            "corrected" => What::Corrected {
                sequence: u64::from(self.number("sequence")?),
                on: self.on()?,
            },
            "linked" => self.linked(family()?)?,
            "withdrawn" => What::Withdrawn {
                family: family()?,
                on: self.on()?,
            },
            "erased" => What::Erased { family: family()? },
            "locked" => What::Locked {
                lock: self.lock()?,
                cut: self.public_day("cut")?,
            },
            "analysed" => What::Analysed { lock: self.lock()? },
            "exported" => What::Exported,
            "revealed" => What::Revealed,
            other => return self.served(other, subject),
        })
    }

    /// Service or an exit, whose kinds are those of the protocol's model.
    fn served(&mut self, kind: &str, subject: Option<FamilyIx>) -> Result<What, Unreadable> {
        let family = || subject.ok_or_else(|| has_no("family"));
        if let Some(service) = Service::ALL.into_iter().find(|own| own.text() == kind) {
            let arm = self.public.text("arm").map(|id| self.arm(id));
            let arm = arm.transpose()?;
            let by = self.payload.text("delivered_by");
            let by = by.map(|name| self.names.name_deliverer(name));
            return Ok(What::Serviced {
                family: family()?,
                service,
                on: self.on()?,
                arm,
                by,
            });
        }
        let exit = Exit::ALL.into_iter().find(|own| own.text() == kind);
        Ok(What::Exited {
            exit: exit.ok_or_else(|| is_unknown(("kind", "slaget"), kind))?,
            family: family()?,
            on: self.on()?,
        })
    }

    fn allocated(&self, family: FamilyIx) -> Result<What, Unreadable> {
        let texts = |key: &str| -> Option<Vec<&str>> {
            let list = self.public.get(key)?.as_array()?;
            list.iter().map(Value::as_str).collect()
        };
        let stratum = self
            .protocol
            .stratum_of(&texts("levels").ok_or_else(|| has_no("levels"))?)
            .ok_or_else(|| {
                Words::new(
                    "its stratum is not one of the protocol",
                    "dess stratum är inget av protokollets",
                )
            })?;
        let factors = match (texts("factors"), self.public.contains_key("factors")) {
            (Some(factors), _) if !factors.is_empty() => factors,
            (None, false) => Vec::new(),
            _ => {
                return Err(Words::new(
                    "its balancing factors are not a list of levels",
                    "dess balansfaktorer är ingen lista över nivåer",
                ));
            }
        };
        let cell = self.protocol.cell_of(&factors).ok_or_else(|| {
            Words::new(
                "its balancing factors are not those of the protocol",
                "dess balansfaktorer är inte protokollets",
            )
        })?;
        let arm = self
            .public
            .get("arm")
            .and_then(Value::as_str)
            .ok_or_else(|| has_no("arm"))?;
        Ok(What::Allocated {
            family,
            site: self.site()?,
            epoch: self.number("epoch")?,
            stratum,
            cell,
            draw: self.number("draw")?,
            arm: self.arm(arm)?,
            allocation: self.number("allocation")?,
        })
    }

    fn screening(&mut self, family: FamilyIx) -> Result<Screening, Unreadable> {
        let verdict = self
            .public
            .get("verdict")
            .and_then(Value::as_str)
            .unwrap_or("");
        let verdict = match verdict {
            "not-eligible" => Verdict::NotEligible {
                missed: self.missed()?,
            },
            "gate-closed" => Verdict::GateClosed,
            "exception" => Verdict::Exception,
            "drawn" => Verdict::Drawn,
            other => return Err(is_unknown(("verdict", "utslaget"), other)),
        };
        let (report, received) = self.sighting(family)?;
        Ok(Screening {
            family,
            site: self.site()?,
            report,
            received,
            children: self.roster("children")?,
            answers: self.answers()?,
            values: self.values()?,
            verdict,
            changed: self
                .payload
                .get("changed")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }

    fn left_aside(&self) -> LeftAside {
        let answers = self.payload.get("changed").and_then(Value::as_bool);
        LeftAside {
            answers: answers.unwrap_or(false),
            exception: self.payload.get("exception").is_some(),
        }
    }

    fn missed(&self) -> Result<u64, Unreadable> {
        let Some(missed) = self.payload.get("missed").and_then(Value::as_array) else {
            return if self.erased {
                Ok(0)
            } else {
                Err(has_no("missed"))
            };
        };
        missed
            .iter()
            .filter_map(Value::as_str)
            .try_fold(0, |bits, id| {
                let place = self
                    .protocol
                    .criteria
                    .iter()
                    .position(|criterion| criterion.id == id);
                place
                    .map(|place| bits | 1 << place)
                    .ok_or_else(|| is_unknown(("criterion", "kriteriet"), id))
            })
    }

    fn answers(&self) -> Result<u64, Unreadable> {
        let Some(answers) = self.payload.get("answers").and_then(Value::as_object) else {
            return if self.erased {
                Ok(0)
            } else {
                Err(has_no("answers"))
            };
        };
        let mut bits = 0;
        for (place, criterion) in self.protocol.criteria.iter().enumerate() {
            if let Check::Ask { .. } = criterion.check {
                let answer = answers.get(&criterion.id).and_then(Value::as_bool);
                let answer = answer.ok_or_else(|| has_no(&format!("answers.{}", criterion.id)))?;
                bits |= u64::from(answer) << place;
            }
        }
        Ok(bits)
    }

    fn values(&self) -> Result<Values, Unreadable> {
        let mut values = [0; MAX_FIELDS];
        let Some(fields) = self.payload.get("fields").and_then(Value::as_object) else {
            return if self.erased {
                Ok(values)
            } else {
                Err(has_no("fields"))
            };
        };
        for (value, field) in values.iter_mut().zip(&self.protocol.fields) {
            let text = fields.get(&field.id).and_then(Value::as_str);
            let text = text.ok_or_else(|| has_no(&format!("fields.{}", field.id)))?;
            *value = field_value(&field.kind, text).ok_or_else(|| fits_no_field(&field.id))?;
        }
        Ok(values)
    }

    fn roster(&mut self, key: &str) -> Result<Roster, Unreadable> {
        let mut roster = Roster::EMPTY;
        let children = self.payload.get(key).and_then(Value::as_array);
        let children = children.unwrap_or_default();
        for child in children.iter().filter_map(Value::as_str) {
            let child = self.names.name_child(child);
            if !roster.push(child) {
                return Err(Words::new(
                    "it names too many children",
                    "den nämner för många barn",
                ));
            }
        }
        Ok(roster)
    }

    /// The children that an answer to a drawn family names, known or joined by it: a row names no other.
    fn named(&self) -> Roster {
        let mut named = Roster::EMPTY;
        let children = self.payload.get("children").and_then(Value::as_array);
        let children = children.unwrap_or_default().iter();
        let known = children.filter_map(|child| self.names.child(child.as_str()?));
        for child in known {
            named.push(child);
        }
        named
    }

    pub(super) fn text(&self, key: &str) -> Result<&'a str, Unreadable> {
        self.payload
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| has_no(key))
    }

    pub(super) fn day(&self, key: &str) -> Result<Day, Unreadable> {
        day_of(self.text(key)?)
    }

    /// The day on which it happened. An erased day is unknown and stands before every window.
    pub(super) fn on(&self) -> Result<Day, Unreadable> {
        if self.erased {
            Ok(Day(0))
        } else {
            self.day("on")
        }
    }

    fn public_day(&self, key: &str) -> Result<Day, Unreadable> {
        let text = self.public.get(key).and_then(Value::as_str);
        day_of(text.ok_or_else(|| has_no(key))?)
    }

    fn number(&self, key: &str) -> Result<u32, Unreadable> {
        self.public
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| has_no(key))
    }

    fn site(&self) -> Result<SiteIx, Unreadable> {
        let id = self
            .public
            .get("site")
            .and_then(Value::as_str)
            .ok_or_else(|| has_no("site"))?;
        let place = self
            .protocol
            .site(id)
            .ok_or_else(|| is_unknown(("site", "enheten"), id))?;
        Ok(SiteIx(place as u16))
    }

    pub(super) fn arm(&self, id: &str) -> Result<Arm, Unreadable> {
        self.protocol
            .arm(id)
            .ok_or_else(|| is_unknown(("arm", "armen"), id))
    }

    /// The lock that a row is of; the deviations that it names are reasons of the protocol in force.
    fn lock(&self) -> Result<u16, Unreadable> {
        let id = self
            .public
            .get("lock")
            .and_then(Value::as_str)
            .ok_or_else(|| has_no("lock"))?;
        let place = self
            .protocol
            .lock(id)
            .ok_or_else(|| is_unknown(("lock", "låsningen"), id))?;
        let named = self.public.get("deviations").and_then(Value::as_array);
        let mut named = named.unwrap_or_default().iter().filter_map(Value::as_str);
        match named.find(|id| self.protocol.deviations.label(id).is_none()) {
            Some(id) => Err(is_unknown(("deviation", "avvikelsen"), id)),
            None => Ok(place as u16),
        }
    }

    fn reason(&self, reasons: &[Named]) -> Result<u16, Unreadable> {
        if self.erased {
            return Ok(u16::MAX);
        }
        let id = self.text("reason")?;
        let place = reasons.iter().position(|reason| reason.id == id);
        Ok(place.ok_or_else(|| is_unknown(("reason", "skälet"), id))? as u16)
    }
}

pub(super) fn day_of(text: &str) -> Result<Day, Unreadable> {
    date(text)
        .map(Day::of)
        .ok_or_else(|| words!("`{text}` is not a date", "`{text}` är inget datum"))
}
