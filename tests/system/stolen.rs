//! A stolen PC: no personal value lies on any disk of three tiers, in any disguise; and who copies a locked folder sees masks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use cunlian_tests::api::Api;
use cunlian_tests::county::{County, PlaceId};
use cunlian_tests::place::{Kind, Place};
use serde_json::Value;

use crate::rig::{Line, ON_THE_SPOT, PROMISED, ask, cert_no, new_case, reveal, show, text, wait, wait_for_county};

const WORDS: &str = "石莲村 2026 春";
const DAYBOOK: &str = include_str!("../../crates/ledger/data/daybook_sample.csv");
const ROOM_CODE: &str = "511603102201";
/// Rows of the day book that are typed in.
const ROWS: usize = 40;
/// No more than this is inflated out of one compressed piece.
const INFLATED_MAX: u64 = 16 * 1024 * 1024;

/// Names and an address, with what they are in GBK.
const TYPED: [(&str, &str); 4] = [
    ("欧阳靖瑶", "c5b7d1f4beb8d1fe"),
    ("上官云珠", "c9cfb9d9d4c6d6e9"),
    ("司徒文博", "cbbecdbdcec4b2a9"),
    (
        "龙台镇石桥村七组八十八号",
        "c1facca8d5f2caafc7c5b4e5c6dfd7e9b0cbcaaeb0cbbac5",
    ),
];
const ADDRESS: &str = TYPED[3].0;

/// Byte strings that must be nowhere, each with what it stands for.
#[derive(Default)]
struct Wanted {
    patterns: BTreeMap<Vec<u8>, String>,
}

impl Wanted {
    fn add(&mut self, bytes: impl Into<Vec<u8>>, what: &str) {
        self.patterns.insert(bytes.into(), what.to_owned());
    }

    /// A value in every disguise that a program of this kind might give it by accident.
    fn value(&mut self, value: &str) {
        let utf16: Vec<u16> = value.encode_utf16().collect();
        self.disguised(value.as_bytes(), value);
        self.disguised(&utf16.iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<_>>(), value);
        self.disguised(&utf16.iter().flat_map(|u| u.to_be_bytes()).collect::<Vec<_>>(), value);
        let escaped: String = utf16.iter().map(|u| format!("\\u{u:04x}")).collect();
        self.add(escaped, &format!("{value} escaped"));
        let percent: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        self.add(percent, &format!("{value} percent"));
    }

    fn disguised(&mut self, bytes: &[u8], what: &str) {
        self.add(bytes, what);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        self.add(hex.to_uppercase(), &format!("{what} in hex"));
        self.add(hex, &format!("{what} in hex"));
        for shift in 0..3 {
            self.add(base64_core(bytes, shift), &format!("{what} in base64"));
        }
    }

    /// The number itself, its end, its birthday and sequence, and its digits packed two to a byte.
    fn number(&mut self, number: &str) {
        self.value(number);
        // Six digits of it stand in one of the trail's hashes by chance, once in fifty runs.
        let end = &number[number.len() - 8..];
        self.add(end, &format!("the end of {number}"));
        let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        let packed: Vec<u8> = digits.chunks_exact(2).map(|p| p[0] << 4 | p[1]).collect();
        self.add(packed, &format!("{number} packed"));
        self.add(digits, &format!("{number} as digits"));
    }

    /// What of the patterns lies in `bytes`.
    fn found(&self, finder: &AhoCorasick, bytes: &[u8], long: bool) -> Vec<String> {
        let kinds: Vec<(&Vec<u8>, &String)> = self.patterns.iter().collect();
        let mut told: Vec<String> = finder
            .find_overlapping_iter(bytes)
            .map(|hit| kinds[hit.pattern().as_usize()])
            .filter(|(pattern, _)| !long || pattern.len() > 6)
            .map(|(_, what)| what.clone())
            .collect();
        told.dedup();
        told
    }

    fn finder(&self) -> AhoCorasick {
        AhoCorasick::new(self.patterns.keys()).expect("patterns")
    }
}

/// The characters of base64 that follow from these bytes alone, `shift` bytes behind the start of a group.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|b| (0..8).rev().map(move |i| b >> i & 1))
        .collect();
    let skip = (6 - shift * 8 % 6) % 6;
    let groups = bits[skip..].chunks_exact(6);
    let value = |group: &[u8]| group.iter().fold(0usize, |sum, bit| sum << 1 | usize::from(*bit));
    groups.map(|group| ALPHABET[value(group)]).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

/// Whatever can be inflated out of a file: zstd frames, and what Automerge compresses.
fn inflated(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for at in 0..bytes.len().saturating_sub(4) {
        let rest = &bytes[at..];
        let mut out = Vec::new();
        if rest.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            if let Ok(decoder) = zstd::stream::read::Decoder::new(rest) {
                drop(decoder.take(INFLATED_MAX).read_to_end(&mut out));
            }
        } else if rest.starts_with(&[0x85, 0x6f, 0x4a, 0x83]) && rest.len() > 12 {
            // From the content on: whole if it is a compressed change, in columns if it is a document.
            for from in 9..12 {
                let mut piece = Vec::new();
                let decoder = flate2::read::DeflateDecoder::new(&rest[from..]);
                drop(decoder.take(INFLATED_MAX).read_to_end(&mut piece));
                out.extend(piece);
            }
        }
        if !out.is_empty() {
            pieces.push(out);
        }
    }
    pieces
}

/// Every place below `dir` (and in the log beside it) where something personal lies.
fn lying_open(place: &Place, wanted: &Wanted) -> Vec<String> {
    let finder = wanted.finder();
    let mut told = Vec::new();
    for path in files(place.data()) {
        let bytes = fs::read(&path).expect("a file");
        let shown = path.display().to_string();
        if path.file_name().is_some_and(|name| name == "reserve") {
            assert!(bytes.iter().all(|b| *b == 0), "{shown} is room and nothing else");
            continue;
        }
        let mut all = vec![bytes.clone()];
        all.extend(inflated(&bytes));
        for piece in all {
            told.extend(
                wanted
                    .found(&finder, &piece, false)
                    .into_iter()
                    .map(|what| format!("{what} in {shown}")),
            );
        }
    }
    for beside in ["log", "out"] {
        let path = place.data().with_extension(beside);
        let bytes = fs::read(&path).unwrap_or_default();
        // Six digits in a row stand in every time of day.
        told.extend(
            wanted
                .found(&finder, &bytes, true)
                .into_iter()
                .map(|what| format!("{what} in {beside}")),
        );
    }
    told
}

fn passphrase_file(county: &County, name: &str) -> String {
    let file = county.file(name);
    fs::write(&file, format!("{WORDS}\n")).expect("a file");
    file.display().to_string()
}

/// Types everything that a day brings, and asks for everything that can be shown.
fn a_day(line: &Line, wanted: &mut Wanted) -> Vec<String> {
    let (county, room) = (&line.county, line.room);
    let mut numbers = Vec::new();
    for (n, (name, _)) in TYPED[..3].iter().enumerate() {
        let cert_no = cert_no(5_431 + 97 * n as u32);
        numbers.push(new_case(
            county,
            room,
            if n == 1 { ON_THE_SPOT } else { PROMISED },
            name,
            &cert_no,
        ));
        wanted.number(&cert_no);
    }
    wanted.number("13800138000");
    for (who, field, value) in [
        (room, "address", ADDRESS),
        (room, "mobile", "15947312684"),
        (line.township, "mobile", "18863297451"),
    ] {
        wait("the case is there", || ask_quietly(county, who, &numbers[0]));
        ask(
            county,
            who,
            &["case", "edit", &numbers[0], "--field", field, "--value", value],
        );
        if field == "mobile" {
            wanted.number(value);
        }
    }
    let book: String = DAYBOOK.lines().take(ROWS + 1).map(with_our_code).collect();
    for row in book.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        if cells[3].chars().count() > 1 {
            wanted.value(cells[3]);
        }
        wanted.number(cells[4]);
        if cells[5].len() == 11 {
            wanted.number(cells[5]);
        }
        if cells[6].chars().count() > 2 {
            wanted.value(cells[6]);
        }
    }
    let file = county.file("daybook.csv");
    fs::write(&file, book).expect("a day book");
    let imported = ask(county, room, &["case", "import", &file.display().to_string()]);
    assert!(
        imported["imported"].as_u64().is_some_and(|n| n >= ROWS as u64 / 2),
        "{imported}"
    );
    numbers
}

fn ask_quietly(county: &County, id: PlaceId, number: &str) -> bool {
    county[id].json(&["case", "show", number]).is_ok()
}

fn with_our_code(row: &str) -> String {
    let mut cells: Vec<&str> = row.split(',').collect();
    if cells[1].starts_with("5116") {
        cells[1] = ROOM_CODE;
    }
    cells.join(",") + "\n"
}

fn looked_at_everywhere(line: &Line, number: &str) {
    for id in line.all() {
        let shown = show(&line.county, id, number);
        assert_eq!(shown["name"], "欧*");
        assert_eq!(name_of(&reveal(&line.county, id, number)), "欧阳靖瑶");
        for args in [
            &["case", "list"][..],
            &["conflict", "list"],
            &["quarantine", "list"],
            &["status"],
            &["audit", "list"],
            &["verify"],
        ] {
            ask(&line.county, id, args);
        }
    }
}

fn name_of(shown: &Value) -> Value {
    let fields = shown["fields"].as_array().expect("fields");
    let name = fields.iter().find(|f| f["name"] == "name").expect("a name");
    name["value"].clone()
}

#[test]
fn what_is_searched_for_is_found_in_every_disguise() {
    let county = crate::rig::empty();
    let folder = county.file("planted");
    fs::create_dir_all(&folder).expect("a folder");
    let place = Place::new("planted", Kind::Node, Path::new("nothing"), folder.clone());
    let mut wanted = Wanted::default();
    let (name, number) = ("欧阳靖瑶", cert_no(5_431));
    wanted.value(name);
    wanted.number(&number);
    let gbk = [0xc5, 0xb7, 0xd1, 0xf4, 0xbe, 0xb8, 0xd1, 0xfe];
    wanted.disguised(&gbk, name);
    let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex: String = name.bytes().map(|b| format!("{b:02X}")).collect();
    let mut deflated = vec![0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, 2, 40];
    let mut encoder = flate2::read::DeflateEncoder::new(name.as_bytes(), flate2::Compression::default());
    encoder.read_to_end(&mut deflated).expect("deflated");
    let planted: [(&str, Vec<u8>); 9] = [
        ("plain", name.into()),
        ("utf16", utf16),
        ("gbk", gbk.into()),
        ("hex", hex.into()),
        // What `echo -n x欧阳靖瑶 | base64` prints.
        ("base64", "eOasp+mYs+mdlueRtg==".into()),
        (
            "zstd",
            zstd::encode_all(name.repeat(9).as_bytes(), 3).expect("compressed"),
        ),
        ("automerge", deflated),
        ("end", number[10..].into()),
        ("escaped", "\\u6b27\\u9633\\u9756\\u7476".into()),
    ];
    assert!(lying_open(&place, &wanted).is_empty());
    for (what, bytes) in planted {
        let file = folder.join(what);
        fs::write(&file, [&[7u8; 33], bytes.as_slice(), &[9; 12]].concat()).expect("a file");
        let found = lying_open(&place, &wanted);
        assert!(!found.is_empty(), "{what}");
        fs::remove_file(&file).expect("removed");
    }
}

#[test]
fn a_copied_folder_of_any_tier_holds_no_personal_value_in_any_disguise_and_shows_masks() {
    let mut line = Line::found();
    let mut wanted = Wanted::default();
    for (value, gbk) in TYPED {
        wanted.value(value);
        let bytes: Vec<u8> = (0..gbk.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&gbk[i..i + 2], 16).expect("hex"))
            .collect();
        wanted.disguised(&bytes, &format!("{value} in GBK"));
    }
    // The unsealing key as it lies open before there is a passphrase.
    let key = fs::read_to_string(line.county[line.room].data().join("unseal.key")).expect("a key");
    wanted.add(key.trim(), "the room's unsealing key in hex");
    let raw = |i: usize| u8::from_str_radix(&key[i..i + 2], 16).expect("hex");
    wanted.add(
        (0..64).step_by(2).map(raw).collect::<Vec<_>>(),
        "the room's unsealing key",
    );
    let words = passphrase_file(&line.county, "words");
    ask(
        &line.county,
        line.room,
        &["passphrase", "set", "--passphrase-file", &words],
    );
    wanted.value(WORDS);
    for id in line.all() {
        line.county[id].stop().expect("it stops");
        line.county[id].set_env("CUNLIAN_LOG", "debug");
        line.county.start(id).expect("it starts");
    }
    ask(&line.county, line.room, &["unlock", "--passphrase-file", &words]);
    let numbers = a_day(&line, &mut wanted);
    half_typed(&line, &mut wanted);
    wait_for_county(&line.county, line.room);
    line.settle();
    looked_at_everywhere(&line, &numbers[0]);
    // Recorded behind the lock, too.
    ask(&line.county, line.room, &["lock"]);
    let behind = cert_no(9_173);
    new_case(&line.county, line.room, PROMISED, "上官云珠", &behind);
    wanted.number(&behind);
    wait_for_county(&line.county, line.room);
    line.settle();
    for id in line.all() {
        line.county[id].stop().expect("it stops");
    }
    for id in line.all() {
        let open = lying_open(&line.county[id], &wanted);
        assert!(open.is_empty(), "{}: {}", line.county[id].name(), open.join("\n"));
    }
    thief(&line, &wanted, &numbers);
}

/// What a clerk has typed into the page and not sent: typed over, typed anew, left lying.
fn half_typed(line: &Line, wanted: &mut Wanted) {
    let mut api = Api::connect(line.county[line.room].data()).expect("the daemon");
    for (n, (name, _)) in TYPED[..3].iter().enumerate() {
        let number = cert_no(7_411 + 53 * n as u32);
        let text = serde_json::json!({"matter": "A06", "name": name, "cert_no": number, "address": ADDRESS});
        let user = format!("{:016x}", n / 2 + 1);
        let keep = serde_json::json!({"command": "draft_keep", "user": user, "text": text.to_string()});
        api.ask(&keep).expect("kept");
        wanted.number(&number);
    }
    let kept = files(line.county[line.room].data());
    let drafts = kept.iter().filter(|path| path.display().to_string().contains("draft-"));
    assert_eq!(drafts.count(), 2);
}

/// A thief with the room's folder and our own program, who lacks the passphrase only.
fn thief(line: &Line, wanted: &Wanted, numbers: &[String]) {
    let folder = line.county.file("loot");
    line.county[line.room].copy_data(&folder).expect("a copy");
    let exe = Path::new(env!("CARGO_BIN_EXE_cunlian-demo"));
    let thief = Place::new("thief", Kind::Node, exe, folder);
    let guess = line.county.file("guess");
    fs::write(&guess, "12345678\n").expect("a guess");
    let guess = guess.display().to_string();
    let finder = wanted.finder();
    let show: Vec<&str> = vec!["case", "show", &numbers[0]];
    let shown = thief.json(&show).expect("the case without the person");
    let fields = shown["fields"].as_array().expect("fields");
    for field in fields.iter().filter(|f| f["personal"] == true) {
        assert!(field["value"].is_null(), "{field}");
        assert_eq!(field["values"][0]["sealed"], "locked");
    }
    for args in [
        &show[..],
        &["case", "list"],
        &["conflict", "list"],
        &["status"],
        &["audit", "list"],
        &["reindex"],
        &["case", "list"],
        &["case", "show", &numbers[0], "--reveal", "--reason", "核对"],
        &["unlock", "--passphrase-file", &guess],
        &[
            "case",
            "show",
            &numbers[0],
            "--reveal",
            "--reason",
            "核对",
            "--passphrase-file",
            &guess,
        ],
    ] {
        let said = thief.say(args).expect("it runs");
        let told = format!("{}{}", said.stdout, said.stderr);
        assert_eq!(
            wanted.found(&finder, told.as_bytes(), true),
            Vec::<String>::new(),
            "{args:?}"
        );
        if args.contains(&"--reveal") || args.contains(&"unlock") {
            assert_eq!(said.code(), Some(1), "{args:?}: {told}");
        }
    }
}

#[test]
fn a_hubs_folder_opens_without_a_passphrase_and_not_with_one() {
    let mut line = Line::found();
    let number = new_case(&line.county, line.room, PROMISED, "欧阳靖瑶", &cert_no(80));
    wait_for_county(&line.county, line.room);
    line.settle();
    let exe = Path::new(env!("CARGO_BIN_EXE_cunlian-demo"));
    let loot = |line: &mut Line, name: &str| {
        line.county[line.township].stop().expect("it stops");
        let folder = line.county.file(name);
        line.county[line.township].copy_data(&folder).expect("a copy");
        line.county.start(line.township).expect("it starts");
        Place::new(name, Kind::Hub, exe, folder)
    };
    let look = ["case", "show", &number, "--reveal", "--reason", "核对"];
    let open = loot(&mut line, "open");
    // Said in THREATS.md: a hub that has to start by itself has its key beside its data.
    assert_eq!(name_of(&open.json(&look).expect("it opens")), "欧阳靖瑶");
    let words = passphrase_file(&line.county, "words");
    ask(
        &line.county,
        line.township,
        &["passphrase", "set", "--passphrase-file", &words],
    );
    let locked = loot(&mut line, "locked");
    let said = locked.say(&look).expect("it runs");
    assert_eq!(said.code(), Some(1), "{}", said.stdout);
    assert!(said.stderr.contains("unlock"), "{}", said.stderr);
    let with = [&look[..], &["--passphrase-file", &words]].concat();
    assert_eq!(name_of(&locked.json(&with).expect("it opens")), "欧阳靖瑶");
    // The hub itself started locked, and still takes what comes.
    assert_eq!(
        ask(&line.county, line.township, &["status"])["passphrase"]["locked"],
        true
    );
    let later = new_case(&line.county, line.room, PROMISED, "司徒文博", &cert_no(81));
    wait_for_county(&line.county, line.room);
    assert_eq!(text(&show(&line.county, line.top, &later), "name"), "司*");
}
