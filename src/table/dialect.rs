//! The ways in which people's delimited text differs: delimiter, decimal sign, encoding.

use crate::diagnostic::Words;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Delimiter {
    /// Every delimiter.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The id that `--delimiter` takes.
    pub fn id(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }

    /// The delimiter of an id, or of the character itself.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "comma" | "," => Some(Self::Comma),
            "semicolon" | ";" => Some(Self::Semicolon),
            "tab" | "\t" | "\\t" => Some(Self::Tab),
            _ => None,
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    pub(super) fn name(self) -> Words {
        match self {
            Self::Comma => Words::new("comma", "komma"),
            Self::Semicolon => Words::new("semicolon", "semikolon"),
            Self::Tab => Words::new("tab", "tabb"),
        }
    }

    fn words(self) -> Words {
        match self {
            Self::Comma => Words::new("separated by commas", "kommaseparerad"),
            Self::Semicolon => Words::new("separated by semicolons", "semikolonseparerad"),
            Self::Tab => Words::new("separated by tabs", "tabbseparerad"),
        }
    }
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decimal {
    /// `1.5`
    Point,
    /// `1,5`
    Comma,
}

impl Decimal {
    /// Every decimal sign.
    pub const ALL: [Self; 2] = [Self::Point, Self::Comma];

    /// The id that `--decimal` takes.
    pub fn id(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }

    /// The decimal sign of an id, or of the character itself.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "point" | "." => Some(Self::Point),
            "comma" | "," => Some(Self::Comma),
            _ => None,
        }
    }

    pub(super) fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// In words: "decimal point", "decimal comma".
    pub fn words(self) -> Words {
        match self {
            Self::Point => Words::new("decimal point", "decimalpunkt"),
            Self::Comma => Words::new("decimal comma", "decimalkomma"),
        }
    }
}

/// How the bytes mean letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8, with or without a byte-order mark.
    Utf8,
    /// Windows-1252, of which ISO 8859-1 is a part.
    Windows1252,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 2] = [Self::Utf8, Self::Windows1252];

    /// The id that `--encoding` takes.
    pub fn id(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding of an id or of a usual name.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "windows-1252" | "cp1252" | "latin1" | "iso-8859-1" => Some(Self::Windows1252),
            _ => None,
        }
    }
}

/// What a person has settled about a file; what is `None` is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// The delimiter.
    pub delimiter: Option<Delimiter>,
    /// The decimal sign.
    pub decimal: Option<Decimal>,
    /// The encoding.
    pub encoding: Option<Encoding>,
}

/// How a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The delimiter.
    pub delimiter: Delimiter,
    /// The decimal sign.
    pub decimal: Decimal,
    /// The encoding.
    pub encoding: Encoding,
    /// Whether the file opened with a byte-order mark.
    pub byte_order_mark: bool,
}

impl Dialect {
    /// The dialect in words, to be announced; the delimiter where it `separates` columns.
    pub(super) fn words(self, separates: bool) -> Words {
        self.all_words(separates, Some(self.decimal.words()))
    }

    /// The same without the decimal sign.
    pub(super) fn words_besides_numbers(self, separates: bool) -> Words {
        self.all_words(separates, None)
    }

    fn all_words(self, separates: bool, decimal: Option<Words>) -> Words {
        let encoding = match (self.encoding, self.byte_order_mark) {
            (Encoding::Utf8, false) => Words::same("UTF-8"),
            (Encoding::Utf8, true) => Words::new(
                "UTF-8 with a byte-order mark",
                "UTF-8 med byteordningsmärke",
            ),
            (Encoding::Windows1252, _) => Words::same("Windows-1252"),
        };
        let delimiter = separates.then(|| self.delimiter.words());
        let each = delimiter.into_iter().chain(decimal).chain([encoding]);
        let (en, sv): (Vec<_>, Vec<_>) = each.map(|own| (own.en, own.sv)).unzip();
        Words::new(en.join(", "), sv.join(", "))
    }
}
