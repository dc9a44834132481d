//! Whether a shell script can end in failure, read as a shell reads it: what `;`, `&&`, `||`, pipes, `set -e`, conditions and
//! functions make of the statuses of its commands. A command that is not known may fail.

use std::collections::BTreeMap;

use brush_parser::ast::{
    AndOr, AndOrList, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, Pipeline,
    SeparatorOperator, SimpleCommand, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};

use super::commands::{FILTERS, NEVER_FAIL, is_checker, without_wrappers};

/// Whether something ends in failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Never.
    Never,
    /// Always.
    Always,
    /// That depends.
    May,
}

/// What was found in a script.
#[derive(Debug)]
pub(super) struct Script {
    /// How it ends.
    pub(super) fate: Fate,
    /// What `||` or a condition takes the failure of, as written.
    pub(super) silenced: Vec<String>,
    /// What stands before a pipe that takes its failure, as written.
    pub(super) piped: Vec<String>,
    /// Checks whose failure nobody waits for: something follows them whatever came of them.
    pub(super) lost: Vec<String>,
    /// Every command, in words.
    pub(super) commands: Vec<Vec<String>>,
}

/// The longest script that is read, and the deepest: the time that the parser takes grows with each level of nesting by a
/// factor, and so does what it needs of the stack.
const LONGEST: usize = 64 << 10;
const DEEPEST: usize = 8;

/// Reads a script; none where it is none, or too long or too deep to be read.
pub(super) fn read(text: &str, errexit: bool, pipefail: bool) -> Option<Script> {
    if text.len() > LONGEST || depth(text) > DEEPEST {
        return None;
    }
    let mut parser = Parser::new(std::io::Cursor::new(text), &ParserOptions::default());
    let program = parser.parse_program().ok()?;
    let mut walk = Walk {
        errexit,
        pipefail,
        script: Script {
            fate: Fate::Never,
            silenced: vec![],
            piped: vec![],
            lost: vec![],
            commands: vec![],
        },
        functions: BTreeMap::new(),
        may_exit: false,
        passes_on: false,
        depth: 0,
    };
    let items = program.complete_commands.into_iter();
    let whole = CompoundList(items.flat_map(|list| list.0).collect());
    let fate = walk.list(&whole, false).fate;
    walk.script.fate = match (fate, walk.may_exit) {
        (Fate::Never, true) => Fate::May,
        (fate, _) => fate,
    };
    if walk.passes_on {
        walk.script.lost.clear();
    }
    Some(walk.script)
}

/// How deep groups, substitutions and compound commands are nested, as far as words and brackets tell: never too little.
fn depth(text: &str) -> usize {
    // The bracket behind a pattern of `case` closes nothing: brackets and words are counted apart.
    let (mut now, mut brackets, mut deepest) = (0usize, 0usize, 0);
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphabetic() {
            word.push(c);
            continue;
        }
        match word.as_str() {
            "if" | "case" | "for" | "while" | "until" | "select" => now += 1,
            "fi" | "esac" | "done" => now = now.saturating_sub(1),
            _ => {}
        }
        word.clear();
        match c {
            '(' | '{' => brackets += 1,
            ')' | '}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(now + brackets);
    }
    deepest
}

/// The end of a piece of a script.
#[derive(Clone, Copy)]
struct End {
    fate: Fate,
    /// Whether nothing after it is run.
    exits: bool,
}

impl End {
    fn of(fate: Fate) -> End {
        End { fate, exits: false }
    }
}

struct Walk {
    errexit: bool,
    pipefail: bool,
    script: Script,
    functions: BTreeMap<String, CompoundCommand>,
    /// Whether it may end early, in failure.
    may_exit: bool,
    /// Whether a status is kept and handed on by hand.
    passes_on: bool,
    depth: usize,
}

/// How deep functions and scripts in scripts are followed.
const DEPTH: usize = 20;

impl Walk {
    /// A list; `tested`: whether somebody else looks at its status, so that `set -e` does not.
    fn list(&mut self, list: &CompoundList, tested: bool) -> End {
        let mut end = End::of(Fate::Never);
        let last = list.0.len().saturating_sub(1);
        for (at, item) in list.0.iter().enumerate() {
            let before = self.script.commands.len();
            end = self.and_or(&item.0, tested);
            if matches!(item.1, SeparatorOperator::Async) {
                end = End::of(Fate::Never);
            }
            if end.exits {
                return end;
            }
            let fails = end.fate != Fate::Never;
            if fails && self.errexit && !tested {
                self.may_exit = true;
            } else if fails && at < last && item.0.additional.is_empty() {
                let mut commands = self.script.commands[before..].iter();
                if commands.any(|words| is_checker(words)) {
                    self.script.lost.push(item.0.to_string());
                }
            }
        }
        end
    }

    fn and_or(&mut self, list: &AndOrList, tested: bool) -> End {
        let several = !list.additional.is_empty();
        let mut end = self.pipeline(&list.first, tested || several);
        let mut so_far = list.first.to_string();
        for (at, next) in list.additional.iter().enumerate() {
            let is_last = at + 1 == list.additional.len();
            let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
            if end.exits {
                return end;
            }
            let exits_before = self.may_exit;
            let other = self.pipeline(pipeline, tested || !is_last);
            let runs_always = match next {
                AndOr::And(_) => end.fate == Fate::Never,
                AndOr::Or(_) => end.fate == Fate::Always,
            };
            if other.exits && !runs_always {
                self.may_exit = exits_before || other.fate != Fate::Never;
            }
            let fate = match (next, end.fate, other.fate) {
                (AndOr::And(_), Fate::Never, other) => other,
                (AndOr::And(_), Fate::Always, _) => Fate::Always,
                (AndOr::And(_), Fate::May, _) => Fate::May,
                (AndOr::Or(_), Fate::Never, _) => Fate::Never,
                (AndOr::Or(_), Fate::Always, other) => other,
                (AndOr::Or(_), Fate::May, Fate::Never) => Fate::Never,
                (AndOr::Or(_), Fate::May, _) => Fate::May,
            };
            if matches!(next, AndOr::Or(_)) && end.fate != Fate::Never && other.fate == Fate::Never
            {
                self.script.silenced.push(so_far.clone());
            }
            so_far = format!("{so_far} {}", next.to_string().trim());
            end = End {
                fate,
                exits: other.exits && runs_always,
            };
        }
        end
    }

    fn pipeline(&mut self, pipeline: &Pipeline, tested: bool) -> End {
        let several = pipeline.seq.len() > 1;
        let mut ends = vec![];
        for command in &pipeline.seq {
            // Each in a shell of its own: what exits there ends nothing here.
            let end = self.command(command, tested || several || pipeline.bang);
            ends.push(match several {
                true => End::of(end.fate),
                false => end,
            });
        }
        let Some(mut end) = ends.last().copied() else {
            return End::of(Fate::Never);
        };
        if several {
            let is_filter = pipeline.seq.last().is_some_and(is_filter);
            if is_filter {
                end.fate = Fate::Never;
            }
            let before = &ends[..ends.len() - 1];
            let fails = before.iter().any(|end| end.fate != Fate::Never);
            if self.pipefail && fails {
                end.fate = Fate::May;
            } else if fails && end.fate == Fate::Never {
                let commands = pipeline.seq.iter().map(Command::to_string);
                self.script
                    .piped
                    .push(commands.collect::<Vec<_>>().join(" | "));
            }
        }
        if pipeline.bang {
            end.fate = match end.fate {
                Fate::Never => Fate::Always,
                Fate::Always => Fate::Never,
                Fate::May => Fate::May,
            };
        }
        end
    }

    fn command(&mut self, command: &Command, tested: bool) -> End {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, _) => self.compound(compound, tested),
            Command::Function(function) => {
                let body = function.body.0.clone();
                self.functions.insert(function.fname.value.clone(), body);
                End::of(Fate::Never)
            }
            Command::ExtendedTest(..) => End::of(Fate::May),
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, tested: bool) -> End {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, tested),
            CompoundCommand::Subshell(group) => End::of(self.list(&group.list, tested).fate),
            CompoundCommand::IfClause(clause) => {
                let condition = self.list(&clause.condition, true);
                let mut ends = vec![self.list(&clause.then, tested)];
                let mut has_else = false;
                for other in clause.elses.iter().flatten() {
                    match &other.condition {
                        Some(condition) => _ = self.list(condition, true),
                        None => has_else = true,
                    }
                    ends.push(self.list(&other.body, tested));
                }
                if !has_else {
                    ends.push(End::of(Fate::Never));
                }
                let fate = self.any_of(&ends);
                if fate == Fate::Never && condition.fate == Fate::May && !self.may_exit {
                    self.script.silenced.push(clause.condition.to_string());
                }
                End::of(fate)
            }
            CompoundCommand::ForClause(clause) => {
                let end = self.list(&clause.body.list, tested);
                self.any_of(&[end, End::of(Fate::Never)]).into()
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                let reads = clause.0.to_string().trim_start().starts_with("read");
                let condition = self.list(&clause.0, true);
                let end = self.list(&clause.1.list, tested);
                match condition.fate == Fate::May && !reads {
                    // It goes on until something holds, or until the time limit of the check.
                    true => End::of(Fate::May),
                    false => self.any_of(&[end, End::of(Fate::Never)]).into(),
                }
            }
            CompoundCommand::CaseClause(clause) => {
                let lists = clause.cases.iter().filter_map(|case| case.cmd.as_ref());
                let mut ends = vec![End::of(Fate::Never)];
                for list in lists {
                    ends.push(self.list(list, tested));
                }
                self.any_of(&ends).into()
            }
            CompoundCommand::Arithmetic(_)
            | CompoundCommand::ArithmeticForClause(_)
            | CompoundCommand::Coprocess(_) => End::of(Fate::May),
        }
    }

    /// The end of one of several ways, nobody knows which.
    fn any_of(&mut self, ends: &[End]) -> Fate {
        for end in ends.iter().filter(|end| end.exits) {
            self.may_exit |= end.fate != Fate::Never;
        }
        let first = ends.first().map_or(Fate::Never, |end| end.fate);
        match ends.iter().all(|end| end.fate == first) {
            true => first,
            false => Fate::May,
        }
    }

    fn simple(&mut self, command: &SimpleCommand) -> End {
        let words = words_of(command);
        let Some(name) = words.first() else {
            // Nothing but assignments: the status of what they substitute.
            let substitutes = command.to_string().contains("$(");
            return End::of(if substitutes { Fate::May } else { Fate::Never });
        };
        if command.to_string().contains("=$?") {
            self.passes_on = true;
        }
        if let Some(body) = self.functions.get(name).cloned() {
            self.depth += 1;
            let end = match self.depth < DEPTH {
                true => self.compound(&body, false),
                false => End::of(Fate::May),
            };
            self.depth -= 1;
            return End::of(end.fate);
        }
        self.script.commands.push(words.clone());
        match name.as_str() {
            "exit" | "return" => {
                let status = words.get(1).map(String::as_str);
                let fate = match status {
                    Some("0") => Fate::Never,
                    Some(status) if status.parse::<u32>().is_ok() => Fate::Always,
                    _ => {
                        self.passes_on = true;
                        Fate::May
                    }
                };
                return End { fate, exits: true };
            }
            "set" => self.set(&words[1..]),
            "wait" => self.passes_on = true,
            _ => {}
        }
        let words = without_wrappers(&words);
        let Some((name, rest)) = words.split_first() else {
            return End::of(Fate::Never);
        };
        if let Some(inner) = script_of(words) {
            return End::of(self.inner(&inner));
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let fate = match name {
            "false" => Fate::Always,
            "env" if rest.is_empty() => Fate::Never,
            _ if NEVER_FAIL.contains(&name) => Fate::Never,
            _ => Fate::May,
        };
        End::of(fate)
    }

    fn set(&mut self, words: &[String]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (on, letters) = match word.split_at_checked(1) {
                Some(("-", letters)) => (true, letters),
                Some(("+", letters)) => (false, letters),
                _ => continue,
            };
            if letters.contains('e') {
                self.errexit = on;
            }
            if letters.contains('o') {
                match words.next().map(String::as_str) {
                    Some("errexit") => self.errexit = on,
                    Some("pipefail") => self.pipefail = on,
                    _ => {}
                }
            }
        }
    }

    /// A script that is given to a shell of its own.
    fn inner(&mut self, inner: &Inner) -> Fate {
        self.depth += 1;
        let script = match self.depth < DEPTH {
            true => read(&inner.text, inner.errexit, inner.pipefail),
            false => None,
        };
        self.depth -= 1;
        let Some(script) = script else {
            return Fate::May;
        };
        self.script.silenced.extend(script.silenced);
        self.script.piped.extend(script.piped);
        self.script.lost.extend(script.lost);
        self.script.commands.extend(script.commands);
        script.fate
    }
}

impl From<Fate> for End {
    fn from(fate: Fate) -> End {
        End::of(fate)
    }
}

/// A script in the arguments of a shell.
pub(super) struct Inner {
    pub(super) text: String,
    pub(super) errexit: bool,
    pub(super) pipefail: bool,
}

/// The script that these words give to a shell: `bash -euo pipefail -c '…'`.
pub(super) fn script_of(words: &[String]) -> Option<Inner> {
    let (name, rest) = words.split_first()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    if !["sh", "bash", "dash", "zsh", "ksh", "ash"].contains(&name) {
        return None;
    }
    let mut inner = Inner {
        text: String::new(),
        errexit: false,
        pipefail: false,
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let letters = word.strip_prefix('-')?;
        if letters.starts_with('-') {
            continue;
        }
        inner.errexit |= letters.contains('e');
        if letters.contains('o') {
            match rest.next().map(String::as_str) {
                Some("pipefail") => inner.pipefail = true,
                Some("errexit") => inner.errexit = true,
                _ => {}
            }
        }
        if letters.contains('c') {
            inner.text = rest.next()?.clone();
            return Some(inner);
        }
    }
    None
}

fn is_filter(command: &Command) -> bool {
    let Command::Simple(simple) = command else {
        return false;
    };
    let words = words_of(simple);
    let words = without_wrappers(&words);
    let name = words
        .first()
        .map(|name| name.rsplit('/').next().unwrap_or(name));
    // `jq -e` and `grep` say by their status what they found.
    name.is_some_and(|name| FILTERS.contains(&name))
        && !(name == Some("jq")
            && words
                .iter()
                .any(|word| word == "-e" || word == "--exit-status"))
}

/// The words of a command, without redirections and assignments.
fn words_of(command: &SimpleCommand) -> Vec<String> {
    let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
    let more = suffix.filter_map(|item| match item {
        CommandPrefixOrSuffixItem::Word(word) => Some(literal(word)),
        CommandPrefixOrSuffixItem::AssignmentWord(_, word) => Some(literal(word)),
        _ => None,
    });
    let name = command.word_or_name.iter().map(literal);
    name.chain(more).collect()
}

/// A word without its quotes; what only a run knows stays as it is written.
fn literal(word: &Word) -> String {
    let Ok(pieces) = word::parse(&word.value, &ParserOptions::default()) else {
        return word.value.clone();
    };
    let mut text = String::new();
    put(&pieces, &word.value, &mut text);
    text
}

fn put(pieces: &[WordPieceWithSource], whole: &str, text: &mut String) {
    for piece in pieces {
        match &piece.piece {
            WordPiece::Text(piece)
            | WordPiece::SingleQuotedText(piece)
            | WordPiece::AnsiCQuotedText(piece) => text.push_str(piece),
            WordPiece::EscapeSequence(piece) => {
                text.push_str(piece.strip_prefix('\\').unwrap_or(piece));
            }
            WordPiece::DoubleQuotedSequence(pieces)
            | WordPiece::GettextDoubleQuotedSequence(pieces) => put(pieces, whole, text),
            _ => {
                let written = whole.get(piece.start_index..piece.end_index);
                text.push_str(written.unwrap_or("$"));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_script_ends_as_a_shell_ends_it() {
        use Fate::{Always, May, Never};
        let cases = [
            ("pytest", May),
            ("true", Never),
            ("false", Always),
            ("echo done", Never),
            ("pytest || true", Never),
            ("pytest || :", Never),
            ("pytest || exit 1", May),
            ("pytest || { echo failed; exit 1; }", May),
            ("pytest || echo failed", Never),
            ("pytest && echo fine", May),
            ("pytest && echo fine || echo bad", Never),
            ("pytest; true", Never),
            ("pytest; echo $?", Never),
            ("pytest; exit 0", Never),
            ("pytest; exit $?", May),
            ("pytest; rc=$?; rm -rf tmp; exit $rc", May),
            ("set -e\npytest\necho done", May),
            ("set -e; pytest || true; echo done", Never),
            ("set +e; pytest; echo done", Never),
            ("pytest | tail -5", Never),
            ("pytest | tee log", Never),
            ("set -o pipefail; pytest | tee log", May),
            ("docker logs app | grep -q ready", May),
            ("! grep -r TODO src", May),
            ("if pytest; then echo fine; else echo bad; fi", Never),
            ("if pytest; then echo fine; else exit 1; fi", May),
            ("if ! pytest; then echo bad; fi", Never),
            ("if ! pytest; then echo bad; exit 1; fi", May),
            ("pytest &", Never),
            ("pytest & wait $!", May),
            ("for f in a b; do shellcheck $f; done", May),
            ("for f in a b; do shellcheck $f || true; done", Never),
            ("for f in a b; do shellcheck $f || exit 1; done", May),
            ("bash -c 'pytest || true'", Never),
            ("bash -c 'pytest; true'", Never),
            ("bash -ec 'pytest; true'", May),
            ("bash -o pipefail -c 'pytest | tee log'", May),
            ("sh -c 'echo \"|| true\"; pytest'", May),
            ("run() { pytest; }; run", May),
            ("run() { pytest || true; }\nrun", Never),
            ("env CI=1 true", Never),
            ("timeout 60 pytest || true", Never),
            ("test -f a && echo there", May),
            ("[ -f a ] || echo gone", Never),
            ("(cd backend && pytest)", May),
            ("(pytest; true)", Never),
            ("case $X in a) pytest;; *) true;; esac", May),
            ("curl -fs http://x | jq -e '.ok'", May),
            ("curl -fs http://x | jq .", Never),
            ("A=$(pytest)", May),
            ("while ! curl -fs x; do sleep 1; done", May),
            (
                "cat list | while read f; do test -f $f || true; done",
                Never,
            ),
        ];
        for (script, fate) in cases {
            let read = read(script, false, false).unwrap_or_else(|| panic!("{script}"));
            assert_eq!(read.fate, fate, "{script}: {read:?}");
        }
    }

    #[test]
    fn what_takes_a_failure_is_named() {
        let of = |script: &str| read(script, false, false).unwrap();
        assert_eq!(of("set -e; pytest || true; npm test").silenced, ["pytest"]);
        assert_eq!(of("pytest | tail -3; npm test").piped, ["pytest | tail -3"]);
        assert_eq!(of("pip-audit; pytest").lost, ["pip-audit"]);
        assert_eq!(of("cd backend; pytest").lost, Vec::<String>::new());
        assert_eq!(of("pytest; rc=$?; exit $rc").lost, Vec::<String>::new());
        let commands = of("cd 'a b' && \"npm\" run te\\st -- $ARGS").commands;
        assert_eq!(
            commands,
            [vec!["cd", "a b"], vec!["npm", "run", "test", "--", "$ARGS"]]
        );
    }

    #[test]
    fn what_is_no_script_is_none() {
        assert!(read("if then fi done ((", false, false).is_none());
    }

    #[test]
    fn no_script_takes_for_ever_or_all_of_the_stack() {
        for open in [
            "(",
            "$(",
            "{ ",
            "if true; then ",
            "case x in x) ",
            "while x; do ",
            "f() { ",
            "((",
            "${",
            "!",
            "`",
            "\"$(",
            "<(",
        ] {
            for times in [1, 3, 7, 8, 9, 30, 20_000] {
                let _ = read(&open.repeat(times), false, false);
                let _ = read(&format!("{}x", open.repeat(times)), false, false);
            }
        }
        let long = "true && ".repeat(5_000) + "true";
        assert_eq!(read(&long, false, false).unwrap().fate, Fate::Never);
    }

    proptest::proptest! {
        #![proptest_config(crate::domain::testing::same_every_time(500))]

        #[test]
        fn no_text_makes_it_panic(text in "[-a-z(){}$|&;<>'\"` \n#!\\\\=0-9\\[\\]]{0,60}") {
            let _ = read(&text, true, false);
        }
    }
}
