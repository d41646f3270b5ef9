//! A list on its own: arms for arrivals in order, in the mode `draw`. A study draws in its own mode, one family at a
//! time, and can never be foretold by such a list.

use super::method::{Design, Levels, Sequence, allocate};
use super::seed::Seed;
use super::streams::{Address, Mode, StratumKeys};
use super::weights::Arm;
use std::collections::BTreeMap;

/// One allocation of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number of the arrival over the whole list, from 1.
    pub sequence: u64,
    /// The levels as [`stratum_label`] joins them; empty without strata.
    pub stratum: String,
    /// The arm drawn.
    pub arm: Arm,
}

/// The levels of a stratum joined by `/`. Where several levels are joined, a `/` or `\` inside one has `\` before it, so
/// that two strata never have the same label.
///
/// ```
/// use lottning::allocation::stratum_label;
/// assert_eq!(stratum_label(&["north", "f"]), "north/f");
/// assert_eq!(stratum_label(&["p/q", "r"]), r"p\/q/r");
/// assert_eq!(stratum_label(&["p", "q/r"]), r"p/q\/r");
/// assert_eq!(stratum_label(&["p/q"]), "p/q"); // nothing is joined
/// ```
pub fn stratum_label<Level: AsRef<str>>(levels: &[Level]) -> String {
    match levels {
        [one] => one.as_ref().to_owned(),
        several => {
            let level = |level: &Level| level.as_ref().replace('\\', r"\\").replace('/', r"\/");
            several.iter().map(level).collect::<Vec<_>>().join("/")
        }
    }
}

struct Stratum {
    keys: StratumKeys,
    sequence: Box<dyn Sequence>,
    drawn: u64,
}

/// Draws an arm for each arrival, given by its levels (none without strata), in order.
///
/// Keys have mode `draw`, study `draw` and epoch 0 (`docs/allocation-spec.md`). A stratum's arms do not depend on
/// how other strata's arrivals fall between, and a shorter list is the beginning of a longer one.
///
/// ```
/// use lottning::allocation::{Options, Seed, choose, list, read_ratio};
///
/// let seed = Seed::from_hex(&"0f".repeat(32)).map_err(|error| error.to_string())?;
/// let ratio = read_ratio("1:1").map_err(|refusal| refusal.message.en)?;
/// let design = choose("permuted-block", &ratio, &Options::default(), None)
///     .map_err(|all| all[0].message.en.clone())?;
/// let rows = list(&*design, &seed, std::iter::repeat_n([""; 0], 8));
/// assert_eq!(rows.len(), 8);
/// // Two whole blocks of four: four units in each arm.
/// assert_eq!(rows.iter().filter(|row| row.arm.index() == 0).count(), 4);
/// # Ok::<(), String>(())
/// ```
pub fn list<Strata, Level>(
    design: &dyn Design,
    seed: &Seed,
    arrivals: impl IntoIterator<Item = Strata>,
) -> Vec<Row>
where
    Strata: AsRef<[Level]>,
    Level: AsRef<str>,
{
    let none = Levels::default();
    balanced_list(design, seed, arrivals.into_iter().map(|own| (own, none)))
}

/// As [`list`], for arrivals that also have levels of the factors that the method balances.
pub fn balanced_list<Strata, Level>(
    design: &dyn Design,
    seed: &Seed,
    arrivals: impl IntoIterator<Item = (Strata, Levels)>,
) -> Vec<Row>
where
    Strata: AsRef<[Level]>,
    Level: AsRef<str>,
{
    let mut strata: BTreeMap<Vec<String>, Stratum> = BTreeMap::new();
    let mut rows = Vec::new();
    for (arrival, factors) in arrivals {
        let levels: Vec<&str> = arrival.as_ref().iter().map(AsRef::as_ref).collect();
        let own: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
        let stratum = strata.entry(own).or_insert_with(|| {
            let mut keys = StratumKeys::derive(
                seed,
                &Address {
                    mode: Mode::Draw,
                    study: "draw",
                    epoch: 0,
                    levels: &levels,
                },
            );
            let sequence = design.begin(&mut keys);
            Stratum {
                keys,
                sequence,
                drawn: 0,
            }
        });
        let arm = allocate(
            design,
            &mut *stratum.sequence,
            &factors.unit(),
            stratum.drawn,
            &mut stratum.keys,
        );
        stratum.drawn += 1;
        rows.push(Row {
            sequence: rows.len() as u64 + 1,
            stratum: stratum_label(&levels),
            arm,
        });
    }
    rows
}
