//! Small counts that are not shown, and those beside them that would give them back.
//!
//! Counts are cells of one system of sums (a total and its parts). A count from 1 to a bound is masked as small; 0 is shown.
//! Then, while a masked count can be worked out from what is shown, the smallest count that could hide it is masked too. A
//! count is safe when another set of whole numbers fits everything that is shown and has another value for it: such a set is
//! looked for, so that a count is called safe on a proof and never on a rule alone. Last, what proves idle is shown again. Whoever reads is taken to know the sums,
//! the bound and how the masks are chosen.

/// A count of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(usize);

/// How a count may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Count(u32),
    /// As less than the bound, and not 0.
    Small,
    /// Not at all: it is the bound or more, and would give a small one away.
    Masked,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    value: u32,
    /// Never printed, but a reader can work it out.
    derived: bool,
    masked: bool,
}

/// Counts with their sums.
#[derive(Debug, Clone)]
pub struct Counts {
    below: u32,
    cells: Vec<Cell>,
    /// Total, parts.
    sums: Vec<(usize, Vec<usize>)>,
}

/// Most steps in the search for another set of numbers; beyond them a count is taken to be exposed, and more is masked.
const STEPS: usize = 5_000;

impl Counts {
    /// No counts yet; those from 1 to `below` − 1 are small.
    pub fn new(below: u32) -> Self {
        Self {
            below,
            cells: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// A count that is to be shown.
    pub fn count(&mut self, value: u32) -> Place {
        self.add(value, false)
    }

    /// A total that is to be shown, and its parts.
    pub fn total(&mut self, value: u32, parts: &[Place]) -> Place {
        let total = self.count(value);
        self.sum(total, parts);
        total
    }

    /// That parts make up a total. What they leave over is a part that nobody prints.
    pub fn sum(&mut self, total: Place, parts: &[Place]) {
        let seen: u32 = parts.iter().map(|part| self.cells[part.0].value).sum();
        let mut list: Vec<usize> = parts.iter().map(|part| part.0).collect();
        let value = self.cells[total.0].value;
        // Parts that are more than their total are no parts of it.
        let Some(rest) = value.checked_sub(seen) else {
            return;
        };
        if rest > 0 || parts.len() < 2 {
            list.push(self.add(rest, true).0);
        }
        self.sums.push((total.0, list));
    }

    /// A count that is printed nowhere and that a reader can work out from others.
    pub fn derived(&mut self, value: u32) -> Place {
        self.add(value, true)
    }

    /// The count itself.
    pub fn value(&self, place: Place) -> u32 {
        self.cells.get(place.0).map_or(0, |cell| cell.value)
    }

    fn add(&mut self, value: u32, derived: bool) -> Place {
        let masked = derived || self.is_small(value);
        self.cells.push(Cell {
            value,
            derived,
            masked,
        });
        Place(self.cells.len() - 1)
    }

    /// Whether a count is small.
    pub fn is_small(&self, value: u32) -> bool {
        (1..self.below).contains(&value)
    }

    /// How each count may be shown, by its place; `None` where nothing short of showing nothing would do.
    pub fn suppress(mut self) -> Option<Masks> {
        while let Some(exposed) = (0..self.cells.len()).find(|cell| self.is_exposed(*cell)) {
            let next = self.next_to_mask(exposed)?;
            self.cells[next].masked = true;
        }
        self.unmask();
        Some(Masks(
            self.cells
                .iter()
                .map(|cell| match (cell.masked, self.is_small(cell.value)) {
                    (false, _) => Shown::Count(cell.value),
                    (true, true) => Shown::Small,
                    (true, false) => Shown::Masked,
                })
                .collect(),
        ))
    }

    /// Shows again what need not be masked, the greatest first: masks were put one by one, and later ones made some idle.
    fn unmask(&mut self) {
        let mut own: Vec<usize> = (0..self.cells.len())
            .filter(|cell| {
                let own = self.cells[*cell];
                own.masked && !own.derived && !self.is_small(own.value)
            })
            .collect();
        own.sort_by_key(|cell| (std::cmp::Reverse(self.cells[*cell].value), *cell));
        for cell in own {
            let before = self.cells.clone();
            self.cells[cell].masked = false;
            // What can then be worked out is no longer hidden, and is shown as well, unless it is small.
            while let Some(exposed) = (0..self.cells.len()).find(|own| self.is_exposed(*own)) {
                if self.is_small(self.cells[exposed].value) {
                    self.cells = before;
                    break;
                }
                self.cells[exposed].masked = false;
            }
        }
    }

    /// Whether a count that must not be known can be worked out.
    fn is_exposed(&self, cell: usize) -> bool {
        let own = self.cells[cell];
        let protects = own.masked && (!own.derived || self.is_small(own.value));
        protects && !self.has_another(cell)
    }

    /// The count to mask for one that is exposed: the smallest shown one of its sums, parts first; else the smallest of all.
    fn next_to_mask(&self, exposed: usize) -> Option<usize> {
        let shown = |cell: &usize| !self.cells[*cell].masked && self.cells[*cell].value > 0;
        let own = self
            .sums
            .iter()
            .filter(|(total, parts)| *total == exposed || parts.contains(&exposed));
        let least = |cells: &mut dyn Iterator<Item = usize>| {
            cells
                .filter(shown)
                .min_by_key(|cell| (self.cells[*cell].value, *cell))
        };
        least(&mut own.clone().flat_map(|(_, parts)| parts.iter().copied()))
            .or_else(|| least(&mut own.map(|(total, _)| *total)))
            .or_else(|| least(&mut (0..self.cells.len())))
    }

    /// Whether other numbers fit all that is shown, with another value for a count.
    fn has_another(&self, cell: usize) -> bool {
        [1, -1].into_iter().any(|step| {
            let mut moved = vec![0_i64; self.cells.len()];
            let mut steps = STEPS;
            self.may_be(cell, step) && {
                moved[cell] = step;
                self.repaired(&mut moved, &mut steps)
            }
        })
    }

    /// Whether a reader must allow that a count is so many more than it is.
    fn may_be(&self, cell: usize, step: i64) -> bool {
        let own = self.cells[cell];
        let value = i64::from(own.value) + step;
        let bound = i64::from(self.below);
        match (own.masked, own.derived, self.is_small(own.value)) {
            (false, ..) => step == 0,
            (true, true, _) => value >= 0,
            (true, false, true) => (1..bound).contains(&value),
            (true, false, false) => value >= bound,
        }
    }

    /// Makes every sum right again by moving counts that were not moved yet by one.
    fn repaired(&self, moved: &mut [i64], steps: &mut usize) -> bool {
        let wrong = self.sums.iter().find_map(|(total, parts)| {
            let of_parts: i64 = parts.iter().map(|part| moved[*part]).sum();
            let excess = of_parts - moved[*total];
            (excess != 0).then_some((total, parts, excess))
        });
        let Some((total, parts, excess)) = wrong else {
            return true;
        };
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        let towards = -excess.signum();
        let parts = parts.iter().map(|part| (*part, towards));
        for (cell, step) in parts.chain(std::iter::once((*total, -towards))) {
            if moved[cell] != 0 || !self.may_be(cell, step) {
                continue;
            }
            moved[cell] = step;
            if self.repaired(moved, steps) {
                return true;
            }
            moved[cell] = 0;
        }
        false
    }
}

/// How the counts of a system may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masks(Vec<Shown>);

impl Masks {
    /// How a count may be shown.
    pub fn at(&self, place: Place) -> Shown {
        self.0.get(place.0).copied().unwrap_or(Shown::Masked)
    }
}
