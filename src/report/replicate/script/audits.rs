//! The calls of the tests that every lock has: balance, and who is unknown.

use super::{Calls, Part, list, quoted, texts};
use crate::report::replicate::{Folder, unknown_stem};

impl Calls {
    /// Who is unknown in an analysis, where anybody is.
    pub(super) fn unknown(&mut self, folder: &Folder<'_>, place: usize) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        let Some(own) = result.missingness.as_ref() else {
            return;
        };
        self.parts.insert(Part::Audits);
        let arms = &folder.protocol.arms;
        let treated = own
            .tests
            .iter()
            .map(|test| arms[test.arm.index()].id.as_str());
        let redraws = behind.unknown_redraws.iter().enumerate();
        let stems: Vec<String> = redraws
            .map(|(number, own)| match own {
                Some(_) => unknown_stem(folder, place, number),
                None => String::new(),
            })
            .collect();
        self.add(&format!(
            "missingness({}, {}, {}, {})",
            quoted(&result.id),
            list(treated),
            quoted(&arms[folder.protocol.control.index()].id),
            texts(&stems),
        ));
    }

    /// Balance, where it was tested.
    pub(super) fn balance(&mut self, folder: &Folder<'_>) {
        if folder.analyses.balance.test.is_ok() {
            self.parts.insert(Part::Audits);
            self.add("\n# Balance over all characteristics\nbalance()");
        }
    }
}
