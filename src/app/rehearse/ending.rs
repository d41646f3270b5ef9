//! The end of a rehearsal: verify, lock, publish the seed, analyse, report.

use super::{Rehearsed, Stage};
use crate::app::analyse::analyse;
use crate::app::lock::lock;
use crate::app::report::{ReportRequest, report};
use crate::app::reveal::reveal;
use crate::app::study::Study;
use crate::app::verify::{Expected, check};
use crate::app::{Failure, exit, refusal};
use crate::diagnostic::Words;
use crate::protocol::model::{Cut, Day, Role};
use crate::words;

impl Stage<'_> {
    pub(super) fn ended(mut self) -> Result<Rehearsed, Failure> {
        let Some(place) = self.protocol.final_lock() else {
            return Err(Failure::new(
                exit::INVALID_PROTOCOL,
                "no-final-lock",
                Words::new(
                    "the protocol registers no final lock",
                    "protokollet registrerar ingen slutlig låsning",
                ),
            ));
        };
        let mut study = Study::load(&self.inside, &self.study)?;
        let seeds = [self.seed_file.clone()];
        let verdict = check(&self.inside, &self.study, &seeds, &Expected::default())?;
        let (events, draws) = (
            verdict.verification.events,
            verdict.verification.allocations,
        );
        let folder = self.study.display().to_string();
        let seed = self.seed_file.display().to_string();
        self.tell(
            if verdict.verification.ok {
                words!(
                    "verified: {events} events hold together, {draws} draws are those that the seed gives",
                    "verifierade: {events} händelser håller ihop, {draws} dragningar är de som fröet ger"
                )
            } else {
                Words::new("verification FAILED", "verifieringen MISSLYCKADES")
            },
            format!("lottning verify --study {folder} --seed-file {seed}"),
        );
        let cut = self.cut(&study, place);
        self.at(cut.plus(1));
        let (id, short) = (
            self.protocol.locks[place].id.clone(),
            self.protocol.hash.short(),
        );
        let date = refusal::date(cut);
        lock(
            &self.inside,
            &mut study,
            &Self::act("study-lead"),
            &id,
            &date,
            &short,
            &[],
        )?;
        self.tell(
            words!("locked the data at {date}", "låste data per {date}"),
            format!("lottning lock {id} --study {folder} --cut {date} --confirm {short} --actor study-lead"),
        );
        reveal(&self.inside, &mut study, &Self::act("study-lead"), &seeds)?;
        self.tell(
            Words::new(
                "published the seed: anyone can derive every draw again",
                "publicerade fröet: vem som helst kan härleda varje dragning",
            ),
            format!("lottning reveal --study {folder} --seed-file {seed} --actor study-lead"),
        );
        let analysed = analyse(&self.inside, &mut study, &Self::act("evaluator"), &id, &[])?;
        let all = &analysed.analyses.analyses;
        let conclusion = all
            .iter()
            .find(|own| own.role == Role::Primary)
            .or_else(|| all.first())
            .map_or_else(Words::default, |primary| {
                let said = primary.conclusions();
                let (en, sv): (Vec<&str>, Vec<&str>) =
                    said.map(|own| (own.en.as_str(), own.sv.as_str())).unzip();
                Words::new(en.join(" "), sv.join(" "))
            });
        self.tell(
            conclusion,
            format!("lottning analyse --study {folder} --lock {id} --actor evaluator"),
        );
        let reported = report(
            &self.inside,
            &mut study,
            &ReportRequest {
                lock: Some(id.clone()),
                out: Some(self.folder.join("report")),
                suppress_below: None,
                seed_files: Vec::new(),
            },
        )?;
        let place = self.folder.join("report");
        let place = place.display();
        self.tell(
            words!(
                "wrote the report in both languages, with its numbers: {place}",
                "skrev rapporten på båda språken, med dess siffror: {place}"
            ),
            format!("lottning report --study {folder} --lock {id}"),
        );
        Ok(Rehearsed {
            told: self.told,
            reported,
            head: study.journal.head.to_hex(),
        })
    }

    /// The cut of the final lock: the registered date, or the first day on which the last window and its grace are over.
    fn cut(&self, study: &Study, place: usize) -> Day {
        match self.protocol.locks[place].cut {
            Cut::On(date) => Day::of(date),
            Cut::AfterLastWindow { grace_days } => {
                let state = &study.journal.state;
                let last = state
                    .allocations
                    .iter()
                    .filter_map(|allocated| state.family(allocated.family))
                    .map(|family| family.randomized)
                    .max()
                    .unwrap_or(self.last_day);
                last.plus(self.protocol.last_window())
                    .plus(grace_days)
                    .max(self.last_day)
            }
        }
    }
}
