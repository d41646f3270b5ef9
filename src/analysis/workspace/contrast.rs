//! The rows of two arms that are compared.

use crate::allocation::Arm;
use crate::estimation::Arm as Side;
use crate::study::dataset::Unit;

/// Of the sampled rows those of two arms, in storage that is used again.
#[derive(Debug, Default)]
pub(super) struct Contrast {
    pub(super) rows: Vec<u32>,
    pub(super) side: Vec<Side>,
    pub(super) y: Vec<f64>,
    /// Rows of control and treated.
    pub(super) n: [u32; 2],
}

impl Contrast {
    /// Takes the rows of `control` and `treated` with their outcomes, in their order.
    pub(super) fn take(
        &mut self,
        units: &[Unit],
        (rows, y): (&[u32], &[f64]),
        (control, treated): (Arm, Arm),
    ) {
        self.rows.resize(rows.len(), 0);
        self.side.resize(rows.len(), Side::Control);
        self.y.resize(rows.len(), 0.0);
        let (mut kept, mut treated_rows) = (0, 0);
        // Without a branch, since no processor guesses an arm: the next row is written over one of another arm.
        for (row, y) in rows.iter().zip(y) {
            let arm = units[*row as usize].arm;
            let (is_treated, is_control) = (arm == treated, arm == control);
            self.rows[kept] = *row;
            self.side[kept] = if is_treated {
                Side::Treated
            } else {
                Side::Control
            };
            self.y[kept] = *y;
            treated_rows += u32::from(is_treated);
            kept += usize::from(is_treated) | usize::from(is_control);
        }
        self.rows.truncate(kept);
        self.side.truncate(kept);
        self.y.truncate(kept);
        self.n = [kept as u32 - treated_rows, treated_rows];
    }
}
