use clap::Args;
use paas_domain::AppName;

use crate::error::CliError;

/// Which app a command is about: `-a`, the first word, or the clone's `deploy` remote.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AppArg {
    /// The app; else the first word, or what the `deploy` git remote says
    #[arg(short = 'a', long = "app", value_name = "APP")]
    app: Option<String>,
    /// The app of the git remote, told by a laptop
    #[arg(long, hide = true)]
    remote_app: Option<String>,
}

/// How many words a command takes after the app.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arity {
    Exactly(usize),
    /// Any number; a first word that could be an app's name is one, unless the app is known.
    Any,
}

impl AppArg {
    /// Takes the app's name out of the words, and one more word if there is one. A hostname is no app's name: it has dots.
    pub(crate) fn split_optional(&self, words: Vec<String>) -> Result<(AppName, Option<String>), CliError> {
        let (app, rest) = self.split(words, Arity::Any)?;
        if rest.len() > 1 {
            return Err(CliError::usage(format!(
                "this takes at most 1 word after the app, not {}",
                rest.len()
            ))
            .hint("see --help for an example"));
        }
        Ok((app, rest.into_iter().next()))
    }

    /// Takes the app's name out of the words.
    pub(crate) fn split(&self, words: Vec<String>, arity: Arity) -> Result<(AppName, Vec<String>), CliError> {
        if let Some(app) = &self.app {
            return checked(app, words, arity, 0);
        }
        let first_is_app = match arity {
            Arity::Exactly(count) => words.len() > count,
            Arity::Any => {
                words.first().is_some_and(|word| !word.contains('=') && AppName::new(word.as_str()).is_ok())
            }
        };
        match (first_is_app, &self.remote_app) {
            (true, _) => {
                let app = words[0].clone();
                checked(&app, words, arity, 1)
            }
            (false, Some(app)) => checked(app, words, arity, 0),
            // The first word is meant as the app even when it cannot be one: its error says why.
            (false, None) => match words.first() {
                Some(word) if !word.contains('=') => checked(&word.clone(), words, arity, 1),
                _ => Err(CliError::usage("say which app: as the first word, or with -a APP")),
            },
        }
    }
}

/// The app of a command that takes no other words.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OneApp {
    #[command(flatten)]
    app: AppArg,
    /// The app
    #[arg(value_name = "APP")]
    word: Option<String>,
}

impl OneApp {
    /// Its name.
    pub(crate) fn name(self) -> Result<AppName, CliError> {
        self.app.split(self.word.into_iter().collect(), Arity::Exactly(0)).map(|(app, _)| app)
    }
}

fn checked(
    app: &str,
    words: Vec<String>,
    arity: Arity,
    skip: usize,
) -> Result<(AppName, Vec<String>), CliError> {
    let app = AppName::new(app).map_err(|error| CliError::usage(error.to_string()))?;
    let rest: Vec<String> = words.into_iter().skip(skip).collect();
    if let Arity::Exactly(count) = arity
        && rest.len() != count
    {
        let words = if count == 1 { "word" } else { "words" };
        return Err(CliError::usage(format!("this takes {count} {words} after the app, not {}", rest.len()))
            .hint("see --help for an example"));
    }
    Ok((app, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(
        app: Option<&str>,
        remote: Option<&str>,
        words: &[&str],
        arity: Arity,
    ) -> Result<(String, Vec<String>), CliError> {
        let arg = AppArg { app: app.map(Into::into), remote_app: remote.map(Into::into) };
        arg.split(words.iter().map(|w| (*w).to_owned()).collect(), arity)
            .map(|(app, words)| (app.to_string(), words))
    }

    #[test]
    fn the_app_is_a_flag_the_first_word_or_the_remotes() {
        let expected = ("blog".to_owned(), vec!["A=1".to_owned()]);
        assert_eq!(split(Some("blog"), None, &["A=1"], Arity::Any).unwrap(), expected);
        assert_eq!(split(None, None, &["blog", "A=1"], Arity::Any).unwrap(), expected);
        assert_eq!(split(None, Some("blog"), &["A=1"], Arity::Any).unwrap(), expected);
        assert_eq!(split(None, Some("other"), &["blog", "KEY"], Arity::Exactly(1)).unwrap().0, "blog");
        assert_eq!(split(None, Some("other"), &["KEY"], Arity::Exactly(1)).unwrap().0, "other");
        assert_eq!(split(None, Some("other"), &["KEY", "KEY2"], Arity::Any).unwrap().0, "other");
    }

    #[test]
    fn one_more_word_is_optional() {
        let split = |app: Option<&str>, remote: Option<&str>, words: &[&str]| {
            let arg = AppArg { app: app.map(Into::into), remote_app: remote.map(Into::into) };
            let (app, word) = arg.split_optional(words.iter().map(ToString::to_string).collect()).ok()?;
            Some((app.to_string(), word))
        };
        let host = || Some("www.example.org".to_owned());
        assert_eq!(split(None, None, &["blog"]), Some(("blog".into(), None)));
        assert_eq!(split(None, None, &["blog", "www.example.org"]), Some(("blog".into(), host())));
        assert_eq!(split(Some("blog"), None, &["www.example.org"]), Some(("blog".into(), host())));
        assert_eq!(split(None, Some("blog"), &["www.example.org"]), Some(("blog".into(), host())));
        assert_eq!(split(None, Some("blog"), &[]), Some(("blog".into(), None)));
        assert_eq!(split(None, None, &["blog", "a.example.org", "b.example.org"]), None);
    }

    #[test]
    fn without_an_app_the_error_says_so() {
        assert!(split(None, None, &["A=1"], Arity::Any).is_err());
        assert!(split(None, None, &[], Arity::Exactly(0)).is_err());
        assert!(split(None, None, &["blog"], Arity::Exactly(1)).is_err());
        assert!(split(None, None, &["../etc", "x"], Arity::Exactly(1)).is_err());
    }
}
