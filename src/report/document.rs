//! The report as the document `lottning.report/1`: the same numbers as the page, in full precision.
//!
//! Keys and codes are never translated; sentences come in both languages. An undefined number is `null`.

use super::audits::{balance, missingness};
use super::{Report, Verdict, number};
use crate::analysis::results::{
    AnalysisResult, BaselineCell, Comparison, DeviationLine, FunnelMonth, TestResult, Used,
};
use crate::analysis::subgroups::{SubgroupEffect, Subgroups};
use crate::diagnostic::Words;
use crate::estimation::printed_level;
use crate::protocol::Protocol;
use crate::study::caps::{Alert, Capped};
use crate::study::cohort::LEVEL;
use crate::study::flow::{ArmFlow, ReasonCount, SiteFlow};
use crate::words;
use serde_json::{Map, Value, json};

/// The document as indented text with a newline at the end.
pub fn json(report: &Report<'_>) -> String {
    let mut text = format!("{:#}", document(report));
    text.push('\n');
    text
}

fn words(words: &Words) -> Value {
    json!({"en": words.en, "sv": words.sv})
}

fn document(report: &Report<'_>) -> Value {
    let provenance = report.provenance;
    let analyses = report.analyses;
    let study = &report.protocol.study;
    json!({
        "schema": "lottning.report/1",
        "study": study.id,
        "title": words(&study.title),
        "protocol_hash": report.protocol.hash.to_hex(),
        "lock": analyses.lock,
        "cut": number::date(analyses.cut),
        "dry_run": analyses.dry_run,
        "rehearsal": provenance.rehearsal,
        "flow": flow(report),
        "conduct": conduct(report),
        "turned_away_cohort": cohort(report),
        "baseline": baseline(report),
        "analyses": analyses.analyses.iter().map(|a| analysis(report, a)).collect::<Vec<_>>(),
        "deviations": analyses.ledger.iter().map(|line| deviation(line, words)).collect::<Vec<_>>(),
        "recruitment": {
            "target": report.protocol.sample_size.target,
            "sites": report.flow.sites.iter().map(|s| site(report, s)).collect::<Vec<_>>(),
        },
        "provenance": {
            "version": provenance.version,
            "generated": provenance.generated,
            "head": provenance.head,
            "events": provenance.events,
            "allocations": provenance.allocations,
            "custody": study.custody.text(),
            "verification": verification(&provenance.verdict),
            "seeds": provenance.seeds.iter().map(|seed| json!({
                "epoch": seed.epoch,
                "commitment": seed.commitment,
                "revealed": seed.revealed,
            })).collect::<Vec<_>>(),
        },
    })
}

fn verification(verdict: &Verdict) -> Value {
    let (first_bad, findings) = match verdict {
        Verdict::Failed {
            first_bad,
            findings,
        } => (*first_bad, findings.clone()),
        Verdict::Verified | Verdict::ChainOnly | Verdict::NotRun => (None, Vec::new()),
    };
    let findings: Vec<Value> = findings.iter().map(words).collect();
    json!({"verdict": verdict.text(), "first_bad": first_bad, "findings": findings})
}

fn arm_id(report: &Report<'_>, arm: usize) -> Value {
    report
        .protocol
        .arms
        .get(arm)
        .map_or(Value::Null, |spec| json!(spec.id))
}

fn reasons(reasons: &[ReasonCount]) -> Value {
    reasons
        .iter()
        .map(|reason| (reason.reason.clone(), json!(reason.families)))
        .collect::<Map<String, Value>>()
        .into()
}

fn flow(report: &Report<'_>) -> Value {
    let flow = report.flow;
    json!({
        "screened": flow.screened,
        "screenings": flow.screenings,
        "not_eligible": reasons(&flow.not_eligible),
        "turned_away": flow.turned_away,
        "exceptions": reasons(&flow.exceptions),
        "reason_erased": flow.reason_erased,
        "randomized": flow.randomized,
        "randomized_after_turned_away": flow.randomized_after_turned_away,
        "joined_children": flow.joined_children,
        "arms": flow.arms.iter().map(|arm| arm_flow(report, arm)).collect::<Vec<_>>(),
    })
}

/// Violations and switches; by arm only when what became of families may be shown.
fn conduct(report: &Report<'_>) -> Value {
    let own = report.conduct;
    let violations: Vec<Value> = own
        .violations
        .iter()
        .map(|count| {
            let reason = report
                .protocol
                .violations
                .reasons
                .get(usize::from(count.reason));
            let arms: Option<Map<String, Value>> = report.shows_fates().then(|| {
                report
                    .protocol
                    .arms
                    .iter()
                    .zip(&count.arms)
                    .map(|(arm, families)| (arm.id.clone(), json!(families)))
                    .collect()
            });
            json!({
                "reason": reason.map(|reason| &reason.id),
                "families": count.families(),
                "arms": arms,
            })
        })
        .collect();
    let direction = own.direction.filter(|_| !report.analyses.dry_run);
    json!({
        "violations": violations,
        "alerts": own.alerts.iter().map(|alert| self::alert(report.protocol, alert)).collect::<Vec<_>>(),
        "switches": direction.map(|direction| json!({
            "toward": arm_id(report, direction.toward.index()),
            "to": direction.to,
            "of": direction.of,
            "expected_share": direction.expected,
            "p_value": direction.p_value,
        })),
        "changed_answers": own.changed.len(),
        "changed_between_reports": own.changed_between.len(),
        "screened_under_two_names": own.came_back.len(),
        "perhaps_drawn_before": own.of_a_drawn.len(),
        "slots_freed_by_intake": own.slots.map(|own| json!({
            "freed": own.freed, "retracted": own.retracted, "drawn": own.drawn,
        })),
    })
}

/// The families that were turned away and never randomized; masked counts are `null`.
fn cohort(report: &Report<'_>) -> Value {
    let own = report.cohort;
    let outcomes: Vec<Value> = own
        .outcomes
        .iter()
        .map(|outcome| {
            let id = report
                .protocol
                .outcomes
                .get(outcome.outcome)
                .map(|own| &own.id);
            let sites: Vec<Value> = outcome
                .sites
                .iter()
                .map(|site| {
                    let id = report.protocol.sites.get(usize::from(site.site.0));
                    json!({
                        "site": id.map(|site| &site.id),
                        "families": site.counts.map(|(known, _)| known),
                        "with_report": site.counts.map(|(_, with_report)| with_report),
                    })
                })
                .collect();
            json!({
                "outcome": id,
                "families": outcome.known,
                "with_report": outcome.with_report,
                "interval": outcome.interval.map(|(low, high)| [low, high]),
                "level": LEVEL,
                "unknown": outcome.unknown,
                "not_yet": outcome.not_yet,
                "sites": sites,
            })
        })
        .collect();
    json!({
        "comparison": false,
        "ever_turned_away": own.ever,
        "randomized_later": own.randomized,
        "erased": own.erased,
        "linked": own.linked,
        "families": own.families,
        "outcomes": outcomes,
    })
}

/// A cap that is passed.
pub fn alert(protocol: &crate::protocol::Protocol, alert: &Alert) -> Value {
    let what = |capped| match capped {
        Capped::Exceptions => "exceptions",
        Capped::Violations => "violations",
    };
    match *alert {
        Alert::Site {
            capped,
            site,
            quarter: (year, quarter),
            count,
            cap,
        } => json!({
            "what": what(capped),
            "site": protocol.sites.get(usize::from(site.0)).map(|site| &site.id),
            "quarter": format!("{year}-Q{quarter}"),
            "count": count,
            "cap": cap,
        }),
        Alert::Study {
            capped,
            families,
            of,
            share,
            cap,
        } => {
            json!({ "what": what(capped), "families": families, "of": of, "share": share, "cap": cap })
        }
    }
}

fn arm_flow(report: &Report<'_>, arm: &ArmFlow) -> Value {
    let id = arm_id(report, usize::from(arm.arm.0));
    // Before a lock nothing after the allocation is given by arm.
    if !report.shows_fates() {
        return json!({"arm": id, "allocated": arm.allocated});
    }
    json!({
        "arm": id,
        "allocated": arm.allocated,
        "not_started": arm.not_started,
        "switched": arm.switched,
        "followed": arm.followed,
        "under_follow_up": arm.under_follow_up,
        "withdrawn": arm.withdrawn,
        "left_coverage": arm.left_coverage,
        "death": arm.death,
        "all_children_18": arm.all_children_18,
        "linked": arm.linked,
        "erased": arm.erased,
        "after_cut": arm.after_cut,
    })
}

fn baseline(report: &Report<'_>) -> Value {
    let baseline = &report.analyses.baseline;
    let rows: Vec<Value> = baseline
        .rows
        .iter()
        .map(|row| {
            let arms: Vec<Value> = row
                .arms
                .iter()
                .zip(&baseline.families)
                .map(|(cell, families)| match cell {
                    BaselineCell::Number {
                        n,
                        mean,
                        sd,
                        median,
                        quartiles,
                        missing,
                    } => json!({
                        "n": n, "mean": mean, "sd": sd, "median": median,
                        "quartiles": [quartiles.0, quartiles.1], "missing": missing,
                    }),
                    BaselineCell::Share { count, of } => json!({
                        "n": of, "count": count, "missing": families.saturating_sub(*of),
                    }),
                    BaselineCell::Empty => json!({"n": 0, "missing": families}),
                })
                .collect();
            let mut told = json!({
                "characteristic": words(&row.label),
                "level": row.level.as_ref().map(words),
                "arms": arms,
                "smd": row.smd.filter(|smd| smd.is_finite()),
            });
            if let Some(note) = undefined(row.smd) {
                told["smd_note"] = words(&note);
            }
            told
        })
        .collect();
    json!({
        "families": baseline.families,
        "rows": rows,
        "balance": balance(&report.analyses.balance, words),
    })
}

/// Why a standardized difference is no number.
fn undefined(smd: Option<f64>) -> Option<Words> {
    match smd {
        Some(smd) if smd.is_finite() => None,
        Some(smd) => {
            let (en, sv) = if smd > 0.0 {
                ("above", "över")
            } else {
                ("below", "under")
            };
            Some(words!(
                "infinite: neither arm varies, and the treated arm lies {en} control",
                "oändlig: ingen av grupperna varierar, och den behandlade ligger {sv} kontrollgruppen"
            ))
        }
        None => Some(words!(
            "undefined: an arm without known values, or neither spread nor difference",
            "odefinierad: en grupp utan kända värden, eller varken spridning eller skillnad"
        )),
    }
}

fn analysis(report: &Report<'_>, analysis: &AnalysisResult) -> Value {
    let mut whole = json!({
        "id": analysis.id,
        "role": analysis.role.text(),
        "prespecified": analysis.prespecified,
        "outcome": analysis.outcome,
        "label": words(&analysis.outcome_label),
        "estimand": words(&analysis.estimand),
        "measure": analysis.measure,
        "attributes": analysis.attributes.iter().map(|own| (own.key.to_owned(), json!(words(&own.value))))
            .collect::<Map<String, Value>>(),
        "used": used(&analysis.used),
        "received_by_month": funnel(&analysis.funnel),
        "subgroups": subgroups(&analysis.subgroups),
        "arms": analysis.arms.iter().map(|outcome| json!({
            "arm": arm_id(report, usize::from(outcome.arm.0)),
            "randomized": outcome.randomized,
            "analysed": outcome.analysed,
            "missing": outcome.missing,
            "events": outcome.events,
            "mean": outcome.mean,
            "children": outcome.children.map(|own| own.number),
        })).collect::<Vec<_>>(),
        "missingness": missingness(report.protocol, analysis.missingness.as_ref()),
        "results": analysis.results,
        "test": analysis.test.as_ref().map(|own| test(own, words)),
        "p_adjusted": analysis.p_adjusted,
        "q_value": analysis.q_value,
        "covariates": analysis.covariates,
        "deviations": analysis.deviations.iter().map(|deviation| json!({
            "code": deviation.code, "message": words(&deviation.message),
        })).collect::<Vec<_>>(),
        "warnings": analysis.warnings.iter().map(|warning| json!({
            "code": warning.code, "message": words(&warning.message),
        })).collect::<Vec<_>>(),
        "conclusion": words(&analysis.conclusion),
    });
    if let Some(further) = further(report.protocol, analysis, words) {
        whole["further_comparisons"] = further;
    }
    whole
}

/// The comparisons of further arms, where there are any; `text` gives sentences in one language or in both.
pub fn further(
    protocol: &Protocol,
    analysis: &AnalysisResult,
    text: impl Fn(&Words) -> Value,
) -> Option<Value> {
    let one = |own: &Comparison| {
        json!({
            "arm": protocol.arms.get(own.arm.index()).map(|arm| &arm.id),
            "test": own.test.as_ref().map(|own| test(own, &text)),
            "p_adjusted": own.p_adjusted,
            "q_value": own.q_value,
            "conclusion": text(&own.conclusion),
        })
    };
    (!analysis.further.is_empty()).then(|| analysis.further.iter().map(one).collect())
}

/// Effects by subgroup and their contrasts.
pub fn subgroups(list: &[Subgroups]) -> Value {
    let effect = |own: &SubgroupEffect| {
        json!({
            "estimate": own.estimate,
            "std_error": own.std_error,
            "df": own.df,
            "conf_low": own.conf_low,
            "conf_high": own.conf_high,
        })
    };
    let one = |own: &Subgroups| {
        let levels: Vec<Value> = own
            .levels
            .iter()
            .map(|level| {
                json!({
                    "level": level.level,
                    "n_treated": level.families[0],
                    "n_control": level.families[1],
                    "effect": level.effect.as_ref().map(effect),
                })
            })
            .collect();
        let contrasts: Vec<Value> = own
            .contrasts
            .iter()
            .map(|contrast| {
                json!({
                    "level": contrast.level,
                    "reference": contrast.reference,
                    "difference": effect(&contrast.effect),
                    "p_value": contrast.p_value,
                    "q_value": contrast.q_value,
                })
            })
            .collect();
        json!({
            "factor": own.factor,
            "exploratory": true,
            "levels": levels,
            "contrasts": contrasts,
        })
    };
    list.iter().map(one).collect()
}

/// Who received the treated arm's service, by month; counts are treated, control.
pub fn funnel(months: &[FunnelMonth]) -> Value {
    let month = |own: &FunnelMonth| {
        json!({
            "month": own.month,
            "randomized": own.randomized,
            "received": own.received,
        })
    };
    months.iter().map(month).collect()
}

/// A line of the ledger of deviations, its words as `text` gives them.
pub fn deviation(line: &DeviationLine, text: impl Fn(&Words) -> Value) -> Value {
    json!({
        "code": line.code,
        "analysis": line.analysis,
        "what": text(&line.what),
        "why": text(&line.why),
        "when": line.when,
        "who": text(&line.who),
    })
}

/// What a result was computed from, in the words of `lottning estimate`.
pub fn used(used: &Used) -> Value {
    let options: Map<String, Value> = used
        .options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let columns: Map<String, Value> = used
        .columns
        .iter()
        .map(|(role, names)| ((*role).to_owned(), json!(names)))
        .collect();
    json!({
        "estimator": used.estimator,
        "summary": used.summary,
        "options": options,
        "columns": columns,
    })
}

/// A randomization test; `text` gives sentences in one language or in both.
pub fn test(test: &TestResult, text: impl Fn(&Words) -> Value) -> Value {
    json!({
        "p_value": test.p_value,
        "exact": test.exact,
        "draws": test.draws,
        "failed": test.failed,
        "mcse": test.mcse,
        "level": printed_level(test.level),
        "conf_low": test.conf_low,
        "conf_high": test.conf_high,
        "interval_assumes": "constant-effect",
        "approximate": test.approximate.as_ref().map(text),
    })
}

fn site(report: &Report<'_>, site: &SiteFlow) -> Value {
    let id = report.protocol.sites.get(site.site).map(|spec| &spec.id);
    json!({
        "site": id,
        "opened": number::date(site.opened),
        "randomized": site.randomized.iter().map(|day| number::date(*day)).collect::<Vec<_>>(),
        "turned_away": site.turned_away,
        "gate_closed": site.gate_closed.iter()
            .map(|(from, to)| [number::date(*from), number::date(*to)])
            .collect::<Vec<_>>(),
        "days_closed": site.days_closed(),
    })
}

#[cfg(test)]
mod tests {
    use super::undefined;

    #[test]
    fn a_standardized_difference_that_is_no_number_says_why() {
        assert_eq!(undefined(Some(-0.3)), None);
        let infinite = undefined(Some(f64::NEG_INFINITY)).unwrap_or_default();
        assert!(infinite.en.contains("below control"), "{}", infinite.en);
        assert!(infinite.sv.contains("under kontrollgruppen"));
        let none = undefined(None).unwrap_or_default();
        assert!(none.en.starts_with("undefined"), "{}", none.en);
    }
}
