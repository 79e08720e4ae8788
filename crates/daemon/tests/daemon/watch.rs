//! What machines that watch are told: figures that Prometheus' own tool finds well formed, and alerts that arrive, signed, once taken.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command as Process, Stdio};

use cunlian_daemon::config::{Watching, Webhook};
use hmac::{Hmac, Mac};
use office::command::AlertRulesSet;
use office::health::Rules;
use serde_json::json;

use super::*;

/// What a listener of figures answers: status and body.
fn ask(place: &Place, path: &str) -> (u16, String) {
    let at = std::fs::read_to_string(place.config.data.join("metrics")).unwrap();
    ask_at(at.trim().parse().unwrap(), path)
}

fn ask_at(at: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    // Small answers come whole; long ones too, as their length is known.
    (status, body.to_owned())
}

/// Runs Prometheus' own tool; its complaints where it has any.
fn promtool(args: &[&str], input: &str, folder: &Path) -> Result<(), String> {
    let mut tool = Process::new("promtool");
    let started = tool
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.expect("promtool is missing: tests/run installs Debian's package `prometheus`");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    match done.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        )),
    }
}

fn watched(place: &mut Place, watching: Watching) {
    *place.config.watching = Watching {
        every: Duration::from_secs(1),
        ..watching
    };
}

/// From how many percent on a disk is told: 0 never, 100 always, whatever machine the tests run on.
fn disk_rule(hub: &Place, disk_percent: u32) {
    let rules = Rules {
        disk_percent,
        ..Rules::default()
    };
    hub.command(Command::AlertRulesSet(AlertRulesSet { rules, user: None }));
}

/// The figures, once a line of them begins so.
fn scraped(place: &Place, line: &str) -> String {
    let began = Instant::now();
    loop {
        let (status, text) = ask(place, "/metrics");
        assert_eq!(status, 200, "{text}");
        if text.lines().any(|l| l.starts_with(line)) {
            return text;
        }
        assert!(began.elapsed() < SOON, "{line}: {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_real_scrape_of_a_real_hub_is_well_formed_and_a_hub_cut_off_from_its_parent_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    let high = county.start().unwrap();
    let mut township = Place::new(Kind::Hub, dir.path().join("township"));
    watched(
        &mut township,
        Watching {
            metrics: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Watching::default()
        },
    );
    join(&township, &ticket(&county, "511603102", high)).unwrap();
    disk_rule(&township, 0);
    let middle = township.start().unwrap();
    let mut room = Place::new(Kind::Node, dir.path().join("room"));
    join(&room, &ticket(&township, "511603102201", middle)).unwrap();
    let made = room.command(case("张三"));
    room.start();
    township.until("the case", &list(), |v| {
        v.as_array().is_some_and(|rows| rows.len() == 1)
    });
    let text = scraped(&township, "cunlian_node_pending_entries{unit=");
    promtool(&["check", "metrics"], &text, dir.path()).unwrap();
    for name in [
        "cunlian_build_info{",
        "cunlian_journal_bytes ",
        "cunlian_ingest_entries_total ",
        "cunlian_sync_duration_seconds_bucket{le=\"0.05\"}",
        "cunlian_sync_duration_seconds_count ",
        "cunlian_sync_failures_total{reason=\"lost\"}",
        "cunlian_conflicts_open 0",
        "cunlian_quarantined_records 0",
        "cunlian_rooms{state=\"in_step\"} 1",
        "cunlian_alerts_open{rule=\"silent\"} 0",
        "cunlian_node_last_seen_timestamp_seconds{unit=",
        "cunlian_node_disk_free_bytes{unit=",
        "cunlian_parent_up 1",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name)),
            "{name} is missing in\n{text}"
        );
    }
    assert!(text.contains("unit=\"511603102201\""), "{text}");
    let number = made["project_no"].as_str().unwrap();
    for private in ["张", "11010519491231002X", "13800138000", number] {
        assert!(!text.contains(private), "{private}");
    }

    county.stop();
    let text = scraped(&township, "cunlian_parent_up 0");
    promtool(&["check", "metrics"], &text, dir.path()).unwrap();
    assert_eq!(ask(&township, "/livez"), (200, "ok\n".to_owned()));
    assert_eq!(ask(&township, "/readyz"), (200, "ready\n".to_owned()));
    let (status, text) = ask(&township, "/api/v1/status");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &value["parent_up"], &value["states"]["in_step"]),
        (200, &json!(false), &json!(1)),
        "{text}"
    );
    assert_eq!(ask(&township, "/nothing").0, 404);
    room.stop();
    township.stop();
}

#[test]
fn a_hub_that_still_opens_its_folder_lives_and_is_not_ready_and_then_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut county = county(dir.path());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    watched(
        &mut county,
        Watching {
            metrics: Some(free),
            ..Watching::default()
        },
    );
    // Somebody else still has the folder: the daemon waits for it.
    let folder = std::fs::File::options()
        .write(true)
        .open(county.config.data.join("lock"))
        .unwrap();
    folder.try_lock().unwrap();
    let looking = std::thread::spawn(move || {
        let began = Instant::now();
        while TcpStream::connect(free).is_err() {
            assert!(began.elapsed() < SOON, "nobody listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        let seen = ["/livez", "/readyz", "/metrics", "/api/v1/status", "/nothing"].map(|path| ask_at(free, path));
        folder.unlock().unwrap();
        seen
    });
    county.start();
    let [live, ready, figures, status, nothing] = looking.join().unwrap();
    assert_eq!(live, (200, "ok\n".to_owned()));
    for (code, said) in [ready, figures, status] {
        assert_eq!((code, said.as_str()), (503, "not ready: opening\n"));
    }
    assert_eq!(nothing.0, 404);
    assert_eq!(ask(&county, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(ask(&county, "/metrics").0, 200);
    county.stop();
    assert!(TcpStream::connect(free).is_err(), "nobody listens any more");
}

#[test]
fn the_rules_that_are_shipped_are_rules_and_speak_when_they_should() {
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hub/ops");
    promtool(&["check", "rules", "alerts.rules.yml"], "", &ops).unwrap();
    promtool(&["test", "rules", "alerts.test.yml"], "", &ops).unwrap();
    let rules = std::fs::read_to_string(ops.join("alerts.rules.yml")).unwrap();
    let dashboard = std::fs::read_to_string(ops.join("dashboard.json")).unwrap();
    serde_json::from_str::<Value>(&dashboard).unwrap();
    // Every figure that they speak of is one that a hub tells.
    let told = include_str!("../../src/metrics/text.rs");
    for text in [rules, dashboard] {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let name = word.strip_suffix("_bucket").unwrap_or(word);
            assert!(
                !name.starts_with("cunlian_") || told.contains(&format!("\"{name}\"")),
                "{name}"
            );
        }
    }
}

/// One post that came: head and body.
fn receive(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn an_alert_is_posted_signed_until_it_is_taken_and_then_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    receiver.set_nonblocking(true).unwrap();
    let url = format!("http://{}/hook?x=1", receiver.local_addr().unwrap());
    let mut county = county(dir.path());
    let webhook = Webhook {
        url,
        secret: Some("s3cret".to_owned()),
        ca: None,
    };
    watched(
        &mut county,
        Watching {
            webhook: Some(webhook),
            ..Watching::default()
        },
    );
    disk_rule(&county, 100);
    county.start();
    let answer = |status: &str| {
        let began = Instant::now();
        let mut stream = loop {
            match receiver.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if began.elapsed() < SOON => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => panic!("nothing was posted: {error}"),
            }
        };
        stream.set_nonblocking(false).unwrap();
        let post = receive(&mut stream);
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
        post
    };
    // The first time it is not taken.
    let (_, refused) = answer("500 Oops");
    let (head, body) = answer("204 No Content");
    assert_eq!(refused, body, "the same news again");
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /hook?x=1 http/1.1"), "{head}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(&body);
    let signed = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    assert!(
        head.contains(&format!("x-cunlian-signature: sha256={signed}")),
        "{head}"
    );
    let news: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&news["event"], &news["rule"], &news["unit"]),
        (&json!("raised"), &json!("disk"), &json!("511603000000")),
        "{news}"
    );
    assert!(
        head.contains(&format!("x-cunlian-event-id: {}", news["id"].as_str().unwrap())),
        "{head}"
    );
    // What was taken is not told again; that it is over is told next.
    disk_rule(&county, 0);
    let (_, body) = answer("200 OK");
    let news: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&news["event"], &news["rule"]),
        (&json!("cleared"), &json!("disk")),
        "{news}"
    );
    county.stop();
}
