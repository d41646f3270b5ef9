//! What one run of the command knows about its surroundings: language, format, colour, and the outside world.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::study::Study;
use crate::app::{Outside, Progress};
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::study::identifiers::masked;

use super::failure;
use super::output::Format;

/// One run of the command.
#[derive(Debug)]
pub struct Session {
    /// Language of everything that a person reads.
    pub lang: Lang,
    /// The format asked for; a document has its own default.
    pub format: Option<Format>,
    /// Files, clock, entropy, progress.
    pub outside: Outside,
    /// The study whose projection is kept once the answer is written.
    pub(super) written: RefCell<Option<Study>>,
}

impl Session {
    /// Has the projection of a study kept, if it is time to, once the answer is written.
    pub(super) fn keep_afterwards(&self, study: Study) {
        self.written.replace(Some(study));
    }
}

/// Whether standard output and standard error may be coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colour {
    /// Standard output.
    pub(super) out: bool,
    /// Standard error.
    pub(super) err: bool,
}

impl Colour {
    /// Colour on a terminal only, and never with `NO_COLOR` or a dumb terminal.
    pub(super) fn detect() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            out: wanted && std::io::stdout().is_terminal(),
            err: wanted && std::io::stderr().is_terminal(),
        }
    }
}

/// Progress on standard error: notes as lines, work as a bar on a terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    lang: Lang,
    quiet: bool,
    colour: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    /// Notes in `lang`; `quiet` silences all but warnings.
    pub(super) fn new(lang: Lang, quiet: bool, colour: bool) -> Self {
        Self {
            lang,
            quiet,
            colour,
            bar: Mutex::new(None),
        }
    }

    fn line(&self, text: &str) {
        self.write(&masked(text));
    }

    fn write(&self, text: &str) {
        // A standard error that is closed must not stop the work.
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{text}");
            });
            return;
        }
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

impl Progress for Terminal {
    fn note(&self, words: &Words) {
        if !self.quiet {
            self.line(words.get(self.lang));
        }
    }

    fn command(&self, words: &Words) {
        // A seed of digits alone looks like personal numbers, and crossed out it draws another list or none. Nothing here
        // enters a study, and the person has just typed it.
        if !self.quiet {
            self.write(words.get(self.lang));
        }
    }

    fn warn(&self, warning: &Diagnostic) {
        self.line(&failure::spot(warning, None, self.lang, self.colour));
    }

    fn advance(&self, what: &Words, done: u64, total: u64) {
        if self.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let Ok(mut slot) = self.bar.lock() else {
            return;
        };
        if done >= total {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = slot.get_or_insert_with(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(what.get(self.lang).to_owned());
        bar.set_length(total);
        bar.set_position(done);
    }
}
