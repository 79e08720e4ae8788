//! The demo as somebody shows it: `cut 3` is typed, and the room's tile turns on the walls of both hubs within ten seconds.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use cunlian_tests::county::TOWNSHIPS;

use super::driver::Browser;
use super::hub::enrol;
use super::hub_attack::Visitor;

/// What the design promises.
const PROMISED: Duration = Duration::from_secs(10);
/// Setting up and bringing six rooms into step, on a machine that does other things too.
const STORY: Duration = Duration::from_secs(240);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The program as one starts it, without a terminal.
struct Demo {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = writeln!(self.orders, "quit");
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cunlian-demo"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo");
        let orders = child.stdin.take().expect("its input");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, orders, lines }
    }

    /// The next line in which this stands.
    fn line(&self, words: &str) -> String {
        let began = Instant::now();
        let mut before = Vec::new();
        loop {
            let left = STORY.saturating_sub(began.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("{words}: {error}\n{}", before.join("\n")),
            }
        }
    }

    /// Where somebody signs in, and with which code.
    fn console(&self, name: &str) -> (SocketAddr, String) {
        let line = self.line(name);
        let (_, rest) = line.split_once("http://").expect("an address");
        let (addr, rest) = rest.split_once('/').expect("its end");
        let (_, code) = rest.split_once("登记码 ").expect("a code");
        (addr.parse().expect("an address"), code.trim().to_owned())
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("it listens");
    }
}

/// Both walls, each looking at room 3.
struct Walls {
    county: Visitor,
    browser: Browser,
    unit: &'static str,
}

impl Walls {
    /// The state on the county's wall, and on the page that stands open at the township.
    fn states(&self) -> [String; 2] {
        let (status, _, piece) = self.county.get(&format!("/wall/tiles?find={}", self.unit));
        assert_eq!(status, 200, "{piece}");
        let county = piece
            .split_once("data-state=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let script = format!(
            "var t = document.querySelector(\"[data-unit^='{}']\"); return t ? t.dataset.state : ''",
            self.unit
        );
        let township = self.browser.js(&script).as_str().unwrap_or_default().to_owned();
        [county.map_or(String::new(), |(state, _)| state.to_owned()), township]
    }

    /// How long until each says so.
    fn until(&self, state: &str, patience: Duration) -> [Duration; 2] {
        let began = Instant::now();
        let mut after = [None; 2];
        loop {
            let states = self.states();
            for (after, said) in after.iter_mut().zip(&states) {
                if said == state && after.is_none() {
                    *after = Some(began.elapsed());
                }
            }
            if let [Some(county), Some(township)] = after {
                return [county, township];
            }
            assert!(began.elapsed() < patience, "{state}: county, township say {states:?}");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

#[test]
fn cut_3_in_the_demo_is_on_the_walls_of_both_hubs_within_ten_seconds_and_heal_3_takes_it_away() {
    let mut demo = Demo::start();
    let (county, county_code) = demo.console("钱敏");
    let (township, township_code) = demo.console("孙主任");
    let unit = TOWNSHIPS[0].1[2].0;
    let browser = Browser::open();
    enrol(&browser, township, "孙主任", &township_code);
    browser.go(&format!("http://{township}/wall?find={unit}"));
    browser.js("window.neverReloaded = true");
    let walls = Walls {
        county: Visitor::come(county).enrol("钱敏", &county_code),
        browser,
        unit,
    };
    demo.line("核对：三级摘要一致");
    walls.until("in_step", 6 * PROMISED);
    for round in 1..=2 {
        demo.order("cut 3");
        let [county, township] = walls.until("silent", 6 * PROMISED);
        println!("round {round}: silent after {county:?} at the county, {township:?} at the township");
        assert!(county <= PROMISED && township <= PROMISED, "{county:?} {township:?}");
        let text = walls.browser.text();
        assert!(text.contains("静默"), "{text}");
        demo.order("heal 3");
        let [county, township] = walls.until("in_step", 6 * PROMISED);
        println!("round {round}: in step again after {county:?} and {township:?}");
    }
    assert_eq!(walls.browser.js("return window.neverReloaded"), true);
}
