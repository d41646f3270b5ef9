//! Where the boxes and arrows of the participant flow go, as data: computed first, drawn afterwards.
//!
//! Heights follow from wrapped text, widths from the number of arms, so labels of any length and two to eight arms
//! fit without overlap; a property test checks that. What the boxes say is decided in `flow`.

use crate::report::svg::{ACCENT, Anchor, Canvas, INK, LINE, Weight, wrap};

/// A box: a heading and the lines under it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Block {
    pub(super) heading: String,
    pub(super) items: Vec<String>,
}

/// Everything that the flow says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FlowText {
    pub(super) screened: Block,
    pub(super) excluded: Block,
    pub(super) randomized: Block,
    /// Per arm its stages from top to bottom; each arm has the same number.
    pub(super) arms: Vec<Vec<Block>>,
}

/// A line of text in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) x: f64,
    pub(super) baseline: f64,
    pub(super) text: String,
    pub(super) weight: Weight,
}

/// A box in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
    pub(super) lines: Vec<Line>,
    /// Whether the box is on the main path, not beside it.
    pub(super) main: bool,
}

impl Placed {
    fn bottom(&self) -> f64 {
        self.y + self.h
    }

    fn centre(&self) -> f64 {
        self.x + self.w / 2.0
    }
}

/// The whole drawing as data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Placed>,
    pub(super) arrows: Vec<Vec<(f64, f64)>>,
}

/// Font size of all text.
pub(super) const SIZE: f64 = 12.5;
const LEADING: f64 = 16.5;
const MARGIN: f64 = 6.0;
const PAD: f64 = 9.0;
const INDENT: f64 = 8.0;
const ITEM_GAP: f64 = 2.0;
const COLUMN_GAP: f64 = 16.0;
const STAGE_GAP: f64 = 26.0;
const LEAST_COLUMN: f64 = 165.0;

/// Sets a block at a place with a given width; the height follows from the text.
fn set(block: &Block, x: f64, y: f64, w: f64, main: bool) -> Placed {
    let mut lines = Vec::new();
    let mut baseline = y + PAD + SIZE * 0.82;
    for text in wrap(&block.heading, SIZE, Weight::Bold, w - 2.0 * PAD) {
        lines.push(Line {
            x: x + PAD,
            baseline,
            text,
            weight: Weight::Bold,
        });
        baseline += LEADING;
    }
    for item in &block.items {
        baseline += ITEM_GAP;
        for (i, text) in wrap(item, SIZE, Weight::Normal, w - 2.0 * PAD - INDENT)
            .into_iter()
            .enumerate()
        {
            lines.push(Line {
                x: x + PAD + if i == 0 { 0.0 } else { INDENT },
                baseline,
                text,
                weight: Weight::Normal,
            });
            baseline += LEADING;
        }
    }
    // The last baseline stands one leading below the last line.
    let h = baseline - LEADING + SIZE * 0.28 + PAD - y;
    Placed {
        x,
        y,
        w,
        h,
        lines,
        main,
    }
}

/// Computes the layout.
pub(super) fn layout(text: &FlowText) -> Layout {
    let arms = text.arms.len().max(1) as f64;
    let width = (2.0 * MARGIN + arms * LEAST_COLUMN + (arms - 1.0) * COLUMN_GAP).max(720.0);
    let middle = width / 2.0;
    let mut boxes = Vec::new();
    let mut arrows = Vec::new();

    let top_width = 300.0;
    let screened = set(
        &text.screened,
        middle - top_width / 2.0,
        MARGIN,
        top_width,
        true,
    );
    let side_x = middle + 28.0;
    let side = set(
        &text.excluded,
        side_x,
        screened.bottom() + STAGE_GAP * 0.7,
        width - MARGIN - side_x,
        false,
    );
    let randomized = set(
        &text.randomized,
        middle - top_width / 2.0,
        side.bottom() + STAGE_GAP * 0.7,
        top_width,
        true,
    );
    arrows.push(vec![(middle, screened.bottom()), (middle, randomized.y)]);
    let side_middle = side.y + side.h / 2.0;
    arrows.push(vec![(middle, side_middle), (side.x, side_middle)]);

    let column = (width - 2.0 * MARGIN - (arms - 1.0) * COLUMN_GAP) / arms;
    let stages = text.arms.iter().map(Vec::len).max().unwrap_or(0);
    let split = randomized.bottom() + STAGE_GAP * 0.6;
    let mut y = split + STAGE_GAP * 0.8;
    let mut bottom = randomized.bottom();
    let mut above: Vec<Option<Placed>> = vec![None; text.arms.len()];
    for stage in 0..stages {
        let mut row: Vec<(usize, Placed)> = text
            .arms
            .iter()
            .enumerate()
            .filter_map(|(arm, blocks)| {
                let block = blocks.get(stage)?;
                let x = MARGIN + arm as f64 * (column + COLUMN_GAP);
                Some((arm, set(block, x, y, column, true)))
            })
            .collect();
        let tallest = row.iter().map(|(_, b)| b.h).fold(0.0, f64::max);
        for (arm, placed) in &mut row {
            placed.h = tallest;
            let centre = placed.centre();
            if let Some(slot) = above.get_mut(*arm) {
                arrows.push(match slot {
                    None => vec![
                        (middle, randomized.bottom()),
                        (middle, split),
                        (centre, split),
                        (centre, placed.y),
                    ],
                    Some(before) => vec![(centre, before.bottom()), (centre, placed.y)],
                });
                *slot = Some(placed.clone());
            }
        }
        bottom = y + tallest;
        y = bottom + STAGE_GAP;
        boxes.extend(row.into_iter().map(|(_, placed)| placed));
    }
    boxes.extend([screened, side, randomized]);
    Layout {
        width,
        height: bottom + MARGIN,
        boxes,
        arrows,
    }
}

impl Layout {
    /// Draws the boxes and arrows.
    pub(super) fn draw(&self) -> Canvas {
        let mut canvas = Canvas::new(self.width);
        for arrow in &self.arrows {
            canvas.arrow(arrow, LINE);
        }
        for placed in &self.boxes {
            let (fill, stroke) = if placed.main {
                ("#f5f8fb", ACCENT)
            } else {
                ("#ffffff", LINE)
            };
            canvas.rect((placed.x, placed.y, placed.w, placed.h), fill, Some(stroke));
            for line in &placed.lines {
                canvas.text(
                    line.x,
                    line.baseline,
                    &line.text,
                    (SIZE, line.weight, Anchor::Start, INK),
                );
            }
        }
        canvas
    }

    /// Every violated promise of the layout: overlapping boxes, text outside its box, a box outside the drawing.
    #[cfg(test)]
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (i, a) in self.boxes.iter().enumerate() {
            if a.x < 0.0 || a.y < 0.0 || a.x + a.w > self.width || a.bottom() > self.height {
                faults.push(format!("box {i} is outside the drawing"));
            }
            for (j, b) in self.boxes.iter().enumerate().skip(i + 1) {
                let apart =
                    a.x + a.w <= b.x || b.x + b.w <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
                if !apart {
                    faults.push(format!("boxes {i} and {j} overlap"));
                }
            }
            for line in &a.lines {
                let end = line.x + crate::report::svg::width(&line.text, SIZE, line.weight);
                let inside = line.x >= a.x
                    && end <= a.x + a.w
                    && line.baseline - SIZE * 0.8 >= a.y
                    && line.baseline + SIZE * 0.25 <= a.bottom();
                if !inside {
                    faults.push(format!("box {i} does not hold {:?}", line.text));
                }
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, FlowText, layout};
    use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

    fn block() -> impl Strategy<Value = Block> {
        (
            "[A-Za-zåäöÅÄÖ<>&–−0-9 -]{0,120}",
            prop::collection::vec("[A-Za-zåäöW\u{a0} -]{0,90}", 0..8),
        )
            .prop_map(|(heading, items)| Block { heading, items })
    }

    fn flow() -> impl Strategy<Value = FlowText> {
        (2_usize..=8, 1_usize..5).prop_flat_map(|(arms, stages)| {
            (
                block(),
                block(),
                block(),
                prop::collection::vec(prop::collection::vec(block(), stages), arms),
            )
                .prop_map(|(screened, excluded, randomized, arms)| FlowText {
                    screened,
                    excluded,
                    randomized,
                    arms,
                })
        })
    }

    proptest! {
        #[test]
        fn boxes_never_overlap_and_text_stays_inside(text in flow()) {
            prop_assert_eq!(layout(&text).faults(), Vec::<String>::new());
        }
    }
}
