//! Help and complaints about the command line in the words of those who read them: Chinese first, with what to do next.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::{ArgAction, Command};
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, Parser};

use crate::failure::Failure;
use crate::words;

/// Reads the arguments; help, version and complaints are printed here, and the exit code is returned.
///
/// # Errors
/// The exit code: 0 after help or version, 2 when the arguments make no sense.
pub fn parse<T: Parser>(args: Vec<OsString>) -> Result<T, ExitCode> {
    let json = args.iter().any(|arg| arg == "--json");
    let mut command = chinese(T::command());
    let parsed = command
        .try_get_matches_from_mut(args)
        .and_then(|mut matches| T::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing can be done if standard output is closed.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            eprint!("{}", error.render());
            eprintln!("\n{}", words::USAGE_COMMAND_MISSING);
            ExitCode::from(2)
        }
        _ => {
            let words = complaint(&error);
            eprintln!("{words}");
            if json {
                println!("{}", Failure::usage(words).to_json());
            }
            ExitCode::from(2)
        }
    })
}

/// Headings in Chinese, for the command and all below it.
fn chinese(command: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .help(words::HELP_HELP);
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help(words::HELP_VERSION);
    let has_children = command.has_subcommands();
    let has_version = command.get_version().is_some();
    // Under headings of our own clap would sort by name; the order in which arguments are declared is that of use.
    let mut place = 0;
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .help_template(words::HELP_TEMPLATE)
        .subcommand_help_heading(words::HELP_COMMANDS)
        .arg(help)
        .mut_args(|arg| {
            place += 1;
            let heading = if arg.is_positional() {
                words::HELP_ARGUMENTS
            } else {
                words::HELP_OPTIONS
            };
            let arg = arg.hide_env_values(true).display_order(place);
            match arg.get_help_heading() {
                Some(_) => arg,
                None => arg.help_heading(heading),
            }
        });
    if has_version {
        command = command
            .disable_version_flag(true)
            .arg(version.help_heading(words::HELP_OPTIONS));
    }
    if has_children {
        command = command.mut_subcommands(chinese);
    }
    command
}

/// What is wrong with the arguments and what to do, from what clap found.
fn complaint(error: &Error) -> String {
    let named = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(all)) if !all.is_empty() => Some(all.join("、")),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        _ => None,
    };
    let arg = named(ContextKind::InvalidArg).unwrap_or_default();
    let value = named(ContextKind::InvalidValue).unwrap_or_default();
    let mut said = match error.kind() {
        ErrorKind::MissingRequiredArgument => words::usage_missing(&arg),
        ErrorKind::InvalidSubcommand => {
            words::usage_no_command(&named(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::UnknownArgument => words::usage_unknown(&arg),
        ErrorKind::InvalidValue if value.is_empty() => words::usage_no_value(&arg),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string);
            let why = why.and_then(|why| match why.split_once(" is not in ") {
                Some((_, range)) => Some(words::usage_range(range)),
                None => Some(why).filter(|why| !why.is_ascii()),
            });
            words::usage_bad_value(&arg, &value, why.as_deref())
        }
        ErrorKind::ArgumentConflict | ErrorKind::TooManyValues => words::usage_twice(&arg),
        ErrorKind::MissingSubcommand => words::USAGE_COMMAND_MISSING.to_owned(),
        _ => words::USAGE_WRONG.to_owned(),
    };
    if let Some(valid) = named(ContextKind::ValidValue) {
        said.push_str(&words::usage_valid(&valid));
    }
    let guesses = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    if let Some(guess) = guesses.into_iter().find_map(named) {
        said.push_str(&words::usage_guess(&guess));
    }
    format!("{said}\n{}", words::USAGE_NEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{CaseCommand, Common};

    #[derive(Parser, Debug)]
    #[command(name = "village")]
    struct Cli {
        #[command(flatten)]
        _common: Common,
        #[command(subcommand)]
        _command: Top,
    }

    #[derive(clap::Subcommand, Debug)]
    enum Top {
        /// 办件
        #[command(subcommand)]
        Case(CaseCommand),
    }

    fn complained(args: &[&str]) -> String {
        let error = chinese(<Cli as clap::CommandFactory>::command())
            .try_get_matches_from([&["village"], args].concat())
            .unwrap_err();
        complaint(&error)
    }

    #[test]
    fn a_complaint_says_in_chinese_what_is_wrong_and_what_to_do() {
        let told = complained(&["case", "new", "--matter", "B23"]);
        assert_eq!(
            told,
            "还缺：--name <NAME>、--cert-no <CERT_NO>。\n加 --help 查看说明和例子。"
        );
        let told = complained(&["cas"]);
        assert_eq!(told, "没有“cas”这条命令。是不是 case？\n加 --help 查看说明和例子。");
        let told = complained(&["case", "list", "--sate", "closed"]);
        assert!(told.starts_with("不认识“--sate”") && told.contains("--state"), "{told}");
        let told = complained(&["case", "list", "--limit", "x"]);
        assert!(told.contains("“--limit <LIMIT>”不能写“x”"), "{told}");
        let told = complained(&["case", "list", "--state"]);
        assert!(told.starts_with("“--state <STATE>”后面要写内容"), "{told}");
        let told = complained(&["case", "show", "N", "--on"]);
        assert!(told.starts_with("不认识“--on”"), "{told}");
    }

    #[test]
    fn help_has_no_english_headings_alone() {
        let error = chinese(<Cli as clap::CommandFactory>::command())
            .try_get_matches_from(["village", "case", "do", "--help"])
            .unwrap_err();
        let help = error.to_string();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        for heading in ["用法 Usage", "参数 Arguments", "选项 Options", "通用选项 Options"] {
            assert!(help.contains(heading), "{help}");
        }
        assert!(help.find("<NUMBER>  ") < help.find("<EVENT>  "), "{help}");
        for english in ["\nOptions:", "\nArguments:", "Print help"] {
            assert!(!help.contains(english), "{help}");
        }
    }
}
