//! `looks` of an analysis: the interim locks at which it may spend alpha on the way to its own lock.

use super::locks::Locks;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Analysis, Role};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Interim locks that may spend alpha, where no analysis is looked at.
pub(super) fn unspent(
    out: &mut Findings<'_>,
    sections: &[Section<'_>],
    locks: &Locks,
    analyses: &[Option<Analysis>],
) {
    let Some(all) = analyses
        .iter()
        .map(Option::as_ref)
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let primary = all.iter().position(|own| own.role == Role::Primary);
    let Some(section) = primary.and_then(|index| sections.get(index)) else {
        return;
    };
    for (index, lock) in locks.list.iter().enumerate() {
        let Some(lock) = lock.as_ref().filter(|lock| lock.alpha > 0.0) else {
            continue;
        };
        if all.iter().all(|own| !own.looks.contains(&index)) {
            let id = &lock.id;
            out.error(
                "alpha-unspent",
                &section.key_span("lock"),
                words!(
                    "the interim lock `{id}` may spend alpha, but the primary analysis is not looked at there",
                    "interimslåsningen `{id}` får förbruka alfa, men den primära analysen tittas inte på där"
                ),
                words!(
                    "add `looks = [\"{id}\"]` to the primary analysis, or set `alpha = 0.0` at the lock",
                    "lägg till `looks = [\"{id}\"]` i den primära analysen, eller sätt `alpha = 0.0` vid låsningen"
                ),
            );
        }
    }
}

/// Looks go by the boundary of one comparison; there is no rule by which several arms share what a look spends.
pub(super) fn of_one_comparison(out: &mut Findings<'_>, sections: &[Section<'_>], arms: usize) {
    if arms < 3 {
        return;
    }
    for section in sections.iter().filter(|own| own.get("looks").is_some()) {
        out.error(
            "look-of-several-arms",
            &section.key_span("looks"),
            words!(
                "looks go by the boundary of one comparison, and with {arms} arms there are several",
                "tittar går efter en jämförelses gräns, och med {arms} armar finns det flera"
            ),
            words!(
                "remove `looks`, and set `alpha = 0.0` at the interim lock",
                "ta bort `looks`, och sätt `alpha = 0.0` vid interimslåsningen"
            ),
        );
    }
}

/// The interim locks at which an analysis is looked at before its own lock.
pub(super) fn looks(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    role: Option<Role>,
    (own, alpha): (Option<usize>, Option<f64>),
    locks: &Locks,
) -> Option<Vec<usize>> {
    let Some(value) = section.get("looks") else {
        return Some(Vec::new());
    };
    let mut list: Vec<usize> = Vec::new();
    for item in &value.items(out)? {
        let index = locks.ids.resolve(out, item)?;
        if list.contains(&index) {
            repeated(
                out,
                &item.span,
                &words!("lock", "låsningen"),
                locks.ids.name(index).as_str(),
            );
        }
        list.push(index);
        let lock = locks.list.get(index)?.as_ref()?;
        let before = own.is_none_or(|own| index < own);
        if !(lock.interim && lock.alpha > 0.0 && before) {
            let id = &lock.id;
            out.error(
                "look-spends-nothing",
                &item.span,
                words!(
                    "`{id}` is no look: a look is an interim lock with an `alpha` above 0, before the analysis' own lock",
                    "`{id}` är ingen titt: en titt är en interimslåsning med `alpha` större än 0, före analysens egen låsning"
                ),
                words!(
                    "give the interim lock the alpha that it may spend, for example `alpha = 0.003`; `lottning boundaries` helps to choose",
                    "ge interimslåsningen det alfa som den får förbruka, till exempel `alpha = 0.003`; `lottning boundaries` hjälper till att välja"
                ),
            );
            return None;
        }
    }
    list.sort_unstable();
    if role.is_some_and(|role| role != Role::Primary) {
        out.error(
            "look-not-primary",
            &section.key_span("looks"),
            words!(
                "only the primary analysis spends alpha at interim looks",
                "bara den primära analysen förbrukar alfa vid tittar på vägen"
            ),
            words!("remove `looks`", "ta bort `looks`"),
        );
        return None;
    }
    let spent: f64 = list
        .iter()
        .filter_map(|index| Some(locks.list.get(*index)?.as_ref()?.alpha))
        .sum();
    if alpha.is_some_and(|alpha| spent >= alpha) {
        out.error(
            "look-spends-all",
            &section.key_span("looks"),
            words!(
                "the looks spend {spent}, and nothing of the analysis' alpha is left for its own lock",
                "tittarna förbrukar {spent}, och inget av analysens alfa återstår till dess egen låsning"
            ),
            words!(
                "let the looks spend less than `alpha`",
                "låt tittarna förbruka mindre än `alpha`"
            ),
        );
        return None;
    }
    Some(list)
}
