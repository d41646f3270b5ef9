//! Files as people have them, and laws that hold for any file.

use super::{Decimal, Delimiter, Encoding, Kind, Settled, Table};
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::{collection, option, prop_assert, prop_assert_eq, proptest};

fn read(text: &str) -> Result<Table, Vec<&'static str>> {
    read_bytes(text.as_bytes(), Settled::default())
}

fn read_bytes(bytes: &[u8], settled: Settled) -> Result<Table, Vec<&'static str>> {
    Table::read(bytes, settled)
        .map_err(|findings| findings.iter().map(|finding| finding.code).collect())
}

fn settled(delimiter: Delimiter, decimal: Decimal) -> Settled {
    Settled {
        delimiter: Some(delimiter),
        decimal: Some(decimal),
        encoding: None,
    }
}

#[test]
fn a_swedish_spreadsheet_is_read() {
    // "Ålder" in Windows-1252, semicolons, decimal comma, carriage returns, a hint line, trailing empty column and row.
    let bytes = b"sep=;\r\n\xc5lder;tid;\r\n12;1,5;\r\n;NA;\r\n;;\r\n9;.;\r\n";
    let table = read_bytes(bytes, Settled::default()).unwrap();
    assert_eq!(table.header(), ["Ålder", "tid"]);
    assert_eq!(table.dialect().encoding, Encoding::Windows1252);
    assert_eq!(table.dialect().decimal, Decimal::Comma);
    let age = table.column("Ålder").unwrap();
    assert_eq!(age.numbers().unwrap(), [Some(12.0), None, Some(9.0)]);
    let time = table.column("tid").unwrap();
    assert_eq!(time.numbers().unwrap(), [Some(1.5), None, None]);
    assert_eq!(table.row(2), 6, "rows count from the top of the sheet");
    let codes: Vec<&str> = table.warnings().iter().map(|w| w.code).collect();
    assert_eq!(codes, ["empty-columns", "empty-rows"]);
}

#[test]
fn each_wrong_file_has_its_code() {
    for (text, codes) in [
        ("", vec!["empty-file"]),
        ("\u{feff}\n \n", vec!["empty-file"]),
        ("a,b\n", vec!["no-rows"]),
        ("a,a\n1,2\n", vec!["duplicate-header"]),
        ("a,,b\n1,2,3\n", vec!["empty-header"]),
        ("a,b\n1\n1,2,3\n", vec!["ragged-row", "ragged-row"]),
        ("a,b\n\"1,2\n", vec!["unclosed-quote", "ragged-row"]),
        ("a,b\n\"1\"x,2\n", vec!["stray-quote"]),
        ("a\0,b\n1,2\n", vec!["nul-byte"]),
        ("a,b;c\n1,2;3\n", vec!["delimiter-ambiguous"]),
        ("a\nx,y\n", vec!["delimiter-ambiguous"]),
        ("a;b\n1,5;2.5\n", vec!["decimal-ambiguous"]),
        ("a;b\n1,234;2\n", vec!["decimal-ambiguous"]),
        ("a,b\n\"1,234\",2\n", vec!["decimal-ambiguous"]),
        ("a;b\n1.234;2\n", vec!["decimal-ambiguous"]),
        (
            "a,a,\n1\n2,3,4\n",
            vec!["duplicate-header", "empty-header", "ragged-row"],
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), codes, "{text:?}");
    }
}

#[test]
fn wrong_bytes_are_named_by_row() {
    let utf8 = Settled {
        encoding: Some(Encoding::Utf8),
        ..Settled::default()
    };
    let findings = Table::read(b"a,b\n1,\xe5\n", utf8).unwrap_err();
    assert_eq!(findings[0].code, "wrong-encoding");
    assert_eq!(findings[0].place.as_ref().unwrap().row, Some(2));
    // å in UTF-8 and in Windows-1252 in the same file.
    let mixed = b"a,b\n\xc3\xa5,\xe5\n";
    assert_eq!(
        read_bytes(mixed, Settled::default()).unwrap_err(),
        ["encoding-ambiguous"]
    );
    let utf16 = b"\xff\xfea\0,\0";
    assert_eq!(
        read_bytes(utf16, Settled::default()).unwrap_err(),
        ["wrong-encoding"]
    );
    assert_eq!(
        read_bytes(b"a,b\n1,\x81\n", Settled::default()).unwrap_err(),
        ["wrong-encoding"]
    );
}

#[test]
fn settling_answers_what_detection_refuses() {
    let comma = settled(Delimiter::Semicolon, Decimal::Comma);
    let table = read_bytes(b"a;b\n1,234;x\n", comma).unwrap();
    assert_eq!(table.column("a").unwrap().numbers().unwrap(), [Some(1.234)]);
    let point = settled(Delimiter::Semicolon, Decimal::Point);
    let table = read_bytes(b"a;b\n1,234;x\n", point).unwrap();
    let findings = table.column("a").unwrap().numbers().unwrap_err();
    assert_eq!(findings[0].code, "thousands-separator");
}

#[test]
fn one_column_needs_no_delimiter_and_a_blank_line_is_missing() {
    let table = read("x\n1,5\n\n2,5\n\n").unwrap();
    let x = table.column("x").unwrap();
    assert_eq!(x.numbers().unwrap(), [Some(1.5), None, Some(2.5)]);
    assert_eq!(read("x\n\n1\n").unwrap().len(), 2);
}

#[test]
fn columns_are_typed_and_say_where_they_are_not() {
    let table =
        read("n,f,z,d\n1,b,0,2025-03-31\n2,a,1,2025-02-30\nx,b,2,20250331\nNA,,,\n").unwrap();
    let column = |name| table.column(name).unwrap();
    assert_eq!(column("n").kind(), Kind::Factor);
    assert_eq!(column("z").kind(), Kind::Numbers);
    let finding = &column("n").numbers().unwrap_err()[0];
    assert_eq!(finding.message.en, "`x` is no number");
    let place = finding.place.as_ref().unwrap();
    assert_eq!((place.row, place.column.as_deref()), (Some(4), Some("n")));
    assert!(column("n").mostly_numbers().is_some());
    assert!(column("f").mostly_numbers().is_none());
    let factor = column("f").factor();
    assert_eq!(factor.levels, ["a", "b"]);
    assert_eq!(factor.codes, [Some(1), Some(0), Some(1), None]);
    let rows = |findings: Vec<crate::diagnostic::Diagnostic>| -> Vec<usize> {
        findings
            .iter()
            .filter_map(|finding| finding.place.as_ref()?.row)
            .collect()
    };
    assert_eq!(rows(column("z").zero_one().unwrap_err()), [4]);
    assert_eq!(rows(column("d").dates().unwrap_err()), [3, 4]);
    let unknown = table.column("m").unwrap_err();
    assert_eq!(unknown.code, "unknown-column");
}

#[test]
fn a_thousand_findings_are_condensed() {
    let text = "a,b\n".to_owned() + &"1\n".repeat(1000);
    let findings = read(&text).unwrap_err();
    assert_eq!(findings.len(), 21);
    assert_eq!(findings.last(), Some(&"more-of-the-same"));
}

/// Cells that survive trimming and are not a way to write "missing".
fn cell() -> impl Strategy<Value = Option<String>> {
    option::of("[a-zåäö0-9\";,\t\n.' -]{1,8}").prop_map(|cell| {
        cell.map(|text| super::records::trim(&text).to_owned())
            .filter(|text| !matches!(text.as_str(), "" | "NA" | "."))
    })
}

fn delimiter() -> impl Strategy<Value = Delimiter> {
    prop_oneof![
        Just(Delimiter::Comma),
        Just(Delimiter::Semicolon),
        Just(Delimiter::Tab)
    ]
}

fn written(
    delimiter: Delimiter,
    crlf: bool,
    records: impl IntoIterator<Item = Vec<String>>,
) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter.byte())
        .terminator(if crlf {
            csv::Terminator::CRLF
        } else {
            csv::Terminator::Any(b'\n')
        })
        .from_writer(Vec::new());
    for record in records {
        writer.write_record(record).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    /// What was written is what is read, for every delimiter, line end, mark and encoding.
    #[test]
    fn texts_round_trip(
        rows in collection::vec(collection::vec(cell(), 3), 1..12),
        delimiter in delimiter(),
        crlf in proptest::bool::ANY,
        mark in proptest::bool::ANY,
        latin in proptest::bool::ANY,
    ) {
        let full: Vec<Vec<Option<String>>> =
            rows.into_iter().filter(|row| row.iter().any(Option::is_some)).collect();
        if full.is_empty() {
            return Ok(());
        }
        let header = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let body = full.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect());
        let bytes = written(delimiter, crlf, std::iter::once(header).chain(body));
        let text = String::from_utf8(bytes).unwrap();
        let mut settled = settled(delimiter, Decimal::Point);
        let bytes = if latin {
            settled.encoding = Some(Encoding::Windows1252);
            encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
        } else if mark {
            [b"\xef\xbb\xbf", text.as_bytes()].concat()
        } else {
            text.into_bytes()
        };
        let table = read_bytes(&bytes, settled).unwrap();
        prop_assert_eq!(table.len(), full.len());
        for (at, name) in ["a", "b", "c"].iter().enumerate() {
            let column = table.column(name).unwrap();
            let wanted: Vec<Option<&str>> = full.iter().map(|row| row[at].as_deref()).collect();
            prop_assert_eq!(column.texts().collect::<Vec<_>>(), wanted);
        }
    }

    /// Detection finds the same numbers or refuses; it never finds others.
    #[test]
    fn detection_is_right_or_refuses(
        rows in collection::vec((option::of(-1e6f64..1e6), option::of(0u32..5000)), 1..12),
        decimals in 0usize..6,
        delimiter in delimiter(),
        comma in proptest::bool::ANY,
    ) {
        let number = |value: f64| {
            let text = format!("{value:.decimals$}");
            if comma { text.replace('.', ",") } else { text }
        };
        let header = vec!["family".to_owned(), "days".to_owned(), "count".to_owned()];
        let body = rows.iter().map(|(days, count)| vec![
            "x".to_owned(),
            days.map(number).unwrap_or_default(),
            count.map(|count| count.to_string()).unwrap_or_default(),
        ]);
        let bytes = written(delimiter, false, std::iter::once(header).chain(body));
        match read_bytes(&bytes, Settled::default()) {
            Ok(table) => {
                prop_assert_eq!(table.dialect().delimiter, delimiter);
                let wanted: Vec<Option<f64>> = rows
                    .iter()
                    .map(|(days, _)| days.map(|days| format!("{days:.decimals$}").parse().unwrap()))
                    .collect();
                prop_assert_eq!(table.column("days").unwrap().numbers().unwrap(), wanted);
                let wanted: Vec<Option<f64>> =
                    rows.iter().map(|(_, count)| count.map(f64::from)).collect();
                prop_assert_eq!(table.column("count").unwrap().numbers().unwrap(), wanted);
            }
            Err(codes) => prop_assert_eq!(codes, ["decimal-ambiguous"]),
        }
    }

    /// No bytes make it panic, and a table that stands is rectangular with a sound header.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in collection::vec(
        prop_oneof![
            Just(b','), Just(b';'), Just(b'\t'), Just(b'"'), Just(b'\n'), Just(b'\r'),
            Just(b'1'), Just(b'.'), Just(b'a'), Just(0xe5), Just(0xc3), proptest::num::u8::ANY
        ], 0..60)) {
        match Table::read(&bytes, Settled::default()) {
            Ok(table) => {
                prop_assert!(!table.is_empty());
                for column in table.columns() {
                    prop_assert_eq!(column.texts().count(), table.len());
                    prop_assert!(!column.name().is_empty());
                    let numbers = column.numbers().is_ok();
                    prop_assert_eq!(numbers, column.kind() == Kind::Numbers);
                    let _ = (column.dates(), column.zero_one(), column.mostly_numbers());
                }
            }
            Err(findings) => {
                prop_assert!(!findings.is_empty());
                prop_assert!(findings.iter().all(super::Diagnostic::is_error));
            }
        }
    }

    /// The rows that the scanner counts are in step with the records that the reader splits.
    #[test]
    fn scanner_and_reader_agree(text in "[a,;\"\n ]{0,40}") {
        let (records, _) = super::records::split(&text, b',');
        let rows = super::records::rows(&text, b',');
        prop_assert_eq!(records.all.len(), rows.len());
        let widths: Vec<usize> = records.all.iter().map(|record| record.width).collect();
        prop_assert_eq!(super::records::widths(&text, b','), widths);
    }
}
