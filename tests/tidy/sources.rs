//! Sources as the checks see them: without comments, with or without literals, with or without their tests.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file; `path` is relative to the package and has forward slashes.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The code: comments and the content of literals are blank, line ends stay.
    pub(crate) fn code(&self) -> String {
        blank(&self.text, false)
    }

    /// The code with its string literals.
    pub(crate) fn code_with_strings(&self) -> String {
        blank(&self.text, true)
    }

    /// The code without items under `#[cfg(test)]`.
    pub(crate) fn shipped(&self) -> String {
        without_tests(&self.code())
    }

    /// The room of a file under `src`, `None` for the roots of library and program.
    pub(crate) fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((room, _)) => Some(room),
            None => inside
                .strip_suffix(".rs")
                .filter(|name| !["lib", "main"].contains(name)),
        }
    }

    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// The package itself.
pub(crate) fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source under a folder of the package, in order of path.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = package();
    let mut found = Vec::new();
    walk(&root.join(folder), &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, root: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap().to_string_lossy();
            found.push(Source {
                path: relative.replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

/// Blanks comments, and literals unless they are kept.
fn blank(text: &str, keep_strings: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let hide = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => comment_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' if !after_word(&chars, at) => raw_string_end(&chars, at).unwrap_or(at),
            '\'' => char_end(&chars, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let keep = keep_strings && chars[at] != '/';
        out.extend(
            chars[at..end]
                .iter()
                .map(|&c| if keep { c } else { hide(c) }),
        );
        at = end;
    }
    out
}

fn after_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn line_end(chars: &[char], at: usize) -> usize {
    (at..chars.len())
        .find(|&i| chars[i] == '\n')
        .unwrap_or(chars.len())
}

fn comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => {
                depth += 1;
                i += 2;
            }
            ('*', '/') => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    (open + 1..chars.len())
        .find(|&i| {
            chars[i] == '"'
                && chars[i + 1..]
                    .iter()
                    .take(hashes)
                    .filter(|&&c| c == '#')
                    .count()
                    == hashes
        })
        .map(|i| i + 1 + hashes)
}

/// A character literal, not a lifetime.
fn char_end(chars: &[char], at: usize) -> Option<usize> {
    match (chars.get(at + 1)?, chars.get(at + 2)?) {
        ('\\', _) => (at + 3..chars.len().min(at + 12))
            .find(|&i| chars[i] == '\'')
            .map(|i| i + 1),
        (_, '\'') => Some(at + 3),
        _ => None,
    }
}

/// Blanks each item that stands under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = item_end(&out, start + "#[cfg(test)]".len());
        let hidden: String = out[start..end].chars().filter(|c| *c == '\n').collect();
        out.replace_range(start..end, &hidden);
    }
    out
}

/// The end of the item that begins at a byte: its closing brace, or a semicolon before any brace.
pub(crate) fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in code[from..].char_indices() {
        match c {
            ';' if depth == 0 => return from + at + 1,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return from + at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The line of a byte, counted from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[test]
fn comments_literals_and_tests_are_blank() {
    let text = "fn a<'x>() { let s = \"std::fs // \\\" \"; let c = '\"'; } // std::env\n/* a /* b */ */ fn b() {}\n\
                #[cfg(test)]\nmod tests { use std::fs; }\nlet r = r#\"std::net \" \"#;";
    let source = Source::new("src/x/y.rs", text);
    let shipped = source.shipped();
    assert!(!shipped.contains("std::"), "{shipped}");
    assert!(shipped.contains("fn b() {}") && shipped.contains("fn a<'x>()"));
    assert!(source.code_with_strings().contains("\"std::fs // \\\" \""));
    assert_eq!(source.room(), Some("x"));
    assert_eq!(shipped.matches('\n').count(), text.matches('\n').count());
}
