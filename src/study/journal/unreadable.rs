//! Why a row cannot be read, in both languages: what several kinds of rows share.

use crate::diagnostic::Words;
use crate::words;

/// That a row does not say something that its kind must say; keys are called as the ledger has them.
pub(super) fn has_no(key: &str) -> Words {
    words!("it has no `{key}`", "`{key}` saknas")
}

/// That a row names something that the protocol in force does not have; `what` calls it, in both languages.
pub(super) fn is_unknown((en, sv): (&str, &str), id: &str) -> Words {
    words!("{en} `{id}` is not known", "{sv} `{id}` finns inte")
}

/// That a value is none of the field.
pub(super) fn fits_no_field(id: &str) -> Words {
    words!(
        "the value of field `{id}` does not fit",
        "värdet på fältet `{id}` passar inte"
    )
}
