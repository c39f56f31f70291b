//! Where the demo is shown: a page that redraws itself on a terminal, lines anywhere else.

use std::io::{IsTerminal as _, Result, Write as _, stdout};
use std::time::{Duration, Instant};

use terminal_size::{Height, Width, terminal_size};

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

/// The size of a terminal that does not report its own.
const USUAL: (usize, usize) = (80, 24);

/// Where the demo is shown; a terminal is restored when this is dropped.
pub(super) struct Screen {
    terminal: bool,
    began: Instant,
    summary_at: Instant,
    summary: String,
}

impl Screen {
    /// Takes over the terminal, if there is one.
    pub(super) fn open() -> Self {
        let terminal = stdout().is_terminal();
        if terminal {
            let _ = write!(stdout(), "{ENTER}");
        }
        Self { terminal, began: Instant::now(), summary_at: Instant::now(), summary: String::new() }
    }

    /// Prints how to look around, where there is no page that shows it all the time.
    pub(super) fn open_with(&self, heading: &[String]) -> Result<()> {
        if self.terminal {
            return Ok(());
        }
        heading.iter().try_for_each(|line| writeln!(stdout(), "{line}"))
    }

    /// Prints a change where there is no terminal, with the seconds since the beginning.
    pub(super) fn print(&self, line: &str) -> Result<()> {
        if self.terminal {
            return Ok(());
        }
        let seconds = self.began.elapsed().as_secs_f32();
        writeln!(stdout(), "{seconds:7.2} s  {line}")
    }

    /// Draws the page, or prints the summary when it is time for one and it says something new.
    pub(super) fn show(&mut self, page: &str, summary: &str) -> Result<()> {
        if self.terminal {
            return draw(page);
        }
        if self.summary_at > Instant::now() || self.summary == summary {
            return Ok(());
        }
        self.summary_at = Instant::now() + SUMMARY_EVERY;
        summary.clone_into(&mut self.summary);
        self.print(summary)
    }
}

/// Draws the page from the upper left corner. What does not fit is cut off, so that the terminal never scrolls.
fn draw(page: &str) -> Result<()> {
    let reported = terminal_size().map(|(Width(columns), Height(rows))| (columns.into(), rows.into()));
    let (columns, rows) = reported.unwrap_or(USUAL);
    let lines: Vec<String> =
        page.lines().take(rows).map(|line| format!("{}{CLEAR_LINE}", cut(line, columns))).collect();
    let mut out = stdout().lock();
    write!(out, "{HOME}{}{CLEAR_REST}", lines.join("\r\n"))?;
    out.flush()
}

/// The line up to its last column, with all its escape sequences.
fn cut(line: &str, columns: usize) -> String {
    let (mut seen, mut escaped) = (0, false);
    let fits = |one: &char| {
        if escaped || *one == '\x1b' {
            escaped = *one != 'm';
            return true;
        }
        seen += 1;
        seen <= columns
    };
    line.chars().filter(fits).collect()
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(stdout(), "{LEAVE}");
            let _ = stdout().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_the_last_column_and_its_colour_ends_too() {
        assert_eq!(cut("\x1b[2mabcdef\x1b[0m", 4), "\x1b[2mabcd\x1b[0m");
        assert_eq!(cut("█░ é", 4), "█░ é");
        assert_eq!(cut("abc", 0), "");
    }
}
