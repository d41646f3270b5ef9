//! Bytes to text: UTF-8 with or without a byte-order mark, or Windows-1252; refused when both readings are possible.

use crate::diagnostic::{Diagnostic, Place, Words};

use super::dialect::Encoding;

/// Text, and how its bytes were read. Line ends are all `\n`.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: Encoding,
    pub(super) byte_order_mark: bool,
}

pub(super) fn decode(bytes: &[u8], settled: Option<Encoding>) -> Result<Decoded, Diagnostic> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(wrong_encoding(Words::new(
            "the file is UTF-16",
            "filen är i UTF-16",
        )));
    }
    let (body, byte_order_mark) = match bytes.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        Some(body) => (body, true),
        None => (bytes, false),
    };
    if let Some(at) = body.iter().position(|byte| *byte == 0) {
        return Err(Diagnostic::error(
            "nul-byte",
            Words::new(
                "there is a NUL byte: this is no text file, or it is UTF-16",
                "det finns en NUL-byte: det här är ingen textfil, eller så är den i UTF-16",
            ),
        )
        .at(Place::row(line(body, at)))
        .help(save_as()));
    }
    let encoding = match settled {
        Some(encoding) => encoding,
        None => detect(body, byte_order_mark)?,
    };
    let text = match encoding {
        Encoding::Utf8 => std::str::from_utf8(body)
            .map_err(|error| {
                let row = line(body, error.valid_up_to());
                wrong_encoding(Words::new(
                    "there is a byte that is not UTF-8",
                    "det finns en byte som inte är UTF-8",
                ))
                .at(Place::row(row))
            })?
            .to_owned(),
        Encoding::Windows1252 => windows_1252(body)?,
    };
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    Ok(Decoded {
        text,
        encoding,
        byte_order_mark,
    })
}

fn detect(body: &[u8], byte_order_mark: bool) -> Result<Encoding, Diagnostic> {
    let Err(error) = std::str::from_utf8(body) else {
        return Ok(Encoding::Utf8);
    };
    let row = line(body, error.valid_up_to());
    // Letters beyond ASCII that are good UTF-8 do not arise by chance in Windows-1252 text: the file is mixed.
    let mixed = body.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    if mixed || byte_order_mark {
        return Err(Diagnostic::error(
            "encoding-ambiguous",
            Words::new(
                "this is not UTF-8 although other letters of the file are",
                "det här är inte UTF-8 trots att andra bokstäver i filen är det",
            ),
        )
        .at(Place::row(row))
        .help(Words::new(
            "save the file again as UTF-8, or settle it with --encoding utf-8 or --encoding windows-1252",
            "spara filen på nytt som UTF-8, eller avgör det med --encoding utf-8 eller --encoding windows-1252",
        )));
    }
    Ok(Encoding::Windows1252)
}

fn windows_1252(body: &[u8]) -> Result<String, Diagnostic> {
    // The five bytes that Windows-1252 leaves undefined.
    let undefined = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    if let Some(at) = body.iter().position(undefined) {
        let row = line(body, at);
        return Err(wrong_encoding(Words::new(
            "there is a byte that is neither UTF-8 nor Windows-1252",
            "det finns en byte som varken är UTF-8 eller Windows-1252",
        ))
        .at(Place::row(row)));
    }
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(body);
    Ok(text.into_owned())
}

fn wrong_encoding(message: Words) -> Diagnostic {
    Diagnostic::error("wrong-encoding", message).help(save_as())
}

fn save_as() -> Words {
    Words::new(
        "save the file again as CSV with the encoding UTF-8",
        "spara filen på nytt som CSV med teckenkodningen UTF-8",
    )
}

/// Line of a byte, counted from 1; a carriage return that stands alone ends a line too.
fn line(body: &[u8], at: usize) -> usize {
    let before = body.get(..at).unwrap_or(body);
    match before.split(|byte| *byte == b'\n').count() {
        1 => before.split(|byte| *byte == b'\r').count(),
        lines => lines,
    }
}
