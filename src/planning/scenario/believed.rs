//! A cell with priors, study by study: the scenario is parsed once, and what is drawn is put into the parsed form.
//!
//! What a study is does not depend on this: whatever does not go together is read again from its text, so that findings are
//! those of the text, and so is a protocol that was not met before.

use super::cells::{Cell, Refused};
use super::edit::place_in;
use super::prior::Prior;
use super::recipe::changes_protocol;
use super::sections::read;
use super::{Scenario, at_most};
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use std::collections::BTreeMap;
use std::mem::replace;
use toml::de::{DeTable, DeValue};

/// Most protocols that are kept: drawn numbers of therapists are few, and other numbers may never come again.
const MOST_KEPT: usize = 256;

/// Bits of what was drawn of parameters that change the protocol.
type Drawn = Vec<u64>;

/// The cell of one replicate after the other, with what is drawn from its priors.
#[derive(Debug)]
pub struct Believed<'c> {
    cell: &'c Cell,
    seed: u64,
    /// The scenario with some value of each prior; `None` where the text is read for each study.
    tree: Option<DeTable<'c>>,
    /// The cell of the last replicate, and what its protocol was drawn from.
    own: Option<(Drawn, Cell)>,
    /// Protocols met before, with their texts.
    kept: BTreeMap<Drawn, (Protocol, String)>,
}

impl<'c> Believed<'c> {
    /// Of a cell, for the studies of a seed.
    pub fn new(cell: &'c Cell, seed: u64) -> Self {
        let (tree, errors) = DeTable::parse_recoverable(&cell.believed);
        let is_whole = errors.is_empty() && !cell.believed.is_empty();
        Self {
            cell,
            seed,
            tree: is_whole.then(|| tree.into_inner()),
            own: None,
            kept: BTreeMap::new(),
        }
    }

    /// The cell in a replicate: that of [`Cell::in_replicate`].
    ///
    /// # Errors
    /// What was drawn does not go together, although the ends of each prior do.
    pub fn in_replicate(&mut self, replicate: u64) -> Result<&Cell, Refused> {
        let (cell, seed) = (self.cell, self.seed);
        let draw = |prior: &'c Prior| (prior, prior.draw(seed, cell.group(), replicate));
        let draws: Vec<(&Prior, f64)> = cell.priors.iter().map(draw).collect();
        let changing = draws.iter().filter(|(own, _)| changes_protocol(&own.key));
        let drawn: Drawn = changing.map(|(_, value)| value.to_bits()).collect();
        let quick = self.take_protocol(&drawn) && self.put(&draws).is_some();
        if !quick {
            let cell = cell.in_replicate(seed, replicate)?;
            if let Some((before, own)) = self.own.replace((drawn, cell)) {
                self.keep(before, (own.protocol, own.protocol_text));
            }
        }
        match &self.own {
            Some((_, own)) => Ok(own),
            None => Ok(self.cell),
        }
    }

    /// Gives the cell the protocol that belongs to what was drawn, if it is known.
    fn take_protocol(&mut self, drawn: &Drawn) -> bool {
        let Some((own, cell)) = &mut self.own else {
            return false;
        };
        if own == drawn {
            return true;
        }
        let Some((protocol, text)) = self.kept.remove(drawn) else {
            return false;
        };
        let before = replace(own, drawn.clone());
        let protocol = replace(&mut cell.protocol, protocol);
        let text = replace(&mut cell.protocol_text, text);
        self.keep(before, (protocol, text));
        true
    }

    fn keep(&mut self, drawn: Drawn, protocol: (Protocol, String)) {
        if self.kept.len() >= MOST_KEPT {
            self.kept.clear();
        }
        self.kept.insert(drawn, protocol);
    }

    /// Reads the scenario with what was drawn; `None` where it does not go together.
    fn put(&mut self, draws: &[(&Prior, f64)]) -> Option<()> {
        let (_, own) = self.own.as_mut()?;
        let path = |prior: &Prior| !prior.key.starts_with("protocol.") && prior.key != "ratio";
        let draws: Vec<(&str, String)> = draws
            .iter()
            .filter(|(prior, _)| path(prior))
            .map(|(prior, value)| (prior.key.as_str(), prior.setting(*value).value.to_string()))
            .collect();
        let mut tree: DeTable<'_> = self.tree.clone()?;
        for (path, value) in &draws {
            let value = DeValue::parse(value).ok()?;
            *place_in(&mut tree, path)? = value.into_inner();
        }
        let mut out = Findings::new(&self.cell.believed);
        let (scenario, _) = read(&mut out, &tree, &own.protocol);
        let mut scenario: Scenario = scenario?;
        at_most(&mut scenario);
        own.scenario = scenario;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Believed;
    use crate::planning::scenario::plan;

    /// By law: a study is that of the text with what was drawn, whichever studies were read before, and whether a prior is of
    /// the scenario, of a member of a list, or of the staff, which changes the protocol.
    #[test]
    fn what_is_put_into_the_parsed_form_is_what_the_text_says() {
        let scenario = include_str!("../../../simulations/assurance.toml").replacen(
            "[[prior]]",
            "[[prior]]\nkey = \"capacity.therapists_per_site\"\nvalues = [2, 3]\nwhole = true\n\n\
             [[prior]]\nkey = \"mechanism.site-effects.icc\"\nuniform = [0.001, 0.02]\n\n\
             [[prior]]\nkey = \"capacity.investigation_days.iuh.median\"\nuniform = [1e-7, 60]\n\n[[prior]]",
            1,
        );
        let protocol = include_str!("../../../protocols/iuh-2025/protocol.toml");
        let plan = plan(&scenario, protocol, &["months=6".to_owned()]).unwrap();
        let cell = &plan.cells[0];
        assert_eq!(cell.priors.len(), 6);
        let mut believed = Believed::new(cell, 5);
        for number in (0..12).chain(0..12) {
            let text = cell.in_replicate(5, number).unwrap();
            let own = believed.in_replicate(number).unwrap();
            assert_eq!(
                format!("{:?}", own.scenario),
                format!("{:?}", text.scenario)
            );
            assert_eq!(own.protocol_text, text.protocol_text);
            assert_eq!(
                format!("{:?}", own.protocol),
                format!("{:?}", text.protocol)
            );
            assert_eq!((&own.id, &own.content), (&text.id, &text.content));
        }
        // Two numbers of therapists: one protocol in hand, the other beside.
        assert_eq!(believed.kept.len(), 1);
        assert!(believed.tree.is_some());
    }

    /// By hand: of two pairs of effects that are possible alone, those together that give a probability above 1 are refused in the
    /// words of the text, and the next study is run all the same.
    #[test]
    fn what_does_not_go_together_is_refused_as_the_text_is() {
        let scenario = include_str!("../../../simulations/assurance.toml")
            .replacen("key = \"truth.rereport_ratio\"\nlog_normal = { median = 0.88, sd_log = 0.10 }       # (A) probably a benefit, perhaps none\ngreatest = 1.30", "key = \"truth.rereport_ratio\"\nvalues = [0.8, 1.35]", 1)
            .replacen("[[prior]]", "[[prior]]\nkey = \"truth.rereport_control\"\nvalues = [0.3, 0.52]\n\n[[prior]]", 1);
        let protocol = include_str!("../../../protocols/iuh-2025/protocol.toml");
        let plan = plan(&scenario, protocol, &["months=6".to_owned()]).unwrap();
        let cell = &plan.cells[0];
        let mut believed = Believed::new(cell, 1);
        let mut refused = 0;
        for number in 0..24 {
            let text = cell.in_replicate(1, number);
            match believed.in_replicate(number) {
                Ok(own) => {
                    let text = text.unwrap();
                    assert_eq!(
                        format!("{:?}", own.scenario),
                        format!("{:?}", text.scenario)
                    );
                }
                Err(found) => {
                    assert_eq!(Some(found), text.err());
                    refused += 1;
                }
            }
        }
        // By the seed's draws: about a quarter of the studies.
        assert!(refused > 0 && refused < 24, "{refused}");
    }
}
