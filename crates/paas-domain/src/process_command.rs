use std::fmt;

use thiserror::Error;

/// Words that only a shell understands when a command begins with them.
const SHELL_WORDS: &[&str] = &[
    "!", ".", ":", "[", "[[", "{", "alias", "break", "case", "cd", "command", "continue", "eval", "exec",
    "exit", "export", "for", "function", "getopts", "if", "local", "read", "readonly", "return", "select",
    "set", "shift", "source", "time", "times", "trap", "type", "ulimit", "umask", "unset", "until", "wait",
    "while",
];

/// Why a text cannot be a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// Nothing but blanks.
    #[error("the command is empty")]
    Empty,
    /// A quote without its partner.
    #[error("the quote {0} is never closed")]
    UnclosedQuote(char),
    /// A backslash with nothing after it; lines cannot be continued.
    #[error("the command ends in a backslash; a command is one line")]
    TrailingBackslash,
    /// A character no argument can hold.
    #[error("the command contains a NUL character")]
    Nul,
}

/// The command of a process type, as it was written, and what it becomes inside the app's container.
///
/// A plain command is split into words (quotes and backslashes as in POSIX `sh`) and runs directly, so an image without a shell works and signals
/// reach the program. Only a command that contains shell syntax outside quotes (`$ & | ; < > ( ) * ? [ ] { } ~`, a backtick, a comment, a leading
/// `NAME=value`, or a first word like `cd` or `exec`) runs as `/bin/sh -c`, by the shell *of the app's image, in its container*; a simple one gets
/// `exec` so that signals reach the program there too. No text of it ever reaches a shell on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessCommand {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Direct(Vec<String>),
    Shell(String),
}

impl ProcessCommand {
    /// Reads one command.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(CommandError::Empty);
        }
        if text.contains('\0') {
            return Err(CommandError::Nul);
        }
        let form = Scan::of(text)?.form(text);
        Ok(Self { text: text.to_owned(), form })
    }

    /// The command as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the container runs: its first element is the program.
    pub fn argv(&self) -> Vec<String> {
        match &self.form {
            Form::Direct(words) => words.clone(),
            Form::Shell(script) => vec!["/bin/sh".to_owned(), "-c".to_owned(), script.clone()],
        }
    }

    /// Whether the app's image must have `/bin/sh` for it.
    pub fn needs_shell(&self) -> bool {
        matches!(self.form, Form::Shell(_))
    }
}

impl fmt::Display for ProcessCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One pass over a command: its words, and what kind of shell syntax it has outside quotes.
#[derive(Default)]
struct Scan {
    words: Vec<String>,
    word: Option<String>,
    /// Where the first word that is no `NAME=value` begins.
    program_at: Option<usize>,
    /// A shell must read it.
    syntax: bool,
    /// More than one command, so `exec` before it would cut the rest off.
    compound: bool,
}

impl Scan {
    fn of(text: &str) -> Result<Self, CommandError> {
        let mut scan = Self::default();
        let mut chars = text.char_indices().peekable();
        let mut before = ' ';
        let mut word_at = 0;
        while let Some((at, c)) = chars.next() {
            if scan.word.is_none() && !c.is_ascii_whitespace() {
                word_at = at;
            }
            match c {
                ' ' | '\t' => scan.end_word(word_at, text),
                '\'' => {
                    let rest = scan.open();
                    loop {
                        match chars.next() {
                            Some((_, '\'')) => break,
                            Some((_, c)) => rest.push(c),
                            None => return Err(CommandError::UnclosedQuote('\'')),
                        }
                    }
                }
                '"' => scan.double_quoted(&mut chars)?,
                '\\' => {
                    let (_, next) = chars.next().ok_or(CommandError::TrailingBackslash)?;
                    scan.open().push(next);
                }
                '#' if scan.word.is_none() => {
                    scan.syntax = true;
                    break;
                }
                _ => scan.plain(c, before),
            }
            before = c;
        }
        scan.end_word(word_at, text);
        Ok(scan)
    }

    fn open(&mut self) -> &mut String {
        self.word.get_or_insert_with(String::new)
    }

    fn plain(&mut self, c: char, before: char) {
        self.open().push(c);
        match c {
            // `2>&1` and `<&0` are redirections of one command.
            '&' if matches!(before, '>' | '<') => self.syntax = true,
            '&' | '|' | ';' | '(' | '\n' | '\r' => {
                self.syntax = true;
                self.compound = true;
            }
            '$' | '<' | '>' | ')' | '*' | '?' | '[' | ']' | '{' | '}' | '~' | '`' => self.syntax = true,
            _ => {}
        }
    }

    fn double_quoted(&mut self, chars: &mut impl Iterator<Item = (usize, char)>) -> Result<(), CommandError> {
        let unclosed = CommandError::UnclosedQuote('"');
        self.open();
        loop {
            let (_, c) = chars.next().ok_or_else(|| unclosed.clone())?;
            match c {
                '"' => return Ok(()),
                '\\' => {
                    let (_, next) = chars.next().ok_or_else(|| unclosed.clone())?;
                    if !matches!(next, '$' | '`' | '"' | '\\') {
                        self.open().push('\\');
                    }
                    self.open().push(next);
                }
                _ => {
                    self.syntax |= matches!(c, '$' | '`');
                    self.open().push(c);
                }
            }
        }
    }

    fn end_word(&mut self, at: usize, text: &str) {
        let Some(word) = self.word.take() else { return };
        if self.program_at.is_none() {
            if is_assignment(&text[at..]) {
                self.syntax = true;
            } else {
                self.program_at = Some(at);
                if SHELL_WORDS.contains(&word.as_str()) {
                    self.syntax = true;
                    self.compound = true;
                }
            }
        }
        self.words.push(word);
    }

    fn form(self, text: &str) -> Form {
        match self.program_at {
            Some(_) if !self.syntax => Form::Direct(self.words),
            Some(at) if !self.compound => {
                let (assignments, command) = text.split_at(at);
                Form::Shell(format!("{assignments}exec {command}"))
            }
            _ => Form::Shell(text.to_owned()),
        }
    }
}

/// Whether a word begins like `NAME=`; a quote or a blank before the `=` makes it an ordinary word.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn argv(text: &str) -> Vec<String> {
        ProcessCommand::parse(text).unwrap().argv()
    }

    #[test]
    fn plain_commands_run_directly() {
        for (text, words) in [
            ("/app", &["/app"][..]),
            ("node server.js --port=3000", &["node", "server.js", "--port=3000"]),
            ("  bundle   exec\tpuma ", &["bundle", "exec", "puma"]),
            (r"sh -c 'cd app && exec node $PORT'", &["sh", "-c", "cd app && exec node $PORT"]),
            (r#"say "a \"b\" \\ \n" it\'s ''"#, &["say", r#"a "b" \ \n"#, "it's", ""]),
            ("php-fpm -F a#b x=y", &["php-fpm", "-F", "a#b", "x=y"]),
            (r#""A=1" x"#, &["A=1", "x"]),
        ] {
            assert_eq!(argv(text), words, "{text}");
        }
    }

    #[test]
    fn shell_syntax_runs_in_the_shell_of_the_image() {
        for (text, script) in [
            ("gunicorn -b :$PORT app", "exec gunicorn -b :$PORT app"),
            ("gunicorn -b \":$PORT\" app", "exec gunicorn -b \":$PORT\" app"),
            ("NODE_ENV=production node x.js", "NODE_ENV=production exec node x.js"),
            ("A=1 B='2 3' ./run --x", "A=1 B='2 3' exec ./run --x"),
            ("node x.js 2>&1", "exec node x.js 2>&1"),
            ("node *.js # all of them, don't worry", "exec node *.js # all of them, don't worry"),
            ("cd app && node x.js", "cd app && node x.js"),
            ("migrate; seed", "migrate; seed"),
            ("a | b", "a | b"),
            ("a & b", "a & b"),
            ("exec node x.js", "exec node x.js"),
            ("java -Xmx$(cat /m) -jar a.jar", "java -Xmx$(cat /m) -jar a.jar"),
            ("A=1", "A=1"),
            ("(a)", "(a)"),
            ("ls ~", "exec ls ~"),
        ] {
            assert_eq!(argv(text), ["/bin/sh", "-c", script], "{text}");
        }
    }

    #[test]
    fn broken_commands_say_what_is_broken() {
        assert_eq!(ProcessCommand::parse("  "), Err(CommandError::Empty));
        assert_eq!(ProcessCommand::parse("echo 'a"), Err(CommandError::UnclosedQuote('\'')));
        assert_eq!(ProcessCommand::parse("echo \"a\\\""), Err(CommandError::UnclosedQuote('"')));
        assert_eq!(ProcessCommand::parse("echo \\"), Err(CommandError::TrailingBackslash));
        assert_eq!(ProcessCommand::parse("a\0b"), Err(CommandError::Nul));
    }

    proptest! {
        #[test]
        fn an_argv_always_has_a_program(text in r#"[a-z =$&|;'"\\#~ü]{0,24}"#) {
            if let Ok(command) = ProcessCommand::parse(&text) {
                prop_assert!(!command.argv().is_empty());
                prop_assert_eq!(command.as_str(), text.trim());
            }
        }
    }
}
