//! The demo (演示): a county of real processes on this machine, its lines cut and healed, live in the terminal.
//!
//! One binary that is three: `cunlian-demo node …` and `cunlian-demo hub …` are our two products, and without such a word it starts
//! itself nine times, once per place.

mod audit;
mod board;
mod desks;
mod keyboard;
mod story;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
村联演示：一个县、两个乡镇、六个村室，全部是本机上的真实进程。

  cunlian-demo           演示后留在屏幕上，可以输入命令（cut 3、heal 3、kill township 1、new 2、quit）
  cunlian-demo --once    演示完自行结束；各级一致、没有丢失时退出码为 0";

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let word = args
        .get(1)
        .and_then(|word| word.to_str())
        .unwrap_or_default()
        .to_owned();
    match word.as_str() {
        "node" => {
            args.drain(..2);
            args.insert(0, "cunlian-node".into());
            cunlian_node::main_with(args)
        }
        "hub" => {
            args.drain(..2);
            args.insert(0, "cunlian-hub".into());
            cunlian_hub::main_with(args)
        }
        "" => told(story::run(story::Ending::ByKeyboard)),
        "--once" => told(story::run(story::Ending::ByItself)),
        "--help" | "-h" => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("不认识“{word}”。\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn told(outcome: anyhow::Result<story::Outcome>) -> ExitCode {
    match outcome {
        Ok(story::Outcome::InStep) => ExitCode::SUCCESS,
        Ok(story::Outcome::Apart) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("演示没有完成：{error:#}");
            ExitCode::FAILURE
        }
    }
}
