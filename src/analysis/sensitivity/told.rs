//! What is told of a multiple imputation: where it goes by fewer columns than registered, and whose unknown outcomes go by the whole
//! arm.

use crate::estimation::Warning;
use crate::estimation::arm_imputation::Unlike;
use crate::words;

/// Unknown families of an arm of whose kind none is known, by the names of the columns; none where there are no such.
pub(super) fn whole_arm(arm: &str, unlike: &Unlike, names: &[String]) -> Option<Warning> {
    let number = unlike.rows.len();
    if number == 0 {
        return None;
    }
    let names = unlike.columns.iter().filter_map(|own| names.get(*own));
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    Some(Warning::new(
        "imputed-by-whole-arm",
        words!(
            "in {arm} no family with a known outcome is of the kind of {number} with an unknown one, by {names}: none of their kind stands for them, and their outcomes are imputed by all known ones of the arm",
            "i {arm} är ingen familj med känt utfall av samma slag som {number} med okänt, enligt {names}: ingen av deras slag står för dem, och deras utfall imputeras efter alla kända i gruppen"
        ),
    ))
}

/// That the imputations of an arm go by fewer columns than there are; none where they go by all.
pub(super) fn reduced(arm: &str, [used, full]: [usize; 2]) -> Option<Warning> {
    (used < full).then(|| {
        Warning::new(
            "imputation-model-reduced",
            words!(
                "in {arm} there are too few families with a known outcome, or with the rarer one of two, for all covariates: the imputations there go by {used} of {full} columns",
                "i {arm} är det för få familjer med känt utfall, eller med det ovanligare av två, för alla kovariater: imputeringarna där går efter {used} av {full} kolumner"
            ),
        )
    })
}
