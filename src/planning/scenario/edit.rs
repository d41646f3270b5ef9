//! Settings by dotted path: `truth.rereport_ratio=0.9`, `mechanism.time-trend.rereport_per_year=0.05`,
//! `protocol.gate.…`, and the short names `therapists`, `months` and `ratio`.
//!
//! A setting changes the table that a file is read from; whether the result is sound is found out by reading it.

use crate::diagnostic::{Diagnostic, Words, nearest};
use crate::words;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// A setting: a dotted path and a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) path: String,
    pub(super) value: Value,
}

/// What the short names stand for; `ratio` has arms to go to and is handled by itself.
const SHORT: [(&str, &str); 2] = [
    ("therapists", "capacity.therapists_per_site"),
    ("months", "accrual.months"),
];

impl Setting {
    /// Key and value of `KEY=VALUE`.
    ///
    /// # Errors
    /// A text of another form, and a key that no scenario has set: wrong whatever the files hold.
    pub(super) fn parts(text: &str) -> Result<(&str, &str), Diagnostic> {
        let parts = text.split_once('=');
        let parts = parts.map(|(path, value)| (path.trim(), value.trim()));
        let Some((path, value)) = parts.filter(|(path, _)| !path.is_empty()) else {
            return Err(Diagnostic::error(
                "invalid-value",
                words!("`{text}` is not KEY=VALUE", "`{text}` är inte NYCKEL=VÄRDE"),
            )
            .help(words!(
                "for example `--set truth.rereport_ratio=0.9`",
                "till exempel `--set truth.rereport_ratio=0.9`"
            )));
        };
        let section = path.split('.').next().unwrap_or(path);
        if section == "prior" || (section == "grid" && path != "grid.common_random_numbers") {
            return Err(Diagnostic::error(
                "not-applicable",
                words!(
                    "`{path}` cannot be set: what is varied and what is believed stand in the file",
                    "`{path}` kan inte anges här: det som varieras och det som antas står i filen"
                ),
            )
            .help(words!(
                "set the parameter itself, `--set truth.rereport_ratio=0.9`: it then leaves the grid and has no prior",
                "ange parametern själv, `--set truth.rereport_ratio=0.9`: då lämnar den rutnätet och har ingen prior"
            )));
        }
        Ok((path, value))
    }

    /// From `KEY=VALUE`; a value that is no TOML is text.
    pub(super) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let (path, value) = Self::parts(text)?;
        let parsed = format!("x = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("x"))
            .or_else(|| short_number(value).map(Value::Float))
            .unwrap_or_else(|| Value::String(value.to_owned()));
        let short = SHORT.iter().map(|(short, _)| *short).chain(["ratio"]);
        if !path.contains('.')
            && set_path(path) == path
            && let Some(near) = nearest(path, short)
            && near != path
        {
            return Err(Diagnostic::error(
                "unknown-key",
                words!(
                    "there is no `{path}` to set",
                    "det finns inget `{path}` att ange"
                ),
            )
            .help(words!("did you mean `{near}`?", "menade du `{near}`?")));
        }
        Ok(Self::new(path, parsed))
    }

    /// Whether it sets a key, by itself or with the table that the key is in.
    pub(super) fn covers(&self, key: &str) -> bool {
        let rest = key.strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// With the short name, if it is one, replaced.
    pub(super) fn new(path: &str, value: Value) -> Self {
        Self {
            path: set_path(path).to_owned(),
            value,
        }
    }
}

/// The dotted path that a key of `--set` stands for: `months` is `accrual.months`.
///
/// ```
/// use lottning::planning::scenario::set_path;
/// assert_eq!((set_path("months"), set_path("truth.rereport_ratio")), ("accrual.months", "truth.rereport_ratio"));
/// ```
pub fn set_path(key: &str) -> &str {
    let short = SHORT.iter().find(|(short, _)| *short == key);
    short.map_or(key, |(_, long)| long)
}

/// A number without a digit before or after its point, which is no TOML: `.7`, `-.7`, `7.`.
fn short_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.')?;
    let are_digits = |own: &str| own.bytes().all(|byte| byte.is_ascii_digit());
    let one_lacks = whole.is_empty() != part.is_empty();
    (one_lacks && are_digits(whole) && are_digits(part))
        .then(|| text.parse().ok())
        .flatten()
}

/// Puts a value at a dotted path. Lists of sections are entered by the `id` of a section.
pub(super) fn set(table: &mut Table, path: &str, value: Value) -> Result<(), Diagnostic> {
    let parts: Vec<&str> = path.split('.').collect();
    let Some((last, way)) = parts.split_last() else {
        return Ok(());
    };
    let mut here = table;
    let mut rest = way.iter();
    while let Some(part) = rest.next() {
        let known: Vec<String> = here.keys().cloned().collect();
        here = match here.get_mut(*part) {
            Some(Value::Table(inner)) => inner,
            Some(Value::Array(items)) => {
                let ids: Vec<String> = items.iter().filter_map(id).collect();
                let Some(wanted) = rest.next() else {
                    return Err(unknown(path, part, &ids));
                };
                let found = items
                    .iter_mut()
                    .filter(|item| id(item).is_some_and(|id| id == **wanted))
                    .find_map(Value::as_table_mut);
                match found {
                    Some(inner) => inner,
                    None => return Err(unknown(path, wanted, &ids)),
                }
            }
            _ => return Err(unknown(path, part, &known)),
        };
    }
    here.insert((*last).to_owned(), value);
    Ok(())
}

/// The value at a dotted path of a parsed file, found as [`set`] finds it; `None` where there is none.
pub(super) fn place_in<'t, 'x>(
    tree: &'t mut DeTable<'x>,
    path: &str,
) -> Option<&'t mut DeValue<'x>> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let held = tree.get_mut(first)?.get_mut();
    match (held, rest) {
        (held, None) => Some(held),
        (DeValue::Table(inner), Some(rest)) => place_in(inner, rest),
        (DeValue::Array(items), Some(rest)) => {
            let (wanted, rest) = rest.split_once('.')?;
            let mut tables = items.iter_mut().filter_map(|item| match item.get_mut() {
                DeValue::Table(own) => Some(own),
                _ => None,
            });
            let own = tables.find(|own| {
                let id = own.get("id").and_then(|id| id.get_ref().as_str());
                id == Some(wanted)
            })?;
            place_in(own, rest)
        }
        _ => None,
    }
}

/// Keys whose number is that of every treated arm, where no table by their ids stands in its place.
const BY_ARM: [&str; 5] = [
    "truth.rereport_ratio",
    "truth.acceptance_difference",
    "score.effect",
    "mechanism.detection-by-home-visits.reports_ratio",
    "mechanism.ascertainment-break.found_before_treated",
];

/// A path to one arm's number, `truth.rereport_ratio.home`, where the scenario has one for all treated arms. It is told with the
/// table to write, in which every other arm keeps that number.
pub(super) fn one_for_all(
    scenario: &Table,
    protocol: &Table,
    setting: &Setting,
) -> Option<Diagnostic> {
    let (key, arm) = setting.path.rsplit_once('.')?;
    let held = BY_ARM.contains(&key).then(|| get(scenario, key))??;
    if !matches!(held, Value::Integer(_) | Value::Float(_)) {
        return None;
    }
    let arms = protocol.get("arm").and_then(Value::as_array)?;
    let is_control = |arm: &&Value| arm.get("control").and_then(Value::as_bool) == Some(true);
    let treated: Vec<String> = arms
        .iter()
        .filter(|arm| !is_control(arm))
        .filter_map(id)
        .collect();
    if !treated.iter().any(|own| own == arm) {
        return Some(unknown(&setting.path, arm, &treated));
    }
    let value = |own: &String| if own == arm { &setting.value } else { &held };
    let parts: Vec<String> = treated
        .iter()
        .map(|own| format!("{own} = {}", value(own)))
        .collect();
    let table = format!("{{ {} }}", parts.join(", "));
    let name = key.rsplit('.').next().unwrap_or(key);
    Some(
        Diagnostic::error(
            "not-applicable",
            words!(
                "`{key} = {held}` is one number for all treated arms: there is none of `{arm}` alone to change",
                "`{key} = {held}` är ett tal för alla behandlade armar: det finns inget för enbart `{arm}` att ändra"
            ),
        )
        .help(words!(
            "write a table in the scenario, `{name} = {table}`, or set it: --set '{key}={table}'",
            "skriv en tabell i scenariot, `{name} = {table}`, eller ange den: --set '{key}={table}'"
        )),
    )
}

/// The value at a dotted path, if there is one.
pub(super) fn get(table: &Table, path: &str) -> Option<Value> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    match (table.get(first)?, rest) {
        (value, None) => Some(value.clone()),
        (Value::Table(inner), Some(rest)) => get(inner, rest),
        (Value::Array(items), Some(rest)) => {
            let (wanted, rest) = rest.split_once('.')?;
            let own = items
                .iter()
                .find(|item| id(item).as_deref() == Some(wanted))?;
            get(own.as_table()?, rest)
        }
        _ => None,
    }
}

fn id(item: &Value) -> Option<String> {
    item.as_table()?.get("id")?.as_str().map(str::to_owned)
}

fn unknown(path: &str, part: &str, known: &[String]) -> Diagnostic {
    let names = known.iter().map(String::as_str);
    let help = match nearest(part, names.clone()) {
        Some(name) => words!("did you mean `{name}`?", "menade du `{name}`?"),
        None if known.is_empty() => Words::new(
            "a path is the names of sections and a key, joined by points",
            "en sökväg är namn på avsnitt och en nyckel, åtskilda av punkter",
        ),
        None => {
            let all = names.collect::<Vec<_>>().join(", ");
            words!("what exists: {all}", "det som finns: {all}")
        }
    };
    Diagnostic::error(
        "unknown-key",
        words!(
            "there is no `{part}` on the way to `{path}`",
            "det finns inget `{part}` på vägen till `{path}`"
        ),
    )
    .help(help)
}

/// Puts one value into every section of a list, for example the therapists of every site.
pub(super) fn set_each(table: &mut Table, list: &str, key: &str, value: &Value) {
    if let Some(Value::Array(items)) = table.get_mut(list) {
        for item in items.iter_mut().filter_map(Value::as_table_mut) {
            item.insert(key.to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, get, one_for_all, set};
    use toml::{Table, Value};

    #[test]
    fn values_are_toml_or_text() {
        assert_eq!(Setting::parse("a.b=0.5").unwrap().value, Value::Float(0.5));
        assert_eq!(
            Setting::parse("months = 12").unwrap().path,
            "accrual.months"
        );
        assert_eq!(
            Setting::parse("ratio=1:2").unwrap().value,
            Value::String("1:2".to_owned())
        );
        assert!(Setting::parse("nothing").is_err());
        for (text, value) in [(".7", 0.7), ("-.5", -0.5), ("2.", 2.0)] {
            let setting = Setting::parse(&format!("a.b={text}")).unwrap();
            assert_eq!(setting.value, Value::Float(value), "{text}");
        }
        for text in [".", "..7", ".7.1", "1:.7"] {
            let setting = Setting::parse(&format!("a.b={text}")).unwrap();
            assert!(setting.value.is_str(), "{text}");
        }
    }

    /// A word that is nearly a short name is not one: the name is suggested. Sections and short names are as they were.
    #[test]
    fn a_short_name_is_suggested() {
        for (text, name) in [
            ("month=3", "months"),
            ("therapits=3", "therapists"),
            ("rato=1:2", "ratio"),
        ] {
            let refused = Setting::parse(text).unwrap_err();
            assert_eq!(refused.code, "unknown-key");
            assert_eq!(refused.help.unwrap().en, format!("did you mean `{name}`?"));
        }
        for text in [
            "months=3",
            "ratio=1:2",
            "cost={ fixed = 1 }",
            "engine=\"study\"",
            "analyses=[\"primary\"]",
        ] {
            assert!(Setting::parse(text).is_ok(), "{text}");
        }
    }

    /// What a setting cannot change is refused and not passed over.
    #[test]
    fn the_grid_and_priors_are_not_set() {
        for path in [
            "grid",
            "grid.full",
            "grid.full.months",
            "prior",
            "prior.months",
        ] {
            let refused = Setting::parse(&format!("{path}=1")).unwrap_err();
            assert_eq!(refused.code, "not-applicable", "{path}");
        }
        assert!(Setting::parse("grid.common_random_numbers=\"none\"").is_ok());
    }

    #[test]
    fn a_path_enters_sections_and_lists_by_id() {
        let mut table: Table = "[a]\nb = 1\n[[m]]\nid = \"x\"\nk = 1\n".parse().unwrap();
        set(&mut table, "a.b", Value::Integer(2)).unwrap();
        set(&mut table, "m.x.k", Value::Integer(3)).unwrap();
        assert_eq!(table["a"]["b"].as_integer(), Some(2));
        assert_eq!(table["m"][0]["k"].as_integer(), Some(3));
        assert_eq!(get(&table, "a.b"), Some(Value::Integer(2)));
        assert_eq!(get(&table, "m.x.k"), Some(Value::Integer(3)));
        assert_eq!((get(&table, "m.y.k"), get(&table, "a.b.c")), (None, None));
        let wrong = set(&mut table, "m.xx.k", Value::Integer(3)).unwrap_err();
        assert!(wrong.help.unwrap().en.contains("`x`"));
        assert!(set(&mut table, "q.b", Value::Integer(3)).is_err());
    }

    /// One number of all arms is not one arm's; the table that is shown is read, and the other arm keeps its number.
    #[test]
    fn one_number_for_all_arms_is_told_with_the_table_to_write() {
        let protocol: Table =
            "arm = [{ id = \"home\" }, { id = \"brief\" }, { id = \"usual\", control = true }]"
                .parse()
                .unwrap();
        let mut table: Table =
            "[truth]\nrereport_ratio = { home = 0.6, brief = 0.8 }\nacceptance_difference = 0.1\n"
                .parse()
                .unwrap();
        let told = |table: &Table, text: &str| {
            one_for_all(table, &protocol, &Setting::parse(text).unwrap())
        };
        let text = "truth.acceptance_difference.brief=0.9";
        let refused = told(&table, text).unwrap();
        assert_eq!(refused.code, "not-applicable");
        let message = refused.message.en;
        assert!(
            message.contains("acceptance_difference = 0.1` is one number for all treated arms"),
            "{message}"
        );
        let help = refused.help.unwrap().en;
        let shown = "--set 'truth.acceptance_difference={ home = 0.1, brief = 0.9 }'";
        assert!(help.contains(shown), "{help}");
        let (_, shown) = shown.split_once('\'').unwrap();
        let whole = Setting::parse(shown.trim_end_matches('\'')).unwrap();
        set(&mut table, &whole.path, whole.value).unwrap();
        assert_eq!(told(&table, text), None);
        assert_eq!(told(&table, "truth.rereport_ratio.home=0.4"), None);
        set(&mut table, "truth.rereport_ratio", Value::Float(0.5)).unwrap();
        assert!(told(&table, "truth.rereport_ratio.home=0.4").is_some());
        let wrong = told(&table, "truth.rereport_ratio.hom=0.4").unwrap();
        assert_eq!(wrong.help.unwrap().en, "did you mean `home`?");
    }
}
