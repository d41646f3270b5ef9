//! The table of the power at the target and at what capacity allows, or where enrolment stops before that.

use super::both;
use crate::app::check::Checked;
use crate::cli::output::{Cell, Grid, Shown};
use crate::planning::ratios::share_of_alpha;
use crate::words;

pub(super) fn power(checked: &Checked) -> Grid {
    let assumed = checked.protocol.sample_size.assumed;
    let control = both(assumed.control, Shown::Percent(1));
    let treated = both(assumed.control + assumed.effect, Shown::Percent(1));
    let alpha = both(assumed.alpha, Shown::Significant(1));
    let (sides_en, sides_sv) = if assumed.sides == 1 {
        ("one-sided", "ensidigt")
    } else {
        ("two-sided", "tvåsidigt")
    };
    let ((control_en, control_sv), (treated_en, treated_sv)) = (control, treated);
    let (alpha_en, alpha_sv) = alpha;
    let mut grid = Grid::new()
        .title(words!(
            "Power to tell {treated_en} from {control_en} (alpha {alpha_en}, {sides_en}, pooled formula)",
            "Styrka att skilja {treated_sv} från {control_sv} (alfa {alpha_sv}, {sides_sv}, poolad formel)"
        ))
        .column("at", words!("at", "vid"))
        .column("families", words!("families", "familjer"))
        .column("arm", words!("arm", "arm"))
        .column("n_treated", words!("n arm", "n arm"))
        .column("n_control", words!("n control", "n jämförelse"))
        .column("power", words!("power", "styrka"));
    let share = share_of_alpha(&checked.protocol);
    if let Some(share) = share {
        // By Holm's rule the smallest p of several arms is judged by this.
        let (en, sv) = both(share, Shown::Significant(2));
        grid = grid.column(
            "power_at_share",
            words!(
                "power at alpha {en} (Holm, first)",
                "styrka vid alfa {sv} (Holm, först)"
            ),
        );
    }
    let limit = if checked.stop_binds {
        words!("stop", "stoppet")
    } else {
        words!("capacity", "kapaciteten")
    };
    let cases = [
        (words!("target", "målet"), &checked.at_target),
        (limit, &checked.at_capacity),
    ];
    for (at, rows) in cases {
        for row in rows {
            let cells = [
                Cell::Words(at.clone()),
                Cell::Whole(row.families as i64),
                Cell::text(&row.arm),
                Cell::Whole(row.n_treated as i64),
                Cell::Whole(row.n_control as i64),
                Cell::number(row.power, Shown::Percent(1)),
            ];
            let at_share = share.map(|_| Cell::number(row.power_at_share, Shown::Percent(1)));
            grid.row(cells.into_iter().chain(at_share));
        }
    }
    grid
}
