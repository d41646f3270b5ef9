//! A small canvas for figures: text that is measured before it is drawn, shapes, and an accessible frame.
//!
//! Nothing here knows what a figure shows. Widths are upper bounds: the advances of DejaVu Sans, the widest of the
//! usual system fonts, so a text that fits here fits wherever the page is opened. Markup has no script, no style
//! sheet and no reference to anything outside itself. The figures themselves are in `figures/`.

use std::fmt::Write;

/// The text colour.
pub(super) const INK: &str = "#1a1a1a";
/// Secondary text; contrast 7:1 on white.
pub(super) const MUTED: &str = "#555555";
/// Lines of boxes and axes.
pub(super) const LINE: &str = "#6b6b6b";
/// Pale grid.
pub(super) const GRID: &str = "#e4e4e4";
/// The one accent.
pub(super) const ACCENT: &str = "#1f4e79";

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Normal,
    Bold,
}

/// Where a text hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Advances of U+0020–U+007E in thousandths of the font size: DejaVu Sans 2.37, measured and rounded up.
const NORMAL: [u16; 95] = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637,
    637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632,
    576, 775, 752, 295, 295, 656, 558, 863, 749, 788, 604, 788, 695, 635, 611, 732, 685, 989, 686,
    611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580,
    278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337, 637, 838,
];
/// The same for DejaVu Sans Bold.
const BOLD: [u16; 95] = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831, 684,
    684, 821, 837, 373, 373, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771,
    725, 726, 458, 366, 458, 838, 500, 500, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666,
    343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 366, 712, 838,
];

/// Upper bound of the width of a text.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let table = match weight {
        Weight::Normal => &NORMAL,
        Weight::Bold => &BOLD,
    };
    let advance = |c: char| -> f64 {
        let plain = match c {
            'å' | 'ä' | 'á' | 'à' | 'â' => 'a',
            'ö' | 'ó' | 'ò' | 'ô' => 'o',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'ü' | 'ú' => 'u',
            'Å' | 'Ä' => 'A',
            'Ö' => 'O',
            'É' => 'E',
            '\u{a0}' => ' ',
            '\u{2013}' => '_',
            '\u{2212}' | '\u{2265}' | '\u{2264}' | '\u{2192}' | '\u{2190}' => '+',
            '\u{2019}' => '\'',
            '\u{201d}' => '"',
            other => other,
        };
        (plain as usize)
            .checked_sub(0x20)
            .and_then(|index| table.get(index))
            .map_or(1000.0, |advance| f64::from(*advance))
    };
    // One per cent on top, for rounding and hinting.
    text.chars().map(advance).sum::<f64>() * size / 1000.0 * 1.01
}

/// Breaks a text into lines no wider than `most`; a word that is too long is broken after a hyphen or a slash if it
/// has one, else anywhere. No line is empty unless the text is.
pub(super) fn wrap(text: &str, size: f64, weight: Weight, most: f64) -> Vec<String> {
    let fits = |line: &str| width(line, size, weight) <= most;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text
        .split([' ', '\n', '\t'])
        .filter(|word| !word.is_empty())
    {
        let candidate = if line.is_empty() {
            word.to_string()
        } else {
            format!("{line} {word}")
        };
        if fits(&candidate) {
            line = candidate;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, &fits, &mut lines);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Pushes the full lines of a word that may be too long and returns its rest. A break between two letters gets a
/// hyphen.
fn break_word(word: &str, fits: &dyn Fn(&str) -> bool, lines: &mut Vec<String>) -> String {
    let mut rest: Vec<char> = word.chars().collect();
    loop {
        let whole: String = rest.iter().collect();
        if fits(&whole) || rest.len() <= 1 {
            return whole;
        }
        // The first so many letters as a line of their own.
        let head = |end: usize| -> String {
            let mut line: String = rest.iter().take(end).collect();
            let letters = [end - 1, end]
                .iter()
                .all(|at| rest.get(*at).is_some_and(|c| c.is_alphabetic()));
            if letters {
                line.push('-');
            }
            line
        };
        let longest = (1..rest.len())
            .rev()
            .find(|end| fits(&head(*end)))
            .unwrap_or(1);
        let after_mark = rest
            .iter()
            .take(longest)
            .rposition(|c| matches!(c, '-' | '/' | '_'))
            .map(|at| at + 1)
            .filter(|end| *end > 1);
        let end = after_mark.unwrap_or(longest);
        lines.push(head(end));
        rest.drain(..end);
    }
}

/// Escapes a text for markup, between tags and in attributes with double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters have no place in XML.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with one decimal, without a needless zero.
fn at(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_string()
}

/// A drawing in progress. The y axis points down; the unit is one CSS pixel at full size.
#[derive(Debug)]
pub(super) struct Canvas {
    width: f64,
    body: String,
}

impl Canvas {
    pub(super) fn new(width: f64) -> Self {
        Self {
            width,
            body: String::new(),
        }
    }

    /// Takes marks that are markup already: what the plotting library drew.
    pub(super) fn marks(&mut self, markup: &str) {
        self.body.push_str(markup);
    }

    pub(super) fn text(
        &mut self,
        x: f64,
        baseline: f64,
        text: &str,
        style: (f64, Weight, Anchor, &str),
    ) {
        let (size, weight, anchor, colour) = style;
        let weight = match weight {
            Weight::Normal => "",
            Weight::Bold => " font-weight=\"700\"",
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight}{anchor} fill=\"{colour}\">{}</text>",
            at(x),
            at(baseline),
            at(size),
            escape(text)
        );
    }

    pub(super) fn rect(&mut self, area: (f64, f64, f64, f64), fill: &str, stroke: Option<&str>) {
        let (x, y, w, h) = area;
        let stroke = stroke
            .map(|colour| format!(" stroke=\"{colour}\""))
            .unwrap_or_default();
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"{stroke}/>",
            at(x),
            at(y),
            at(w),
            at(h)
        );
    }

    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str, stroke_width: f64) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{},{}", at(*x), at(*y)))
            .collect();
        let _ = writeln!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
            points.join(" "),
            at(stroke_width)
        );
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], fill: &str, stroke: &str) {
        self.closed(points, &format!("fill=\"{fill}\" stroke=\"{stroke}\""));
    }

    /// A light area without an edge; where several lie over each other, each is seen.
    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: &str) {
        self.closed(points, &format!("fill=\"{colour}\" fill-opacity=\"0.15\""));
    }

    fn closed(&mut self, points: &[(f64, f64)], look: &str) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{},{}", at(*x), at(*y)))
            .collect();
        let _ = writeln!(
            self.body,
            "<polygon points=\"{}\" {look}/>",
            points.join(" ")
        );
    }

    /// An arrow whose last segment is vertical or horizontal; the head ends at the last point.
    pub(super) fn arrow(&mut self, points: &[(f64, f64)], colour: &str) {
        self.path(points, colour, 1.2);
        if let [.., (x0, y0), (x, y)] = points {
            let head = if (x - x0).abs() > (y - y0).abs() {
                let back = 6.0 * (x - x0).signum();
                [(*x, *y), (x - back, y - 3.5), (x - back, y + 3.5)]
            } else {
                let back = 6.0 * (y - y0).signum();
                [(*x, *y), (x - 3.5, y - back), (x + 3.5, y - back)]
            };
            self.polygon(&head, colour, colour);
        }
    }

    /// The finished drawing with its accessible name and description, scaling to its container.
    pub(super) fn finish(self, height: f64, id: &str, title: &str, desc: &str) -> String {
        let (w, h) = (at(self.width), at(height));
        format!(
            "<svg viewBox=\"0 0 {w} {h}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             font-family=\"system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}</svg>\n",
            escape(title),
            escape(desc),
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Weight, escape, width, wrap};

    #[test]
    fn a_broken_text_keeps_its_letters_and_fits() {
        let text = "Stadsdelsförvaltningssamordnarkonferens i Enskede-Årsta-Vantör, förlängd";
        for most in [40.0, 80.0, 200.0] {
            let lines = wrap(text, 13.0, Weight::Bold, most);
            assert!(
                lines
                    .iter()
                    .all(|line| width(line, 13.0, Weight::Bold) <= most)
            );
            let letters = |text: &str| text.replace([' ', '-'], "");
            assert_eq!(letters(&lines.concat()), letters(text));
        }
    }

    #[test]
    fn markup_in_a_label_is_text() {
        assert_eq!(escape("<a & \"b'>"), "&lt;a &amp; &quot;b&#39;&gt;");
    }
}
