//! `report` on the command line: figures, workbooks, frozen periods, windows assessed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use daemon::cli::{Common, RunArgs};
use daemon::config::{Config, Kind};
use daemon::render::View;
use daemon::{Action, Ask, Failure, FolderNeed, ask_folder};
use ledger::day::Day;
use office::command::{AbsenceNote, Assess, Command, Frame, Report, ReportFreeze, ReportKept, ReportOf};

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "例 Example:\n  cunlian-hub --data D report --month 2026-10\n  cunlian-hub --data D report --period 2026-01..10 --unit 511603102 --xlsx 十月.xlsx\n  \
                  cunlian-hub --data D report freeze 2026-10"
)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    what: Option<ReportCommand>,
    /// 哪个月，如 2026-10，缺省为本月 · the month
    #[arg(long, value_name = "YYYY-MM", conflicts_with = "period")]
    month: Option<String>,
    /// 统计期：日 2026-10-09，季 2026-Q4，年 2026，累计 2026-01..10 · day, quarter, year, months
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    #[command(flatten)]
    of: Of,
    /// 存成 Excel 文件 · save as a workbook
    #[arg(long, value_name = "FILE.xlsx")]
    xlsx: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
struct Of {
    /// 哪个机构，缺省为本中心及全部下级 · which unit
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// 用现行口径（按今天的机构） · by today's units
    #[arg(long)]
    now: bool,
}

impl Of {
    fn frame(&self) -> Frame {
        if self.now { Frame::Now } else { Frame::Then }
    }
}

#[derive(Subcommand, Debug)]
enum ReportCommand {
    /// 定稿一个已结束的统计期 · freeze a period that is over
    Freeze {
        /// 统计期 · the period
        period: String,
        #[command(flatten)]
        of: Of,
    },
    /// 全部定稿 · everything frozen
    List,
    /// 看一份定稿和以后的补报 · one frozen report, and what came late
    Show {
        /// 定稿编号 · its id
        id: String,
    },
    /// 窗口量化考核 · windows assessed
    Assess {
        /// 统计期 · the period
        #[arg(long)]
        period: Option<String>,
        /// 哪个机构 · which unit
        #[arg(long, value_name = "CODE")]
        unit: Option<String>,
    },
    /// 登记A岗缺岗 · note that a post was empty
    Absent {
        /// 村室代码 · the room
        #[arg(long, value_name = "CODE")]
        unit: String,
        /// 谁 · who
        #[arg(long)]
        name: String,
        /// 哪一天 · on which day
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        on: Day,
        /// am 上午、pm 下午、day 全天 · which half
        #[arg(long, default_value = "day", value_parser = ["am", "pm", "day"])]
        half: String,
        /// 撤回这次登记 · take it back
        #[arg(long)]
        undo: bool,
    },
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "日期请写成 2026-10-09 的样子".to_owned())
}

impl ReportArgs {
    pub(crate) fn action(self) -> Result<Action, Failure> {
        let shown = self.shown();
        let (report, view) = match self.what {
            None => (shown, View::Report),
            Some(ReportCommand::Freeze { period, of }) => {
                let frame = of.frame();
                let freeze = ReportFreeze {
                    period,
                    unit: of.unit,
                    frame,
                    user: None,
                };
                (Report::Freeze(freeze), View::ReportFrozen)
            }
            Some(ReportCommand::List) => (Report::List, View::ReportList),
            Some(ReportCommand::Show { id }) => (Report::Kept(ReportKept { id }), View::Report),
            Some(ReportCommand::Assess { period, unit }) => (Report::Assess(Assess { period, unit }), View::Assess),
            Some(ReportCommand::Absent {
                unit,
                name,
                on,
                half,
                undo,
            }) => {
                let note = AbsenceNote {
                    unit,
                    name,
                    on,
                    half,
                    undo,
                    user: None,
                };
                (Report::Absence(note), View::Absence)
            }
        };
        Ok(Action::ask(Command::Report(report), view))
    }

    fn shown(&self) -> Report {
        Report::Show(ReportOf {
            period: self.period.clone().or_else(|| self.month.clone()),
            unit: self.of.unit.clone(),
            frame: self.of.frame(),
        })
    }

    /// Where a workbook is wanted.
    pub(crate) fn xlsx(&self) -> Option<&Path> {
        self.xlsx.as_deref().filter(|_| self.what.is_none())
    }

    /// Asks for the report and saves it as a workbook.
    pub(crate) fn save(&self, common: &Common, file: &Path) -> ExitCode {
        let saved = || -> Result<(), Failure> {
            let config = Config::load(Kind::Hub, common, &RunArgs::default(), None)?;
            let ask = Ask::Command(Box::new(Command::Report(self.shown())));
            let report = ask_folder(&config, ask, FolderNeed::Existing)?;
            let bytes = crate::console::reports::workbook_of(report).map_err(Failure::failed)?;
            std::fs::write(file, bytes)
                .map_err(|e| Failure::failed(format!("写不了 {}（{e}），请换一个地方再试。", file.display())))
        };
        match saved() {
            Ok(()) => {
                println!("已存成 {}", file.display());
                ExitCode::SUCCESS
            }
            Err(failure) => {
                eprintln!("{}", failure.message);
                ExitCode::from(failure.exit)
            }
        }
    }
}
