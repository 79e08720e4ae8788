//! The story the demo tells: in step, cut apart, everybody works on, healed, in step again.

use std::fs;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cunlian_tests::county::{County, PlaceId, TOWNSHIPS, Tiers, daybook};
use serde_json::Value;

use crate::audit::{Audit, audit};
use crate::board::Board;
use crate::desks;
use crate::keyboard::{self, Order};
use crate::watch;

/// How the demo ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When the story is told.
    ByItself,
    /// When somebody says `quit`, or standard input closes.
    ByKeyboard,
}

/// What the last reckoning found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All tiers equal, nothing lost.
    InStep,
    Apart,
}

/// Six rooms catching up with a day book take seconds; a machine under load may take longer.
const STEP_PATIENCE: Duration = Duration::from_secs(180);
const REDRAW: Duration = Duration::from_millis(500);
/// A killed township comes back by itself, as a service does.
const RESTART_AFTER: Duration = Duration::from_secs(5);
/// An input that is no terminal and stays silent this long has nothing more to say.
const SILENCE: Duration = Duration::from_secs(30);

const PHONE_AT_ROOM: &str = "13800138001";
const PHONE_AT_TOWNSHIP: &str = "13800138002";
const TITLE_APART: &str = "—— 线路全断，各自工作 ——";

/// The county while the demo plays.
struct Demo {
    county: County,
    tiers: Tiers,
    board: Board,
    /// Cases that a room has acknowledged.
    acknowledged: usize,
    /// Townships that were killed, and when they come back.
    down: Vec<(PlaceId, Instant)>,
    /// Where the rooms' desks are, and who signs in there.
    desks: String,
}

/// Tells the whole story.
///
/// # Errors
/// When a place cannot be set up; what goes wrong among running places is an [`Outcome`].
pub(crate) fn run(ending: Ending) -> Result<Outcome> {
    let exe = std::env::current_exe().context("我自己的程序文件在哪里")?;
    let mut board = Board::new();
    board.say("村联演示 · 前锋区：县中心、两个乡镇、六个村室，九个真实进程，线路经过可以剪断的中继。");
    board.say("正在建县、发入网票、逐个加入……");
    let begun = Instant::now();
    let mut county = County::new(&exe)?;
    county.open_desks();
    county.open_consoles();
    let tiers = county.found_with_rooms()?;
    board.say(&format!("全部就位，用时 {:.1} 秒。", begun.elapsed().as_secs_f32()));
    let mut desks = desks::open_consoles(&county, &tiers)?;
    desks.extend(desks::open(&county, &tiers)?);
    let desks = desks.join("\n");
    board.say(&format!("{desks}\n"));
    let mut demo = Demo {
        county,
        tiers,
        board,
        acknowledged: 0,
        down: Vec::new(),
        desks,
    };
    let mut outcome = demo.story()?;
    if ending == Ending::ByKeyboard {
        outcome = demo.keep_running(outcome)?;
    }
    demo.close();
    Ok(outcome)
}

impl Demo {
    fn story(&mut self) -> Result<Outcome> {
        self.board
            .say("一、线路畅通：每个村室先导入登记簿的头几行，乡镇随即看到。");
        self.import_first_rows()?;
        self.wait_in_step("—— 线路畅通 ——")?;

        self.board
            .say("\n二、剪断全部线路：村室把整本登记簿导入，乡镇照样办理先前收到的件。");
        self.county.cut_all();
        self.import_all()?;
        self.township_staff_act();
        self.draw(TITLE_APART);
        self.board.leave();

        self.board.say("\n三、恢复线路：看各级怎样追平。");
        self.county.heal_all();
        let begun = Instant::now();
        self.wait_in_step("—— 线路恢复，正在追平 ——")?;
        self.board
            .say(&format!("追平用时 {:.1} 秒。", begun.elapsed().as_secs_f32()));
        self.reckon()
    }

    /// The first rows of each room that are still open: the township will act on these.
    fn import_first_rows(&mut self) -> Result<()> {
        let book = daybook();
        let mut text = book.lines().next().unwrap_or_default().to_owned();
        for (room, _) in TOWNSHIPS.iter().flat_map(|(_, rooms)| rooms) {
            let open = book
                .lines()
                .filter(|line| line.contains(&format!(",{room},")) && line.contains(",收件,"));
            open.take(3).for_each(|line| text.push_str(&format!("\n{line}")));
        }
        let file = self.county.file("first.csv");
        fs::write(&file, text + "\n")?;
        for room in self.tiers.rooms.clone() {
            let said = self.county[room].json(&["case", "import", &file.display().to_string()])?;
            self.acknowledged += count(&said, "imported");
        }
        Ok(())
    }

    fn import_all(&mut self) -> Result<()> {
        let file = self.county.file("daybook.csv").display().to_string();
        for (at, room) in self.tiers.rooms.clone().into_iter().enumerate() {
            let said = self.county[room].json(&["case", "import", &file])?;
            let (new, known) = (count(&said, "imported"), count(&said, "unchanged"));
            let refused = said["rejected"].as_array().map_or(0, Vec::len);
            self.acknowledged += new;
            self.board.say(&format!(
                "  村室 {}：导入 {new} 件，已有 {known} 件；{refused} 行不收（别的村室的，或有错，每行都有原因）",
                at + 1
            ));
        }
        Ok(())
    }

    /// Both sides work on the same cases while apart.
    fn township_staff_act(&mut self) {
        for (at, room) in self.tiers.rooms.clone().into_iter().enumerate() {
            let township = self.tiers.above(at);
            let unit = TOWNSHIPS[at / 3].1[at % 3].0;
            let listed = self.county[township].json(&["case", "list", "--unit", unit, "--state", "received"]);
            let numbers: Vec<String> = listed
                .ok()
                .and_then(|cases| cases.as_array().cloned())
                .unwrap_or_default()
                .iter()
                .filter_map(|case| case["project_no"].as_str().map(str::to_owned))
                .collect();
            if let Some(number) = numbers.first() {
                self.act(township, "乡镇受理", &["case", "do", number, "accept"]);
                self.act(
                    room,
                    "村室同时撤件",
                    &["case", "do", number, "withdraw", "--reason", "申请人不办了"],
                );
            }
            if let Some(number) = numbers.get(1) {
                self.act(
                    township,
                    "乡镇改电话",
                    &[
                        "case",
                        "edit",
                        number,
                        "--field",
                        "mobile",
                        "--value",
                        PHONE_AT_TOWNSHIP,
                    ],
                );
                self.act(
                    room,
                    "村室也改电话",
                    &["case", "edit", number, "--field", "mobile", "--value", PHONE_AT_ROOM],
                );
            }
            if let Some(number) = numbers.get(2) {
                self.act(
                    township,
                    "乡镇告知补正",
                    &["case", "do", number, "ask", "--items", "身份证"],
                );
                self.act(
                    room,
                    "村室备注",
                    &["case", "do", number, "note", "--note", "老人行动不便"],
                );
            }
        }
    }

    /// What the rules refuse is told and no fault of the county's.
    fn act(&mut self, place: PlaceId, what: &str, args: &[&str]) {
        let number = args.get(2).copied().unwrap_or_default();
        let line = match self.county[place].say(args) {
            Ok(said) if said.status.success() => format!("  {what} {number}"),
            Ok(said) => format!("  {what} {number} 未办成：{}", said.stderr.trim()),
            Err(error) => format!("  {what} {number} 未办成：{error:#}"),
        };
        self.board.say(&line);
    }

    fn draw(&mut self, title: &str) -> bool {
        let rows = watch::rows(&self.county, &self.tiers);
        self.board.draw(title, &rows);
        rows.iter().all(|row| row.in_step)
    }

    /// Draws until every room is in step or patience ends.
    fn wait_in_step(&mut self, title: &str) -> Result<bool> {
        let deadline = Instant::now() + STEP_PATIENCE;
        loop {
            let begun = Instant::now();
            let books = self.draw(title);
            if books && self.receipts_are_down() {
                self.board.leave();
                return Ok(true);
            }
            if begun > deadline {
                self.board.leave();
                return Ok(false);
            }
            std::thread::sleep(REDRAW.saturating_sub(begun.elapsed()));
        }
    }

    /// Whether every room knows that nothing of it waits for a higher tier, and all places agree.
    fn receipts_are_down(&self) -> bool {
        let none_waits = self.tiers.rooms.iter().all(|room| {
            let pending = self.county[*room]
                .json(&["status"])
                .map(|status| status["pending"]["county"].as_u64());
            matches!(pending, Ok(Some(0)))
        });
        none_waits && self.county.in_step(&self.tiers.all()).unwrap_or(false)
    }

    fn reckon(&mut self) -> Result<Outcome> {
        let Audit { cases, faults, merged } = audit(&self.county, &self.tiers, self.acknowledged)?;
        if faults.is_empty() {
            self.board.say(&format!(
                "\n核对：三级摘要一致；{cases} 件一件不少、一件不重，都已到县；九个数据文件夹核验通过。"
            ));
        } else {
            self.board.say(&format!("\n核对发现 {} 处问题：", faults.len()));
            faults
                .iter()
                .take(20)
                .for_each(|fault| self.board.say(&format!("  {fault}")));
        }
        if !merged.is_empty() {
            self.board.say(&format!(
                "断线期间两边的办理已自动合并，需要知道或裁定的：{}。",
                merged.join("；")
            ));
        }
        Ok(if faults.is_empty() {
            Outcome::InStep
        } else {
            Outcome::Apart
        })
    }

    /// The county stays up and takes orders.
    fn keep_running(&mut self, told: Outcome) -> Result<Outcome> {
        let orders = keyboard::listen(self.board.typed());
        let person = io::stdin().is_terminal();
        let mut outcome = told;
        let mut heard = Instant::now();
        let mut greeted = false;
        loop {
            self.restart_the_killed();
            if person {
                if !greeted {
                    self.board.say(&format!("\n{}", self.desks));
                    self.board
                        .say("\n可以输入：cut 3（剪断村室 3）  heal 3  kill township 1  new 2（村室 2 收一件）  quit");
                    greeted = true;
                }
                self.draw("—— 运行中 ——");
            }
            match next(&orders, person, heard) {
                Next::Order(Order::Quit) => return Ok(outcome),
                Next::Order(order) => {
                    heard = Instant::now();
                    self.obey(order);
                }
                Next::Nothing => {}
                Next::End => {
                    // Nobody can heal the lines any more: bring the county to rest and reckon once more if anything happened.
                    if self.is_disturbed() {
                        outcome = self.bring_to_rest()?;
                    }
                    return Ok(outcome);
                }
            }
        }
    }

    fn is_disturbed(&self) -> bool {
        let cut = |room: &PlaceId| {
            self.tiers
                .townships
                .iter()
                .any(|t| self.county.relay(*room, *t).is_some_and(|r| r.is_cut()))
        };
        !self.down.is_empty() || self.tiers.rooms.iter().any(cut) || !self.receipts_are_down()
    }

    fn bring_to_rest(&mut self) -> Result<Outcome> {
        self.county.heal_all();
        for (township, _) in std::mem::take(&mut self.down) {
            self.county.start(township)?;
        }
        self.wait_in_step("—— 收尾 ——")?;
        self.reckon()
    }

    fn obey(&mut self, order: Order) {
        let room = |n: usize| self.tiers.rooms.get(n - 1).copied();
        let answer = match order {
            Order::Cut(n) => room(n).map(|id| {
                self.county.cut(id);
                format!("村室 {n} 的线路断了")
            }),
            Order::Heal(n) => room(n).map(|id| {
                self.county.heal(id);
                format!("村室 {n} 的线路恢复了")
            }),
            Order::KillTownship(n) => self.tiers.townships.get(n - 1).copied().map(|id| {
                self.county[id].kill();
                self.down.retain(|(down, _)| *down != id);
                self.down.push((id, Instant::now() + RESTART_AFTER));
                format!(
                    "乡镇 {n} 的进程被杀死（SIGKILL），{} 秒后自动重启",
                    RESTART_AFTER.as_secs()
                )
            }),
            Order::New(n) => room(n).map(|id| self.new_case(n, id)),
            Order::Quit | Order::Unknown => None,
        };
        let unknown = "听不懂。可以输入：cut 3、heal 3、kill township 1、new 2、quit（村室 1–6，乡镇 1–2）";
        self.board.say(&answer.unwrap_or_else(|| unknown.to_owned()));
    }

    fn new_case(&mut self, n: usize, room: PlaceId) -> String {
        let args = [
            "case",
            "new",
            "--matter",
            "B23",
            "--name",
            "张三",
            "--cert-no",
            "11010519491231002X",
        ];
        match self.county[room].json(&args) {
            Ok(said) => {
                self.acknowledged += 1;
                format!("村室 {n} 收了一件：{}", said["project_no"].as_str().unwrap_or_default())
            }
            Err(error) => format!("村室 {n} 没有收成：{error:#}"),
        }
    }

    fn restart_the_killed(&mut self) {
        let due = |(_, at): &(PlaceId, Instant)| *at <= Instant::now();
        for (township, _) in self.down.extract_if(.., |entry| due(entry)).collect::<Vec<_>>() {
            let told = match self.county.start(township) {
                Ok(()) => "乡镇重新起来了，它的村室会自己连上".to_owned(),
                Err(error) => format!("乡镇没有起来：{error:#}"),
            };
            self.board.say(&told);
        }
    }

    /// Rooms first, so that nobody dials a hub that is gone.
    fn close(&mut self) {
        for place in self.tiers.all().into_iter().rev() {
            if let Err(error) = self.county[place].stop() {
                self.board.say(&format!("{error:#}"));
            }
        }
    }
}

enum Next {
    Order(Order),
    Nothing,
    End,
}

fn next(orders: &Receiver<Order>, person: bool, heard: Instant) -> Next {
    match orders.recv_timeout(REDRAW) {
        Ok(order) => Next::Order(order),
        Err(RecvTimeoutError::Disconnected) => Next::End,
        Err(RecvTimeoutError::Timeout) if !person && heard.elapsed() > SILENCE => Next::End,
        Err(RecvTimeoutError::Timeout) => Next::Nothing,
    }
}

fn count(said: &Value, key: &str) -> usize {
    said[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}
