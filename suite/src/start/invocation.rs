//! What a command line means: a program with its words, or something for a shell.

use std::{fmt, str::FromStr};

/// How a command is run.
///
/// Words are split as a shell would, quotes included, and the program is run without one. What only a shell
/// understands (pipes, `&&`, redirections, variables, globs, `NAME=value` in front) goes to `sh -c` as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    Words { program: String, arguments: Vec<String> },
    Shell(String),
}

/// A command that neither a shell nor we could take apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableCommand {
    #[error("the command is empty; give the one that starts your server")]
    Empty,
    #[error("the command {0:?} has a quote that is not closed, or ends in a backslash")]
    Unclosed(String),
}

impl FromStr for Invocation {
    type Err = UnreadableCommand;

    fn from_str(text: &str) -> Result<Self, UnreadableCommand> {
        let words = shlex::split(text).ok_or_else(|| UnreadableCommand::Unclosed(text.to_owned()))?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(UnreadableCommand::Empty)?;
        Ok(match is_assignment(&program) || speaks_shell(text) {
            true => Self::Shell(text.to_owned()),
            false => Self::Words { program, arguments: words.collect() },
        })
    }
}

impl Invocation {
    /// The program that is executed.
    pub fn program(&self) -> &str {
        match self {
            Self::Words { program, .. } => program,
            Self::Shell(_) if cfg!(windows) => "cmd",
            Self::Shell(_) => "sh",
        }
    }

    /// Its arguments.
    pub fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Words { arguments, .. } => arguments.iter().map(String::as_str).collect(),
            Self::Shell(command) if cfg!(windows) => vec!["/C", command],
            Self::Shell(command) => vec!["-c", command],
        }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(command) => f.write_str(command),
            Self::Words { program, arguments } => {
                let words = std::iter::once(program).chain(arguments).map(String::as_str);
                // No word has a NUL: shlex has split them out of one text without any.
                f.write_str(&shlex::try_join(words).unwrap_or_else(|_| program.clone()))
            }
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Whether a character has a meaning for a shell that splitting into words would lose.
fn speaks_shell(text: &str) -> bool {
    let (mut single, mut double, mut escaped) = (false, false, false);
    for c in text.chars() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\'' if !double => single = !single,
            _ if single => {}
            '\\' => escaped = true,
            '"' => double = !double,
            '$' | '`' => return true,
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '~' | '#' | '\n' if !double => {
                return true;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_need_no_shell() {
        for (text, expected) in [
            ("npm start", &["npm", "start"][..]),
            ("'my server' --port 4437 \"--name=a b\"", &["my server", "--port", "4437", "--name=a b"]),
            ("server '$HOME' \\*", &["server", "$HOME", "*"]),
        ] {
            let invocation: Invocation = text.parse().expect("a command");
            let mut words = vec![invocation.program()];
            words.extend(invocation.arguments());
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn what_only_a_shell_understands_goes_to_one() {
        for text in [
            "PORT=4437 server",
            "a && b",
            "server > log",
            "server --port $PORT",
            "a \"`b`\"",
            "ls *.js",
            "cd a; b",
        ] {
            assert_eq!(text.parse(), Ok(Invocation::Shell(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_command_is_told() {
        assert_eq!("".parse::<Invocation>(), Err(UnreadableCommand::Empty));
        assert_eq!("  ".parse::<Invocation>(), Err(UnreadableCommand::Empty));
        let unclosed = UnreadableCommand::Unclosed("server 'a".to_owned());
        assert_eq!("server 'a".parse::<Invocation>(), Err(unclosed));
    }
}
