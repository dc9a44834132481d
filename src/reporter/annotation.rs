//! An annotation in a pull request on GitHub: a workflow command on a line of its own.

use std::io::{self, Write};

use super::page::{no_command, safe};

/// What is said of a line of a file.
pub(super) struct Annotation<'a> {
    /// `error`, `warning` or `notice`.
    pub(super) level: &'a str,
    /// Relative to the repository.
    pub(super) file: &'a str,
    /// 1-based.
    pub(super) line: usize,
    /// 1-based, where it is known.
    pub(super) column: Option<usize>,
    /// In a few words.
    pub(super) title: &'a str,
    /// All of it.
    pub(super) message: &'a str,
}

impl Annotation<'_> {
    /// Writes the command.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (file, title) = (property(self.file), property(self.title));
        let column = self.column.map(|column| format!(",col={column}"));
        writeln!(
            out,
            "::{} file={file},line={}{},title={title}::{}",
            self.level,
            self.line,
            column.unwrap_or_default(),
            data(self.message)
        )
    }
}

/// Text as it may stand behind a workflow command.
pub(super) fn data(text: &str) -> String {
    let text = no_command(&safe(text)).replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as it may be a property of one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
