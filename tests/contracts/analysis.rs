//! Laws of running a registered plan.

use crate::made_up::{IUH, LAST, protocol, study};
use lottning::analysis::{Plan, RunSettings, Workspace, run};

#[test]
fn the_light_path_and_the_full_path_give_the_same_numbers() {
    let study = study(protocol(IUH), 330, 1);
    let (protocol, state) = (&study.protocol, &study.state);
    let plan = Plan::registered(protocol, 1);
    let mut effects = Vec::new();
    plan.effects(
        protocol,
        state,
        LAST,
        &mut Workspace::default(),
        &mut effects,
    );
    let full = run(protocol, state, &plan, LAST, &RunSettings::default());
    assert_eq!(effects.len(), 2);
    for (light, full) in effects.iter().zip(&full.analyses) {
        let light = light.as_ref().unwrap();
        let row = &full.results[0];
        assert_eq!(Some(light.estimate), row.estimate);
        assert_eq!(Some(light.std_error), row.std_error);
        assert_eq!(light.p_value, row.p_value);
        assert_eq!(light.conf_low, row.conf_low);
    }
}
