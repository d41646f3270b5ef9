//! `new`: a folder with a commented protocol to edit.
//!
//! The templates are the shipped protocols themselves, so what is written passes `check`. Nothing that is there is ever
//! overwritten.

use std::path::{Path, PathBuf};

use crate::diagnostic::Words;
use crate::words;

use super::exit;
use super::failure::Failure;
use super::outside::Outside;

/// A protocol to begin with.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Identifier, kebab-case.
    pub id: &'static str,
    /// One sentence in English.
    pub en: &'static str,
    /// The same sentence in Swedish.
    pub sv: &'static str,
    /// The text of the file.
    pub protocol: &'static str,
}

/// Every template; the first is the default.
pub const TEMPLATES: &[Template] = &[
    Template {
        id: "iuh-2025",
        en: "The study of intensified home investigation: five sites, a capacity gate, two analyses",
        sv: "Studien av intensifierad utredning i hemmiljö: fem enheter, en kapacitetsspärr, två analyser",
        protocol: include_str!("../../protocols/iuh-2025/protocol.toml"),
    },
    Template {
        id: "two-arms",
        en: "A small study: two sites, two arms, one outcome",
        sv: "En liten studie: två enheter, två armar, ett utfall",
        protocol: include_str!("../../protocols/two-arms/protocol.toml"),
    },
];

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The template.
    pub template: &'static str,
    /// The protocol file, as the person would name it.
    pub protocol: PathBuf,
}

/// Writes `protocol.toml` of a template into a folder, which is made if it is missing.
///
/// # Errors
/// An unknown template is exit 2. A protocol that is there already is exit 7, and nothing is written.
pub fn new(
    outside: &Outside,
    folder: impl AsRef<Path>,
    template: Option<&str>,
) -> Result<Created, Failure> {
    let template = match template {
        None => TEMPLATES.first(),
        Some(id) => TEMPLATES.iter().find(|template| template.id == id),
    }
    .ok_or_else(|| {
        Failure::unknown_id(
            &Words::new("template", "mall"),
            template.unwrap_or_default(),
            TEMPLATES.iter().map(|template| template.id),
        )
    })?;
    let folder = folder.as_ref();
    let path = folder.join("protocol.toml");
    outside.create_folder(folder)?;
    if !outside.create(&path, template.protocol.as_bytes())? {
        let name = path.display();
        return Err(Failure::new(
            exit::WRONG_STATE,
            "exists",
            words!(
                "{name} is there already and is not overwritten",
                "{name} finns redan och skrivs inte över"
            ),
        )
        .help(words!(
            "name another folder, or move the file away first",
            "ange en annan mapp, eller flytta undan filen först"
        )));
    }
    Ok(Created {
        template: template.id,
        protocol: path,
    })
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATES, new};
    use crate::app::{FixedClock, Outside, Silent, SystemEntropy, exit};
    use crate::protocol::parse;
    use jiff::Timestamp;

    fn outside(folder: &std::path::Path) -> Outside {
        Outside {
            clock: Box::new(FixedClock(Timestamp::UNIX_EPOCH)),
            entropy: Box::new(SystemEntropy),
            progress: Box::new(Silent),
            folder: folder.to_path_buf(),
        }
    }

    #[test]
    fn every_template_is_valid_and_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        for template in TEMPLATES {
            let created = new(&outside, template.id, Some(template.id)).unwrap();
            let bytes = outside.read(&created.protocol).unwrap();
            assert!(parse(&bytes).protocol.is_some(), "{}", template.id);
            outside.write(&created.protocol, b"mine").unwrap();
            let failure = new(&outside, template.id, None).unwrap_err();
            assert_eq!((failure.exit, failure.code), (exit::WRONG_STATE, "exists"));
            assert_eq!(outside.read(&created.protocol).unwrap(), b"mine");
        }
    }

    #[test]
    fn an_unknown_template_names_the_nearest_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let failure = new(&outside(folder.path()), "x", Some("two-arm")).unwrap_err();
        assert_eq!(failure.exit, exit::USAGE);
        assert!(failure.help.unwrap().en.contains("two-arms"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
