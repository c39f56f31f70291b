//! Where the demo is shown: a page that redraws itself on a terminal, lines anywhere else.

use std::io::{IsTerminal as _, Result, Write as _, stdout};
use std::time::{Duration, Instant};

/// How often a summary is printed where there is no terminal.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);
/// The other screen, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Back to where we came from.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the upper left corner.
const HOME: &str = "\x1b[H";
/// The rest of a line, and of the page, is empty.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_REST: &str = "\x1b[J";

/// Where the demo is shown; a terminal is restored when this is dropped.
pub struct Screen {
    terminal: bool,
    summary_at: Instant,
}

impl Screen {
    /// Takes over the terminal, if there is one.
    pub fn open() -> Self {
        let terminal = stdout().is_terminal();
        if terminal {
            let _ = write!(stdout(), "{ENTER}");
        }
        Self {
            terminal,
            summary_at: Instant::now(),
        }
    }

    /// Prints a change where there is no terminal.
    pub fn tell(&self, line: &str) -> Result<()> {
        if self.terminal {
            return Ok(());
        }
        writeln!(stdout(), "{line}")
    }

    /// Draws the page, or prints the summary when it is time for one.
    pub fn show(&mut self, page: &str, summary: &str) -> Result<()> {
        if !self.terminal {
            if self.summary_at > Instant::now() {
                return Ok(());
            }
            self.summary_at = Instant::now() + SUMMARY_EVERY;
            return writeln!(stdout(), "{summary}");
        }
        let mut out = stdout().lock();
        write!(out, "{HOME}")?;
        for line in page.lines() {
            write!(out, "{line}{CLEAR_LINE}\r\n")?;
        }
        write!(out, "{CLEAR_REST}")?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(stdout(), "{LEAVE}");
            let _ = stdout().flush();
        }
    }
}
