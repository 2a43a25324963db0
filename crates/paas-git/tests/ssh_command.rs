//! 10,000 hostile commands: only known verbs on well-formed names ever come out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic; clippy knows only `#[test]` functions"
)]

use paas_domain::AppName;
use paas_git::SshCommand;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Pieces an attacker would put together.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "git-receive-pack",
        "git-upload-pack",
        "git-upload-archive",
        "git",
        "receive-pack",
        "upload-pack",
        "git-shell",
        " ",
        "  ",
        "'",
        "\"",
        "\\",
        ";",
        "|",
        "&&",
        "$(reboot)",
        "`id`",
        "${IFS}",
        "--upload-pack=/bin/sh",
        "--receive-pack=x",
        "-oProxyCommand=reboot",
        "--",
        "-",
        "../",
        "..",
        "/",
        "~/",
        "~root",
        ".git",
        "blog",
        "'blog'",
        "'/blog'",
        "'../../etc/passwd'",
        "\n",
        "\r",
        "\0",
        "\t",
        "\x1b[2J",
        "\u{202e}",
        "ü",
        "東京",
        "#",
        "*",
        ">",
        "<(",
        "apps:list",
        "config:set",
        "A=1",
        "\u{9b}",
        "\u{feff}",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}", 1 => "[a-z0-9/.' -]{0,70}"]
}

fn line() -> impl Strategy<Value = String> {
    let verb =
        prop::sample::select(vec!["", "git-receive-pack ", "git-upload-pack ", "git receive-pack ", "git-"]);
    (verb, prop::collection::vec(piece(), 0..8)).prop_map(|(verb, pieces)| verb.to_owned() + &pieces.concat())
}

/// What has to hold for every line.
fn judge(line: &str) -> Result<(), TestCaseError> {
    match SshCommand::parse(line) {
        Ok(SshCommand::ReceivePack { app }) => prop_assert!(is_plain(line, "receive-pack", &app), "{line:?}"),
        Ok(SshCommand::UploadPack { app }) => prop_assert!(is_plain(line, "upload-pack", &app), "{line:?}"),
        Ok(SshCommand::CommandLine(words)) => {
            prop_assert!(!words.is_empty());
            prop_assert!(words[0] != "git" && !words[0].starts_with("git-"), "{line:?}");
            prop_assert!(
                words.iter().all(|word| word.contains('=') || !word.contains(char::is_control)),
                "{line:?}"
            );
        }
        Ok(SshCommand::Empty) => prop_assert!(shell_words::split(line).unwrap().is_empty()),
        Err(error) => {
            let shown = error.to_string();
            prop_assert!(!shown.contains(char::is_control), "{line:?}: {shown:?}");
            prop_assert!(!shown.contains('\u{202e}') && shown.len() < 700, "{line:?}: {shown:?}");
        }
    }
    Ok(())
}

/// Whether a line is nothing but the verb and a spelling of the name.
fn is_plain(line: &str, verb: &str, app: &AppName) -> bool {
    let words = shell_words::split(line).unwrap();
    let rest = match words[0].as_str() {
        "git" => &words[1..],
        first if first == format!("git-{verb}") => &words[..],
        _ => return false,
    };
    let [given, path] = rest else { return false };
    let name = app.as_str();
    let spelled = ["", "/", "~/", "/~/"].iter().any(|before| {
        ["", "/", ".git", ".git/"].iter().any(|after| *path == format!("{before}{name}{after}"))
    });
    given.trim_start_matches("git-") == verb && spelled && !name.starts_with('-') && !name.contains("..")
}

proptest! {
    #![proptest_config(Config { cases: 10_000, ..Config::default() })]

    #[test]
    fn only_known_verbs_on_names_come_out(line in line()) {
        judge(&line)?;
    }
}

#[test]
fn a_megabyte_is_refused_without_being_read() {
    for piece in ["a", "'", "\\", "git-receive-pack 'blog' ", "\u{202e}"] {
        let line = piece.repeat((1 << 20) / piece.len() + 1);
        assert!(SshCommand::parse(&line).is_err());
        judge(&line).unwrap();
    }
}
