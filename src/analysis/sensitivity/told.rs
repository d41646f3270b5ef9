//! What is told of a multiple imputation: whose unknown outcomes go by the whole arm.

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
