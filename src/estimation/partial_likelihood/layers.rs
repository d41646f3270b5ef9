//! Nested risk sets as layers of rows, for followers who are all at risk from the beginning.
//!
//! From the last time of a stratum down, each layer is what the risk set gains: the rows that die at a time, or those
//! whose follow-up ends between two times. The sums over a risk set are running sums over layers, so that a row needs one
//! addition and no question about its time. A layer with one death takes the rows after it along. Where several die, the
//! sums without the dying are those of the layer before, and with `M_s` the mean of the layers up to s the terms
//! of Efron are `x̄_l = ((1 − a_l) A_s M_s + a_l A_{s−1} M_{s−1})/φ_l`, in which nothing is a difference: the sum of their
//! products is `Σ_s M_s (T M)_sᵀ` with a T of three diagonals and no negative element.

use super::frame::Frame;
use super::sums::{LogSum, add_row};
use crate::estimation::settings::Ties;
use crate::numerics::linear_algebra::{dots, sum};
use std::ops::Range;

/// Layers that are summed at a time.
const BLOCK: usize = 256;

/// A block's storage: nothing, the last layer of the block before, its own layers, nothing.
const ROOM: usize = BLOCK + 3;

/// Place of the first layer of a block.
const FIRST: usize = 2;

/// Rows from which a layer is summed by lanes.
const LONG: usize = 16;

/// The layers of all strata, one stratum after the other; each begins with an empty one.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    /// Layer by position; of no meaning for a row that is at risk at no time.
    of: Vec<u32>,
    /// Deaths by layer.
    deaths: Vec<u32>,
    /// Layers with several deaths.
    several: Vec<u32>,
    /// Layers of each stratum, as an end.
    strata: Vec<usize>,
    stretches: Vec<Stretch>,
    blocks: Vec<Block>,
}

/// Rows of one long layer, or of several short ones; `from` and `to` are positions.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: u32,
    to: u32,
    /// The first of its layers.
    layer: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A stratum begins, without a row.
    Empty,
    Long,
    Short,
}

impl Stretch {
    fn rows(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

/// At most [`BLOCK`] layers, as ends.
#[derive(Debug, Clone, Copy)]
struct Block {
    layers: usize,
    stretches: usize,
    several: usize,
    /// Whether every layer with rows has one death.
    plain: bool,
}

impl Layers {
    /// Of a frame with nested risk sets.
    pub(super) fn new(frame: &Frame) -> Self {
        let mut layers = Self {
            of: vec![0; frame.len()],
            ..Self::default()
        };
        for part in frame.parts() {
            layers.push(part.rows.end..part.rows.end, 0, Kind::Empty);
            let mut end = part.rows.end;
            for event in frame.times[part.times].iter().rev() {
                let dying = event.dying();
                if event.deaths == 1 {
                    layers.push_rows(dying.start..end, 1);
                } else {
                    if dying.end < end {
                        layers.push_rows(dying.end..end, 0);
                    }
                    layers.several.push(layers.deaths.len() as u32);
                    layers.push_rows(dying.clone(), event.deaths);
                }
                end = dying.start;
            }
            layers.strata.push(layers.deaths.len());
        }
        layers
    }

    fn push_rows(&mut self, rows: Range<usize>, deaths: usize) {
        let long = rows.len() >= LONG;
        self.of[rows.clone()].fill(self.deaths.len() as u32);
        self.push(rows, deaths, if long { Kind::Long } else { Kind::Short });
    }

    fn push(&mut self, rows: Range<usize>, deaths: usize, kind: Kind) {
        let layer = self.deaths.len();
        let full = layer.is_multiple_of(BLOCK);
        if full {
            self.blocks.push(Block {
                layers: layer,
                stretches: self.stretches.len(),
                several: 0,
                plain: true,
            });
        }
        self.deaths.push(deaths as u32);
        let (from, to) = (rows.start as u32, rows.end as u32);
        match self.stretches.last_mut() {
            Some(last) if !full && kind == Kind::Short && last.kind == kind => last.from = from,
            _ => self.stretches.push(Stretch {
                from,
                to,
                layer: layer as u32,
                kind,
            }),
        }
        if let Some(block) = self.blocks.last_mut() {
            block.layers = layer + 1;
            block.stretches = self.stretches.len();
            block.several = self.several.len();
            block.plain &= deaths == 1 || kind == Kind::Empty;
        }
    }
}

/// Sums over layers, in reused storage.
#[derive(Debug, Clone, Default)]
pub(super) struct Nested {
    /// `A₀` by layer; then the weight of a row of it, `Σ A₀ − A₁`, in the sum of its covariates.
    hazard: Vec<f64>,
    /// `A₁` of the layers with several deaths.
    share: Vec<f64>,
    terms: Box<Terms>,
    /// By column: `Σ w z` by layer of a block, then the mean.
    means: Vec<[f64; ROOM]>,
    /// `Σ w z` by column, over the layers that were walked.
    sums: Vec<f64>,
}

/// By layer of a block.
#[derive(Debug, Clone)]
struct Terms {
    /// Weight of the risk set, and its inverse, which is 0 for an empty one.
    total: [f64; ROOM],
    inverse: [f64; ROOM],
    /// T: its diagonal, and the elements of a layer with the one before.
    own: [f64; ROOM],
    beside: [f64; ROOM],
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            total: [0.0; ROOM],
            inverse: [0.0; ROOM],
            own: [0.0; ROOM],
            beside: [0.0; ROOM],
        }
    }
}

impl Nested {
    /// `Σ_t Σ_l ln φ_l`; adds `Σ_t Σ_l x̄_l x̄_lᵀ` to the lower triangle of `products`. `weight` by position, `z` column-major
    /// by position.
    pub(super) fn walk(
        &mut self,
        layers: &Layers,
        weight: &[f64],
        z: &[f64],
        ties: Ties,
        products: &mut [f64],
    ) -> f64 {
        let k = z.len() / weight.len().max(1);
        self.hazard.resize(layers.deaths.len(), 0.0);
        self.share.clear();
        self.means.resize(k, [0.0; ROOM]);
        self.sums.resize(k, 0.0);
        // Before the first block there is no layer.
        self.terms.total[1] = 0.0;
        for means in &mut self.means {
            means[1] = 0.0;
        }
        let mut log_risk = LogSum::new();
        let mut begin = Block {
            layers: 0,
            stretches: 0,
            several: 0,
            plain: true,
        };
        for end in &layers.blocks {
            let stretches = &layers.stretches[begin.stretches..end.stretches];
            let several = &layers.several[begin.several..end.several];
            let count = end.layers - begin.layers;
            let deaths = &layers.deaths[begin.layers..end.layers];
            self.walk_rows(layers, begin.layers, stretches, weight, z);
            self.take_single(begin.layers, deaths, &mut log_risk);
            for layer in several {
                self.take_several(layers, begin.layers, *layer as usize, ties, &mut log_risk);
            }
            for means in &mut self.means {
                let (from, to) = (FIRST, FIRST + count);
                let inverses = &self.terms.inverse[from..to];
                for (mean, inverse) in means[from..to].iter_mut().zip(inverses) {
                    *mean *= inverse;
                }
                means[to] = 0.0;
            }
            self.multiply(count, end.plain, products);
            // The last layer of a full block.
            self.terms.total[1] = self.terms.total[FIRST + BLOCK - 1];
            for means in &mut self.means {
                means[1] = means[FIRST + BLOCK - 1];
            }
            begin = *end;
        }
        log_risk.value()
    }

    /// Hazards and terms as if one row died in each layer that has deaths.
    fn take_single(&mut self, base: usize, deaths: &[u32], log_risk: &mut LogSum) {
        let hazard = &mut self.hazard[base..base + deaths.len()];
        let layers = FIRST..FIRST + deaths.len();
        let block = &mut *self.terms;
        let totals = &block.total[layers.clone()];
        let inverses = &mut block.inverse[layers.clone()];
        let owns = &mut block.own[layers.clone()];
        let terms = inverses.iter_mut().zip(owns).zip(hazard);
        let mut sum = *log_risk;
        for (((inverse, own), hazard), (total, deaths)) in terms.zip(totals.iter().zip(deaths)) {
            let event = *deaths > 0;
            *inverse = if *total > 0.0 { 1.0 / total } else { 0.0 };
            *own = if event { 1.0 } else { 0.0 };
            *hazard = if event { *inverse } else { 0.0 };
            sum.add(if event { *total } else { 1.0 });
        }
        *log_risk = sum;
        block.own[1] = 0.0;
        block.beside[1..=layers.end].fill(0.0);
    }

    /// The other terms of a layer with several deaths.
    fn take_several(
        &mut self,
        layers: &Layers,
        base: usize,
        layer: usize,
        ties: Ties,
        log_risk: &mut LogSum,
    ) {
        let deaths = layers.deaths[layer];
        let at = FIRST + layer - base;
        let block = &mut *self.terms;
        let (total, without) = (block.total[at], block.total[at - 1]);
        let mut share_of_all = 0.0;
        if ties == Ties::Breslow {
            block.own[at] = f64::from(deaths);
            self.hazard[layer] *= f64::from(deaths);
            log_risk.add_times(total, deaths - 1);
        } else {
            let step = 1.0 / f64::from(deaths);
            let mut hazard = 0.0;
            for l in 1..deaths {
                let share = f64::from(l) * step;
                let left = (1.0 - share) * total + share * without;
                log_risk.add(left);
                let part = 1.0 / left;
                hazard += part;
                share_of_all += share * part;
                // Weights may be too small for squares, their ratios are not.
                let (with, out) = ((1.0 - share) * (part * total), share * (part * without));
                block.own[at] += with * with;
                block.beside[at] += with * out;
                block.own[at - 1] += out * out;
            }
            self.hazard[layer] += hazard;
        }
        self.share.push(share_of_all);
    }

    /// `Σ w` and `Σ w z` by layer, several columns at a time, the weights beside the first ones: a running sum waits for itself,
    /// and several together do not wait longer than one.
    fn walk_rows(
        &mut self,
        layers: &Layers,
        base: usize,
        stretches: &[Stretch],
        weight: &[f64],
        z: &[f64],
    ) {
        let n = weight.len();
        let means = self.means.chunks_mut(4);
        let columns = z.chunks(4 * n).zip(self.sums.chunks_mut(4));
        let total = &mut self.terms.total;
        for (group, (means, (z, sums))) in means.zip(columns).enumerate() {
            let rows = (layers, base, stretches, weight, z);
            match (means.len(), group) {
                (1, 0) => walk_some::<1, true>(rows, total, means, sums),
                (2, 0) => walk_some::<2, true>(rows, total, means, sums),
                (3, 0) => walk_some::<3, true>(rows, total, means, sums),
                (_, 0) => walk_some::<4, true>(rows, total, means, sums),
                (1, _) => walk_some::<1, false>(rows, total, means, sums),
                (2, _) => walk_some::<2, false>(rows, total, means, sums),
                (3, _) => walk_some::<3, false>(rows, total, means, sums),
                (_, _) => walk_some::<4, false>(rows, total, means, sums),
            }
        }
    }

    /// Adds `M (T M)ᵀ` of a block.
    fn multiply(&self, count: usize, plain: bool, products: &mut [f64]) {
        let (means, k) = (&self.means, self.means.len());
        if plain {
            let own = FIRST..FIRST + count;
            for a in 0..k {
                let column = |column: usize| &means[column][own.clone()];
                add_row(products, k, a, column(a), column);
            }
            return;
        }
        // From the last layer of the block before on.
        let all = 1..FIRST + count;
        let mut product = [0.0; ROOM];
        let product = &mut product[all.clone()];
        let (own, beside) = (
            &self.terms.own[all.clone()],
            &self.terms.beside[1..=all.end],
        );
        for (a, mean) in means.iter().enumerate() {
            for (i, ((product, own), mean)) in
                product.iter_mut().zip(own).zip(mean.windows(3)).enumerate()
            {
                *product = own * mean[1] + (beside[i] * mean[0] + beside[i + 1] * mean[2]);
            }
            add_row(products, k, a, product, |column| {
                &means[column][all.clone()]
            });
        }
    }

    /// `u` of the rows that are at risk at some time, after [`Nested::walk`].
    pub(super) fn expect(&mut self, layers: &Layers, weight: &[f64], expected: &mut [f64]) {
        let mut begin = 0;
        for end in &layers.strata {
            let mut sum = 0.0;
            for hazard in self.hazard[begin..*end].iter_mut().rev() {
                sum += *hazard;
                *hazard = sum;
            }
            begin = *end;
        }
        for (layer, share) in layers.several.iter().zip(&self.share) {
            self.hazard[*layer as usize] -= share;
        }
        let hazard = &self.hazard;
        for stretch in &layers.stretches {
            let rows = stretch.rows();
            let weights = &weight[rows.clone()];
            let expected = expected[rows.clone()].iter_mut().zip(weights);
            if stretch.kind == Kind::Short {
                for ((expected, weight), layer) in expected.zip(&layers.of[rows]) {
                    *expected = weight * hazard[*layer as usize];
                }
            } else {
                let hazard = hazard[stretch.layer as usize];
                for (expected, weight) in expected {
                    *expected = weight * hazard;
                }
            }
        }
    }
}

/// `Σ w z` of some columns by layer of a block that begins with layer `base`, and `Σ w` where it is asked for (`TOTAL`); `z` holds
/// those columns or more.
fn walk_some<const N: usize, const TOTAL: bool>(
    (layers, base, stretches, weight, z): (&Layers, usize, &[Stretch], &[f64], &[f64]),
    total: &mut [f64; ROOM],
    means: &mut [[f64; ROOM]],
    all: &mut [f64],
) {
    let n = weight.len();
    let Some((means, _)) = means.split_first_chunk_mut::<N>() else {
        return;
    };
    let mut sums: [f64; N] = std::array::from_fn(|column| all[column]);
    let mut weights_sum = total[1];
    for stretch in stretches {
        let rows = stretch.rows();
        let weights = &weight[rows.clone()];
        let columns: [&[f64]; N] =
            std::array::from_fn(|column| &z[column * n..][rows.clone()][..weights.len()]);
        match stretch.kind {
            Kind::Empty => {
                sums = [0.0; N];
                weights_sum = 0.0;
            }
            Kind::Long => {
                let parts = dots(weights, columns);
                sums = std::array::from_fn(|column| sums[column] + parts[column]);
                if TOTAL {
                    weights_sum += sum(weights);
                }
            }
            Kind::Short => {
                // A layer's last row leaves the sum over all of it.
                for (row, (weight, layer)) in weights.iter().zip(&layers.of[rows]).enumerate().rev()
                {
                    let at = FIRST + *layer as usize - base;
                    if TOTAL {
                        weights_sum += weight;
                        total[at] = weights_sum;
                    }
                    for ((sum, column), means) in sums.iter_mut().zip(columns).zip(&mut *means) {
                        *sum += weight * column[row];
                        means[at] = *sum;
                    }
                }
                continue;
            }
        }
        let at = FIRST + stretch.layer as usize - base;
        if TOTAL {
            total[at] = weights_sum;
        }
        for (sum, means) in sums.iter().zip(means.iter_mut()) {
            means[at] = *sum;
        }
    }
    all[..N].copy_from_slice(&sums);
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::Work;
    use super::super::frame::Frame;
    use crate::estimation::follow_up::FollowUp;
    use crate::estimation::settings::Ties;

    const ROWS: usize = 900;

    /// Times from 1 to `days`, those of every seventh row longest and all alike.
    fn frame(days: usize, strata: Option<&[u32]>) -> Frame {
        let mut follow_up = FollowUp::default();
        for row in 0..ROWS {
            let day = if row % 7 == 0 {
                days + 1
            } else {
                row * 7919 % days + 1
            };
            follow_up.analysed.outcome.push(day as f64);
            follow_up
                .event
                .push(u32::from(row % 3 != 1 && row % 50 > 5));
        }
        Frame::new(&follow_up, strata)
    }

    /// Beside the sums that take row by row, which serve late entry: few and many ties, times in one block and in several,
    /// long strata and strata of one or two rows, of which some never have an event.
    #[test]
    fn layers_are_the_sums_row_by_row() {
        let z: Vec<f64> = (0..5 * ROWS)
            .map(|at| ((at * 31 + at / ROWS * 17) % 101) as f64 / 50.0 - 1.0)
            .collect();
        let (dying, beta) = ([3.0, -2.0, 0.5, 1.0, 4.0], [0.3, -0.2, 0.1, 0.5, -0.4]);
        let five: Vec<u32> = (0..ROWS).map(|row| row as u32 % 5).collect();
        let pairs: Vec<u32> = (0..ROWS).map(|row| row as u32 * 2 / 3).collect();
        for days in [1, 11, 150, 100_003] {
            for strata in [None, Some(&five[..]), Some(&pairs[..])] {
                for (ties, beta) in [
                    (Ties::Efron, beta),
                    (Ties::Breslow, beta),
                    (Ties::Efron, [0.0; 5]),
                ] {
                    let layered = frame(days, strata);
                    let mut single = layered.clone();
                    single.layers = None;
                    let [mut quick, mut slow] = [Work::default(), Work::default()];
                    // Twice, so that storage is used again.
                    quick.evaluate(&layered, &z, &dying, ties, &[0.1; 5]);
                    let own = quick.evaluate(&layered, &z, &dying, ties, &beta);
                    let other = slow.evaluate(&single, &z, &dying, ties, &beta);
                    assert!((own / other - 1.0).abs() < 1e-13, "{own} and {other}");
                    let near = |own: &[f64], other: &[f64]| {
                        let mut pairs = own.iter().zip(other);
                        own.len() == other.len()
                            && pairs.all(|(own, other)| (own - other).abs() < 1e-10)
                    };
                    assert!(near(&quick.expected, &slow.expected), "{days} {ties:?}");
                    assert!(near(&quick.score, &slow.score), "{days} {ties:?}");
                    for b in 0..5 {
                        let rows = b * 5 + b..b * 5 + 5;
                        let (own, other) =
                            (&quick.information[rows.clone()], &slow.information[rows]);
                        assert!(near(own, other), "{days} {ties:?}");
                    }
                }
            }
        }
    }
}
