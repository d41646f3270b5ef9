//! Who is screened when in a simulated study, and what follows for a family that is randomized.
//!
//! A family that meets a closed gate may wait, where the protocol lets it return: it is screened again as soon as a slot
//! is free, first come, first served. Whether a gate is open and which arm a family gets is the kernel's to decide.

use super::arrivals::{Arrival, Streams};
use super::calendar::Due;
use super::rehearsal::Step;
use super::study::Simulator;
use super::world::{Fate, Received, World};
use crate::protocol::model::{Day, Service};
use crate::study::kernel::{
    Answer, ChildIx, Command, DelivererIx, Enrolment, Event, FamilyIx, Refusal, Report, ReportIx,
    Roster, SiteIx, Source, What, apply, apply_in_place, enrol, may_record_in_place,
};

/// Site, day from the first opening, date, and what the site adds to the risk.
type Place = (usize, i32, Day, f64);

/// A family that waits for a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    arrival: Arrival,
    enrolment: Enrolment,
    since: i32,
}

impl Simulator<'_> {
    /// What is due happens.
    pub(super) fn happen(&mut self, family: FamilyIx, due: Due, day: Day) -> Result<(), Refusal> {
        match due {
            Due::Service(service) => {
                if self.cell.scenario.world.capacity.overflows() {
                    self.release(family, service);
                }
                let switched = service == Service::Switched;
                let moved = switched.then(|| self.lived(family)).flatten();
                let what = What::Serviced {
                    family,
                    service,
                    on: day,
                    arm: moved.map(|(world, ..)| world.treated),
                    by: self.deliverer(family, service),
                };
                self.note(day, &what)
            }
            Due::Report | Due::Attached => {
                let report = Report {
                    family,
                    report: ReportIx(self.state.reports.len() as u32),
                    received: day,
                    source: Source::Register,
                    incident: None,
                    child: None,
                    unknown_child: false,
                    attached: Some(due == Due::Attached),
                    by_study_staff: false,
                };
                self.note(day, &What::Reported(report))
            }
            Due::Observed => {
                let Some((outcome, value)) = self.score(family) else {
                    return Ok(());
                };
                let what = What::Observed {
                    family,
                    outcome,
                    value,
                    on: day,
                };
                self.note(day, &what)
            }
            Due::Exit(exit) => {
                let what = What::Exited {
                    family,
                    exit,
                    on: day,
                };
                self.note(day, &what)
            }
            Due::Staff => {
                let place = family.0 as usize;
                let site = self.staff_from.partition_point(|from| *from <= place) - 1;
                let now = self.state.sites[site].therapists;
                let therapists = if self.staff[place].begins {
                    now + 1
                } else {
                    now.saturating_sub(1)
                };
                let what = What::CapacityChanged {
                    site: SiteIx(site as u16),
                    on: day,
                    therapists,
                };
                self.note(day, &what)
            }
        }
    }

    /// Records what happens, if it may be.
    #[expect(
        clippy::inline_always,
        reason = "where it is called the kind of the event is known, and the kernel need not ask for it twice"
    )]
    #[inline(always)]
    fn note(&mut self, day: Day, what: &What) -> Result<(), Refusal> {
        may_record_in_place(&self.state, what, day)?;
        let event = Event { day, what };
        apply_in_place(&self.cell.protocol, &mut self.state, &event);
        if let Some(log) = &mut self.log {
            log.push(Step {
                day,
                command: Command::Record(*what),
                answer: None,
            });
        }
        Ok(())
    }

    /// The pair that closes an investigation by the treated service, where somebody wants to know.
    fn deliverer(&mut self, family: FamilyIx, service: Service) -> Option<DelivererIx> {
        if service != Service::Closed || !self.delivers && self.log.is_none() {
            return None;
        }
        let own = self.state.family(family)?;
        let (_, fate, is_treated) = self.lived(family)?;
        if fate.received(is_treated) == Received::Control {
            return None;
        }
        let next = self.pairs.len() as u32;
        let key = (own.site.0, fate.pair);
        Some(DelivererIx(*self.pairs.entry(key).or_insert(next)))
    }

    /// The score of a randomized family under the service that it has, and the score's outcome.
    fn score(&self, family: FamilyIx) -> Option<(u16, f64)> {
        let (world, fate, is_treated) = self.lived(family)?;
        let received = fate.received(is_treated);
        Some((world.score?.outcome as u16, fate.score[received as usize]))
    }

    /// The world and the fate that a randomized family lives in, and whether it is treated there.
    fn lived(&self, family: FamilyIx) -> Option<(&World, &Fate, bool)> {
        let scenario = &self.cell.scenario;
        let own = self.state.family(family)?;
        let place = own.allocation.checked_sub(1)? as usize * scenario.treated();
        let fates = self.fates.get(place..place + scenario.treated())?;
        let treated = scenario.place_of(own.arm);
        let at = treated.unwrap_or_else(|| under_control(fates));
        let (_, fate) = fates.get(at)?;
        Some((scenario.world_of(at), fate, treated.is_some()))
    }

    /// Without a gate: a slot is freed, or taken by a switch.
    fn release(&mut self, family: FamilyIx, service: Service) {
        let Some(own) = self.state.family(family) else {
            return;
        };
        let site = usize::from(own.site.0);
        let place = family.0 as usize;
        let Some(holds) = self.holds.get_mut(place) else {
            return;
        };
        match service {
            Service::Switched if !*holds => {
                *holds = true;
                self.busy[site] += 1;
            }
            Service::Closed | Service::NotStarted if *holds => {
                *holds = false;
                self.busy[site] -= 1;
            }
            Service::Offered
            | Service::Accepted
            | Service::Declined
            | Service::Started
            | Service::NotStarted
            | Service::HomeVisit
            | Service::Switched
            | Service::Closed
            | Service::Reopened => {}
        }
    }

    /// Screens a family that comes; `false` when enrolment has ended as registered.
    pub(super) fn arrive(
        &mut self,
        streams: &mut Streams,
        place: Place,
        arrival: &Arrival,
    ) -> Result<bool, Refusal> {
        let (site, offset, day, _) = place;
        let own = &mut self.enrolment;
        own.family = FamilyIx(self.state.families.len() as u32);
        own.site = SiteIx(site as u16);
        own.report = ReportIx(self.state.reports.len() as u32);
        own.received = day;
        own.children = Roster::EMPTY;
        for child in 0..arrival.children {
            own.children
                .push(ChildIx((self.state.children.len() + child) as u32));
        }
        own.answers = self.answers;
        own.exception = arrival.exception;
        let answer = self.screen(streams, place, arrival)?;
        if answer == Some(Answer::GateClosed) && self.cell.scenario.world.capacity.waits_days > 0 {
            self.waiting[site].push_back(Waiting {
                arrival: *arrival,
                enrolment: self.enrolment,
                since: offset,
            });
        }
        Ok(answer.is_some())
    }

    /// Screens families again while their site's gate is open; `false` when enrolment has ended as registered.
    pub(super) fn readmit(&mut self, streams: &mut Streams, place: Place) -> Result<bool, Refusal> {
        let (site, offset, ..) = place;
        let patience = self.cell.scenario.world.capacity.waits_days;
        while let Some(first) = self.waiting[site].front().copied() {
            if offset - first.since > patience {
                self.waiting[site].pop_front();
                continue;
            }
            if !self.state.gate_open(first.enrolment.site) {
                break;
            }
            self.waiting[site].pop_front();
            self.enrolment = first.enrolment;
            if self.screen(streams, place, &first.arrival)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Screens the family of the present enrolment; `None` when enrolment has ended as registered.
    fn screen(
        &mut self,
        streams: &mut Streams,
        place: Place,
        arrival: &Arrival,
    ) -> Result<Option<Answer>, Refusal> {
        let (protocol, day) = (&self.cell.protocol, place.2);
        let own = &self.enrolment;
        let decided = enrol(protocol, &self.state, own, day, &mut self.drawer);
        // Looked at where it lies: it is copied some ten thousand times a second otherwise.
        let decision = match &decided {
            Ok(decision) => decision,
            Err(Refusal::TargetReached | Refusal::PastLastDay { .. }) => return Ok(None),
            Err(refusal) => return Err(*refusal),
        };
        for what in decision.events.iter().flatten() {
            let event = Event { day, what };
            apply(protocol, &mut self.state, &event);
        }
        if let Some(log) = &mut self.log {
            log.push(Step {
                day,
                command: Command::Enrol(self.enrolment),
                answer: Some(decision.answer),
            });
        }
        if let Answer::Allocated { arm, .. } = decision.answer {
            let treated = self.cell.scenario.place_of(arm);
            self.follow_up(streams, place, arrival, treated);
        }
        Ok(Some(decision.answer))
    }

    /// Draws the fates of a randomized family, keeps its potential outcomes, and schedules what will be seen under the arm
    /// that it has: `treated` is its place among the treated arms, if it is one.
    fn follow_up(
        &mut self,
        streams: &mut Streams,
        (site, offset, day, site_risk): Place,
        arrival: &Arrival,
        treated: Option<usize>,
    ) {
        let family = self.enrolment.family;
        let (protocol, scenario) = (&self.cell.protocol, &self.cell.scenario);
        let (arms, is_treated) = (scenario.treated(), treated.is_some());
        let from = self.fates.len();
        for arm in 0..arms {
            let place = (site, offset, day, site_risk);
            let fate = self.fate(streams, scenario.world_of(arm), place, arrival);
            self.fates.push((family, fate));
        }
        // The control service is the same in all, and so is what becomes of a family there but for where it is moved.
        let control = under_control(&self.fates[from..]);
        let at = treated.unwrap_or(control);
        let (world, fate) = (scenario.world_of(at), self.fates[from + at].1);
        if let Some(month) = self.month(offset) {
            self.reached[month] += 1;
        }
        if world.capacity.overflows() {
            let holds = is_treated && !self.is_full(site);
            self.holds.resize(family.0 as usize + 1, false);
            self.holds[family.0 as usize] = holds;
            self.busy[site] += u32::from(holds);
        }
        let received = fate.received(is_treated);
        // The days are those of the service with more reports where the truth depends on them, else what is seen.
        let all = self.by_days || fate.exits.ended.is_some();
        self.counted.clear();
        if all {
            let fates = &self.fates[from..];
            let (world, own) = (scenario.world_of(control), &fates[control].1);
            let kept = &mut self.laws;
            let count = world.reports_kept(own, own.received(false), kept);
            self.counted.push(count);
            for (arm, (_, own)) in fates.iter().enumerate() {
                let world = scenario.world_of(arm);
                let count = world.reports_kept(own, own.received(true), kept);
                self.counted.push(count);
            }
        }
        let own = treated.map_or(0, |arm| 1 + arm);
        let count = match self.counted.get(own) {
            Some(count) => *count,
            None => world.reports_kept(&fate, received, &mut self.laws),
        };
        let drawn = self.counted.iter().copied().max().unwrap_or(count);
        let days = &mut self.report_days;
        streams.report_days((site, arrival.ordinal), world.window, drawn, days);
        let first = self.potentials.len();
        for (place, index) in scenario.analyses.iter().enumerate() {
            let analysis = &protocol.analyses[*index];
            let sums = &mut self.truths[place * arms..];
            if self.alike[place] < place {
                for (arm, sum) in sums.iter_mut().take(arms).enumerate() {
                    let both = self.potentials[first + self.alike[place] * arms + arm];
                    *sum += both[1] - both[0];
                    self.potentials.push(both);
                }
                continue;
            }
            let kind = &protocol.outcomes[analysis.outcome].kind;
            let (fates, counted) = (&self.fates[from..], &self.counted);
            // In place 0 the control service, then the treated arms.
            let value = |service: usize| {
                let at = service.checked_sub(1).unwrap_or(control);
                let days = counted.get(service).map(|count| &days[..*count as usize]);
                let (world, fate) = (scenario.world_of(at), &fates[at].1);
                world.potential(kind, analysis.summary, fate, service > 0, days)
            };
            let before = value(0);
            for (arm, sum) in sums.iter_mut().take(arms).enumerate() {
                let both = [before, value(1 + arm)];
                *sum += both[1] - both[0];
                self.potentials.push(both);
            }
        }
        let seen = fate.exits.last_seen();
        let calendar = &mut self.calendar;
        let mut at = |day: i32, due: Due| calendar.schedule(offset + day, family, due);
        let (hitch, service) = if is_treated {
            (fate.not_started, Service::NotStarted)
        } else {
            (fate.switched, Service::Switched)
        };
        if let Some(day) = hitch {
            at(day, Due::Service(service));
        }
        let closing = fate.closing(is_treated);
        at(closing, Due::Service(Service::Closed));
        if fate.accepts[received as usize] && closing <= seen {
            at(closing, Due::Service(Service::Accepted));
            let started = closing + world.truth.started_after_days;
            if started <= seen {
                at(started, Due::Service(Service::Started));
            }
        }
        for (day, exit) in [fate.exits.ended, fate.exits.censored]
            .into_iter()
            .flatten()
        {
            at(day, Due::Exit(exit));
        }
        if let Some(score) = &world.score
            && score.day <= seen
            && score.answers(is_treated, fate.answer_deviate)
        {
            at(score.day, Due::Observed);
        }
        // A search that knows more of one arm is no effect of the service, but it is one of the arm.
        let searched = is_treated && !self.without_effect;
        for own in &days[..count as usize] {
            let is_found = || world.finds(searched, day.plus(own.day), own.found);
            if own.day <= seen && (!world.misses || is_found()) {
                at(
                    own.day,
                    if own.day <= closing {
                        Due::Attached
                    } else {
                        Due::Report
                    },
                );
            }
        }
    }

    fn fate(
        &self,
        streams: &mut Streams,
        world: &World,
        (site, offset, _, site_risk): Place,
        arrival: &Arrival,
    ) -> Fate {
        let therapists = self.cell.protocol.sites[site].therapists;
        let years = f64::from(offset) / 365.25;
        let mut fate = world.fate(
            streams,
            (site, therapists, site_risk),
            (arrival, &self.enrolment.values),
            years,
            |pair| self.crew(site, offset, pair),
        );
        if self.without_effect {
            fate = fate.without_effect();
        }
        if world.capacity.overflows() && self.is_full(site) {
            fate.not_started = Some(1);
        }
        fate
    }

    /// How often the place of a pair has been filled anew.
    fn crew(&self, site: usize, offset: i32, pair: u32) -> u32 {
        let Some(from) = self.staff_from.get(site) else {
            return 0;
        };
        let to = self
            .staff_from
            .get(site + 1)
            .copied()
            .unwrap_or(self.staff.len());
        let own = self.staff[*from..to].iter();
        own.filter(|own| own.position == pair && own.begins && own.day <= offset)
            .count() as u32
    }

    /// Whether, without a gate, all slots of a site are in use.
    fn is_full(&self, site: usize) -> bool {
        let slots = self.cell.scenario.world.capacity.overflow;
        let therapists = self.state.sites[site].therapists;
        slots.is_some_and(|slots| self.busy[site] >= therapists * slots)
    }
}

/// In which of a family's fates, one for each treated arm, it lives under control: that of the arm to which it is moved, if it is.
fn under_control(fates: &[(FamilyIx, Fate)]) -> usize {
    let moved = |(_, fate): &(FamilyIx, Fate)| fate.switched.is_some();
    fates.iter().position(moved).unwrap_or(0)
}
