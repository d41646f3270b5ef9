//! Made-up studies for tests: families enrolled, reported and served through the kernel, by a rule that is fixed by a
//! number. Nothing here claims anything.

use lottning::allocation::{Redraw, replicates_key};
use lottning::protocol::model::{Day, MAX_FIELDS, Protocol, Service};
use lottning::study::kernel::{
    Answer, ChildIx, Command, Decision, Drawer, Enrolment, Event, FamilyIx, RedrawSource, Report,
    ReportIx, Roster, SiteIx, Source, State, What, apply, decide,
};

pub(crate) const IUH: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// A protocol from its text.
pub(crate) fn protocol(text: &str) -> Protocol {
    let parsed = lottning::protocol::parse(text.as_bytes());
    parsed
        .protocol
        .unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

/// SplitMix64 (Steele, Lea & Flood 2014): test data, no draw of the program.
#[derive(Clone)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A study that goes on.
pub(crate) struct Study {
    pub(crate) protocol: Protocol,
    pub(crate) state: State,
    pub(crate) events: Vec<(Day, What)>,
    draws: Drawer<RedrawSource>,
    families: u32,
    reports: u32,
    children: u32,
}

impl Study {
    pub(crate) fn new(protocol: Protocol, number: u64) -> Self {
        let state = State::new(&protocol);
        let key = replicates_key("test", &number.to_string());
        let mut own = Self {
            protocol,
            state,
            events: Vec::new(),
            draws: Drawer::new(RedrawSource(Redraw::new(&key, 0))),
            families: 0,
            reports: 0,
            children: 0,
        };
        let day = own.protocol.first_opening();
        own.happen(day, &What::Opened);
        own
    }

    pub(crate) fn happen(&mut self, day: Day, what: &What) {
        apply(&self.protocol, &mut self.state, &Event { day, what });
        self.events.push((day, *what));
    }

    /// Decides a command and lives through its events.
    pub(crate) fn command(&mut self, day: Day, command: &Command) -> Option<Decision> {
        let decision = decide(&self.protocol, &self.state, command, day, &mut self.draws).ok()?;
        for what in decision.events.into_iter().flatten() {
            self.happen(day, &what);
        }
        Some(decision)
    }

    /// Screens a new family of one child.
    pub(crate) fn enrol(
        &mut self,
        day: Day,
        site: usize,
        answers: u64,
        values: &[i64],
    ) -> Option<(FamilyIx, Answer)> {
        let family = FamilyIx(self.families);
        let mut children = Roster::EMPTY;
        children.push(ChildIx(self.children));
        let mut own = [0; MAX_FIELDS];
        own[..values.len()].copy_from_slice(values);
        let decision = self.command(
            day,
            &Command::Enrol(Enrolment {
                family,
                site: SiteIx(site as u16),
                report: ReportIx(self.reports),
                received: day,
                children,
                answers,
                values: own,
                exception: None,
            }),
        )?;
        self.families += 1;
        self.reports += 1;
        self.children += 1;
        Some((family, decision.answer))
    }

    /// Screens a family again, with a new report.
    pub(crate) fn again(&mut self, day: Day, family: FamilyIx, site: SiteIx) -> Option<Answer> {
        let own = *self.state.family(family)?;
        let report = ReportIx(self.reports);
        let decision = self.command(
            day,
            &Command::Enrol(Enrolment {
                family,
                site,
                report,
                received: day,
                children: Roster::EMPTY,
                answers: 1,
                values: own.values,
                exception: None,
            }),
        )?;
        self.reports += 1;
        Some(decision.answer)
    }

    pub(crate) fn serve(&mut self, family: FamilyIx, service: Service, on: Day, day: Day) {
        self.command(
            day,
            &Command::Record(What::Serviced {
                family,
                service,
                on,
                arm: None,
                by: None,
            }),
        );
    }

    /// A report in the register.
    pub(crate) fn report(&mut self, family: FamilyIx, received: Day, day: Day) {
        let report = ReportIx(self.reports);
        self.reports += 1;
        self.command(
            day,
            &Command::Record(What::Reported(Report {
                family,
                report,
                received,
                source: Source::Register,
                incident: None,
                child: None,
                unknown_child: false,
                attached: None,
                by_study_staff: false,
            })),
        );
    }
}

/// Days of the enrolment of `iuh-2025` used below, and a day after every window and its grace.
pub(crate) const LAST: Day = Day(21_300);

/// A study under `protocol` (the fields of `iuh-2025`) with `families` randomized, if the gate lets them in, and every
/// window ended at [`LAST`]. Outcomes do not depend on the arm.
pub(crate) fn study(protocol: Protocol, families: usize, number: u64) -> Study {
    let mut numbers = Numbers(number);
    let mut study = Study::new(protocol, number);
    let sites = study.protocol.sites.len() as u64;
    let first = study.protocol.first_opening();
    let (mut day, mut closing) = (first, Vec::<(Day, FamilyIx)>::new());
    let mut randomized = Vec::new();
    while randomized.len() < families && day.since(first) < 720 {
        closing.retain(|(on, family)| {
            let over = *on <= day;
            if over {
                study.serve(*family, Service::Closed, *on, day);
            }
            !over
        });
        for _ in 0..numbers.below(3) {
            let site = numbers.below(sites) as usize;
            let values = [
                2 + numbers.below(4) as i64,
                numbers.below(18) as i64,
                numbers.below(5) as i64,
            ];
            let answers = 0b0001 | (u64::from(numbers.chance(8)) << 1);
            if let Some((family, Answer::Allocated { .. })) =
                study.enrol(day, site, answers, &values)
            {
                randomized.push((family, day));
                let length = 30 + numbers.below(60) as i32;
                closing.push((day.plus(length), family));
            }
        }
        day = day.plus(1);
    }
    for (family, day) in randomized {
        if numbers.chance(40) {
            for _ in 0..=numbers.below(2) {
                let on = day.plus(1 + numbers.below(360) as i32);
                study.report(family, on, LAST);
            }
        }
        if numbers.chance(35) {
            study.serve(family, Service::Accepted, day.plus(20), LAST);
            study.serve(family, Service::Started, day.plus(40), LAST);
        }
    }
    study
}
