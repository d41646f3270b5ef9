//! `new`: a folder with a commented protocol to edit, or a scenario for the protocol that is there.
//!
//! The templates are the shipped protocols themselves, so what is written passes `check`; the scenario is the shipped one
//! where it fits the protocol, else one made for it. Nothing that is there is ever overwritten.

use std::path::{Path, PathBuf};

use crate::diagnostic::Words;
use crate::words;

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::sealed::read_protocol;
use crate::planning::rehearsal::scenario_of;
use crate::planning::scenario::plan;

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
        sv: "Studien av intensifierad utredning i hemmiljö: fem enheter, en spärr, två analyser",
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
    create(outside, &path, template.protocol)?;
    Ok(Created {
        template: template.id,
        protocol: path,
    })
}

/// The shipped scenario.
const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");

/// The shipped scenario for a protocol at another path, seen from the scenario's folder.
pub fn beside(protocol: &str) -> String {
    let mut text = String::with_capacity(SCENARIO.len());
    for line in SCENARIO.lines() {
        if line.starts_with("protocol = ") {
            text.push_str("protocol = \"");
            text.push_str(protocol);
            text.push_str("\"    # from this file's folder");
        } else {
            text.push_str(&line.replace("simulations/iuh-2025.toml", "scenario.toml"));
        }
        text.push('\n');
    }
    text
}

/// Writes `scenario.toml` for the `protocol.toml` of a folder.
///
/// # Errors
/// No protocol in the folder, or one that is refused: as in `check`. A scenario that is there already is exit 7, and
/// nothing is written.
pub fn scenario(outside: &Outside, folder: impl AsRef<Path>) -> Result<PathBuf, Failure> {
    let folder = folder.as_ref();
    let protocol = folder.join("protocol.toml");
    let (parsed, _) = read_protocol(outside, &protocol)?;
    let text = outside.read_text(&protocol, exit::INVALID_PROTOCOL)?;
    let shipped = beside("protocol.toml");
    let scenario = match plan(&shipped, &text, &[]) {
        Ok(_) => shipped,
        Err(_) => scenario_of(&parsed),
    };
    let path = folder.join("scenario.toml");
    create(outside, &path, &scenario)?;
    Ok(path)
}

fn create(outside: &Outside, path: &Path, text: &str) -> Result<(), Failure> {
    if outside.create(path, text.as_bytes())? {
        return Ok(());
    }
    let name = path.display();
    Err(Failure::new(
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
    )))
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATES, new, scenario};
    use crate::app::{FixedClock, Outside, Silent, SystemEntropy, exit};
    use crate::planning::scenario::{plan, protocol_path};
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

    #[test]
    fn a_scenario_fits_the_protocol_beside_it_and_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        for template in TEMPLATES {
            new(&outside, template.id, Some(template.id)).unwrap();
            let path = scenario(&outside, template.id).unwrap();
            let text = String::from_utf8(outside.read(&path).unwrap()).unwrap();
            assert_eq!(protocol_path(&text).unwrap(), "protocol.toml");
            assert!(
                plan(&text, template.protocol, &[]).is_ok(),
                "{}",
                template.id
            );
            let failure = scenario(&outside, template.id).unwrap_err();
            assert_eq!((failure.exit, failure.code), (exit::WRONG_STATE, "exists"));
        }
        assert!(scenario(&outside, "nowhere").is_err());
    }
}
