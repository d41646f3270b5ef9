//! A sentence in both languages of the program. Codes and JSON keys are never translated.

use std::fmt;

/// A language in which people read this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    /// Swedish.
    Sv,
    /// English.
    #[default]
    En,
}

/// The same sentence in English and Swedish. `Display` is the English one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Words {
    /// English.
    pub en: String,
    /// Swedish.
    pub sv: String,
}

impl Words {
    /// Both texts; see also the [`words!`](crate::words) macro, which formats them.
    pub fn new(en: impl Into<String>, sv: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            sv: sv.into(),
        }
    }

    /// A text that is the same in both languages (a name, a number).
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            en: text.clone(),
            sv: text,
        }
    }

    /// A number with so many decimals, after a point in English and a comma in Swedish.
    ///
    /// ```
    /// use lottning::diagnostic::Words;
    /// assert_eq!(Words::decimals(2.44, 1), Words::new("2.4", "2,4"));
    /// ```
    pub fn decimals(value: f64, places: usize) -> Self {
        let en = format!("{value:.places$}");
        let sv = en.replace('.', ",");
        Self { en, sv }
    }

    /// A number in running text, in as many digits as it has, and by its power of ten where that would be a row of noughts. What is
    /// quoted from a file, as `key = 0.02`, is not translated.
    ///
    /// ```
    /// use lottning::diagnostic::Words;
    /// assert_eq!(Words::number(-0.25), Words::new("-0.25", "-0,25"));
    /// assert_eq!(Words::number(1.5e-300), Words::new("1.5e-300", "1,5e-300"));
    /// ```
    pub fn number(value: f64) -> Self {
        let plain = value == 0.0 || !value.is_finite() || (1e-7..1e16).contains(&value.abs());
        let en = if plain {
            value.to_string()
        } else {
            format!("{value:e}")
        };
        let sv = en.replace('.', ",");
        Self { en, sv }
    }

    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Sv => &self.sv,
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// Formats [`Words`]: `words!("{n} rows", "{n} rader")`, English first, captured arguments only.
#[macro_export]
macro_rules! words {
    ($en:literal, $sv:literal $(,)?) => {
        $crate::diagnostic::Words {
            en: format!($en),
            sv: format!($sv),
        }
    };
}
