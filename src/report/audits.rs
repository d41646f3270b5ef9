//! The audits by redraws in the documents: the test of balance, and of who is unknown.

use crate::analysis::results::{Balance, Missingness};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use serde_json::{Value, json};

/// The test of balance; `text` gives sentences in one language or in both.
pub fn balance(own: &Balance, text: impl Fn(&Words) -> Value) -> Value {
    let warnings: Vec<Value> = own
        .warnings
        .iter()
        .map(|own| json!({ "code": own.code, "message": text(&own.message) }))
        .collect();
    match &own.test {
        Ok(test) => json!({
            "characteristics": test.characteristics,
            "statistic": test.statistic,
            "p_value": test.p_value,
            "p_smallest": test.p_smallest,
            "exact": test.exact,
            "draws": test.draws,
            "mcse": test.mcse,
            "why_none": null,
            "warnings": warnings,
        }),
        Err(error) => json!({ "p_value": null, "why_none": error.code(), "warnings": warnings }),
    }
}

/// Who is unknown, by arm, and the test of each treated arm; `null` where nobody is.
pub fn missingness(protocol: &Protocol, own: Option<&Missingness>) -> Value {
    let Some(own) = own else {
        return Value::Null;
    };
    let arm = |arm: crate::allocation::Arm| protocol.arms.get(arm.index()).map(|arm| &arm.id);
    let arms = own.arms.iter();
    let arms = arms.map(|own| json!({ "arm": arm(own.arm), "unknown": own.unknown, "of": own.of }));
    let tests = own.tests.iter().map(|own| {
        let found = own.found.as_ref();
        json!({
            "arm": arm(own.arm),
            "difference": own.difference,
            "p_value": found.map(|found| found.p_value).ok(),
            "exact": found.map(|found| found.exact).ok(),
            "draws": found.map(|found| found.draws).ok(),
            "failed": found.map(|found| found.failed).ok(),
            "mcse": found.map(|found| found.mcse).ok(),
            "why_none": found.err().map(crate::analysis::results::TestError::code),
        })
    });
    json!({ "arms": arms.collect::<Vec<_>>(), "tests": tests.collect::<Vec<_>>() })
}
