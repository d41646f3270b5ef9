//! What `check` says of tests that are judged by less than their alpha: those with too few redraws for it, and the power of
//! comparisons that are judged together.

use crate::analysis::attainable::{
    Barred, OutOfReach, fewest_draws, out_of_reach, significant, smallest_p,
};
use crate::diagnostic::Diagnostic;
use crate::protocol::Protocol;
use crate::words;

/// Tests whose smallest p is above a limit that they may be judged by: once for each, at the smallest limit of those at which
/// it can never be rejected, if any.
pub(super) fn warn_of_redraws(warnings: &mut Vec<Diagnostic>, protocol: &Protocol) {
    let found = out_of_reach(protocol);
    for (index, analysis) in protocol.analyses.iter().enumerate() {
        let own = found.iter().filter(|own| own.analysis == index);
        let never = |own: &OutOfReach| own.barred == Barred::Always;
        let worst = own.min_by(|a, b| {
            let kind = never(b).cmp(&never(a));
            kind.then(a.limit.total_cmp(&b.limit))
        });
        let Some(worst) = worst else {
            continue;
        };
        let OutOfReach {
            draws,
            lock,
            limit,
            family,
            barred,
            ..
        } = *worst;
        let (id, lock) = (&analysis.id, &protocol.locks[lock].id);
        let (smallest_en, smallest_sv) = significant(smallest_p(u64::from(draws), 0));
        let (limit_en, limit_sv) = significant(limit);
        let warning = match barred {
            Barred::Always if family == 1 => Diagnostic::warning(
                "test-cannot-reject",
                words!(
                    "the test of `{id}` has no p below {smallest_en} with {draws} redraws, and at `{lock}` it may be judged by {limit_en}: it could not reject whatever the effect",
                    "testet av `{id}` kan inte ge ett p-värde under {smallest_sv} med {draws} omlottningar, och vid `{lock}` kan det bedömas mot {limit_sv}: det kan inte förkasta hur stor effekten än är"
                ),
            ),
            Barred::Always => Diagnostic::warning(
                "test-cannot-reject",
                words!(
                    "the test of `{id}` has no p below {smallest_en} with {draws} redraws, and the first of the {family} that Holm's rule judges together at `{lock}` is judged by {limit_en}: too few of the others can come before it, so it could not reject whatever the effects",
                    "testet av `{id}` kan inte ge ett p-värde under {smallest_sv} med {draws} omlottningar, och det första av de {family} som Holms regel bedömer tillsammans vid `{lock}` bedöms mot {limit_sv}: för få av de andra kan komma före det, så det kan inte förkasta hur stora effekterna än är"
                ),
            ),
            Barred::Until(before) => Diagnostic::warning(
                "test-rejects-only-after-others",
                words!(
                    "the test of `{id}` has no p below {smallest_en} with {draws} redraws, and the first of the {family} that Holm's rule judges together at `{lock}` is judged by {limit_en}: it can reject only after at least {before} of the others have",
                    "testet av `{id}` kan inte ge ett p-värde under {smallest_sv} med {draws} omlottningar, och det första av de {family} som Holms regel bedömer tillsammans vid `{lock}` bedöms mot {limit_sv}: det kan förkasta först efter minst {before} av de andra"
                ),
            ),
        };
        warnings.push(match fewest_draws(limit) {
            Some(needed) => warning.help(words!(
                "register at least {needed} redraws, and many times that for a p that varies little",
                "registrera minst {needed} omlottningar, och många gånger det för ett p-värde som varierar lite"
            )),
            None => warning,
        });
    }
}
