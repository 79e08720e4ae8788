//! The day book that rooms bring along: what is right goes in, what is wrong is told by line.

use std::collections::BTreeSet;

use cunlian_ledger::daybook::{self, DayRow, DayState, RowError};
use proptest::prelude::*;

const SAMPLE: &str = include_str!("../data/daybook_sample.csv");
const HEADER: &str = "登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\n";
const ROW: &str =
    "2026-10-09 08:40,511603104002,B70,彭信,11010519491231002X,15634746160,钟街社区2组,办结,2026-10-09 09:07,1,代办";

fn one(row: &str) -> Result<DayRow, RowError> {
    let text = format!("{HEADER}{row}\n");
    let mut rows: Vec<_> = daybook::parse(text.as_bytes()).collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[test]
fn of_the_sample_every_good_row_is_read_and_every_bad_one_told() {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for row in daybook::parse(SAMPLE.as_bytes()) {
        match row {
            Ok(row) => good.push(row),
            Err(error) => bad.push(error),
        }
    }
    assert_eq!(good.len() + bad.len(), 600);
    let told = |words: &str| bad.iter().filter(|error| error.reason.contains(words)).count();
    assert_eq!(told("应有 11 列"), 4, "short rows");
    assert_eq!((told("登记时间"), bad.len()), (3, 7), "{bad:?}");
    assert!(
        good.iter()
            .any(|row| row.mobile.as_deref() == Some("12345") && !row.remarks.is_empty())
    );
    assert!(good.iter().all(|row| row.cert_no.len() == 18));
    // Line numbers are those an editor shows.
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for row in &good {
        assert!(lines[row.line as usize - 1].contains(&row.name), "line {}", row.line);
    }
    let keys: BTreeSet<_> = good.iter().map(|row| row.import_key).collect();
    let distinct: BTreeSet<_> = good.iter().map(|row| lines[row.line as usize - 1]).collect();
    assert_eq!(keys.len(), distinct.len());
}

#[test]
fn a_row_is_understood_whole() {
    let row = one(ROW).expect("a good row");
    assert_eq!(
        (row.line, row.at.day.to_string().as_str(), row.at.minute),
        (2, "2026-10-09", 520)
    );
    assert_eq!(
        (row.state, row.closed.map(|c| c.minute), row.rating),
        (DayState::Closed, Some(547), Some(1))
    );
    assert_eq!((row.note.as_str(), row.remarks.len()), ("代办", 0));
    assert!(!format!("{row:?}").contains("彭信"), "personal values are not printed");
}

#[test]
fn the_same_row_has_the_same_key_however_it_was_saved() {
    let key = one(ROW).expect("good").import_key;
    let crlf = format!("\u{FEFF}{}{ROW}\r\n", HEADER.replace('\n', "\r\n"));
    let saved_again = daybook::parse(crlf.as_bytes()).next().expect("a row").expect("good");
    assert_eq!(saved_again.import_key, key);
    let by_spreadsheet = ROW
        .replace("2026-10-09 08:40", "2026/10/9 8:40")
        .replace("11010519491231002X", "１１０１０５１９４９１２３１００２ｘ");
    assert_eq!(one(&by_spreadsheet).expect("good").import_key, key);
    assert_ne!(one(&ROW.replace("彭信", "彭言")).expect("good").import_key, key);
    assert_ne!(
        one(&ROW.replace("钟街社区2组,办结", "钟街社区,办结"))
            .expect("good")
            .import_key,
        key
    );
}

#[test]
fn a_row_that_was_mended_and_written_out_again_is_the_same_row() {
    let odd = ROW
        .replace("15634746160", "1563474\u{1}6-160")
        .replace("彭信", "彭\u{2}信•远");
    let row = one(&odd).expect("an odd row");
    let mobile = row.mobile.clone().unwrap_or_default();
    let again = ROW.replace("15634746160", &mobile).replace("彭信", &row.name);
    assert_eq!((mobile.as_str(), row.name.as_str()), ("15634746160", "彭信·远"));
    assert_eq!(one(&again).map(|row| row.import_key), Ok(row.import_key));
}

#[test]
fn bad_rows_are_refused_with_line_and_reason() {
    for (from, to, reason) in [
        ("2026-10-09 08:40", "2026-13-40 08:40", "登记时间"),
        ("2026-10-09 08:40", "昨天", "登记时间"),
        ("2026-10-09 08:40", "2026-10-09 25:40", "登记时间"),
        ("511603104002", "村", "村室代码"),
        ("11010519491231002X", "110105194912310021", "校验"),
        ("11010519491231002X", "", "没有填写证件号码"),
        (",B70,", ",,", "没有事项编码"),
        ("办结,", "在办,", "办理栏"),
        ("2026-10-09 09:07", "2026-10-08 09:07", "早于"),
        ("2026-10-09 09:07", "明天", "办结时间"),
        (",代办", "", "应有 11 列"),
        ("代办", "代办,多,余", "多出 2 列"),
    ] {
        let error = one(&ROW.replace(from, to)).expect_err(to);
        assert_eq!(error.line, 2);
        assert!(error.reason.contains(reason), "{to}: {error}");
    }
}

#[test]
fn odd_rows_go_in_with_a_remark() {
    for (from, to, words) in [
        ("15634746160", "12345", "电话号码"),
        ("彭信", "彭", "姓名太短"),
        ("彭信", " ", "没有填写姓名"),
        (",1,代办", ",7,代办", "评价"),
        ("办结,2026-10-09 09:07", "收件,", "评价没有采用"),
        ("2026-10-09 09:07", "", "没有办结时间"),
    ] {
        let row = one(&ROW.replace(from, to)).expect(to);
        assert!(
            row.remarks.iter().any(|remark| remark.contains(words)),
            "{to}: {:?}",
            row.remarks
        );
    }
    let row = one(&ROW.replace("15634746160", "")).expect("no phone is no fault");
    assert_eq!((row.mobile, row.remarks.len()), (None, 0));
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do_once() {
    let refused = |bytes: &[u8]| {
        let rows: Vec<_> = daybook::parse(bytes).collect();
        assert_eq!(rows.len(), 1);
        rows.into_iter().next().expect("one").expect_err("refused").reason
    };
    // 登记 in GB18030.
    assert!(refused(&[0xB5, 0xC7, 0xBC, 0xC7, b',', b'\n']).contains("CSV UTF-8"));
    assert!(refused(&[0xFF, 0xFE, 0x7B, 0x76]).contains("CSV UTF-8"));
    assert!(refused(b"").contains("空的"));
    assert!(refused("登记时间,村室代码\n".as_bytes()).contains("事项编码"));
}

#[test]
fn quotes_commas_and_line_breaks_inside_a_cell_are_kept() {
    let row = one(&ROW.replace("代办", "\"\"\"急\"\"，下周用,\n第二行\"")).expect("good");
    assert_eq!(row.note, "\"急\"，下周用,\n第二行");
    let text = format!(
        "{HEADER}{}\n\n{}\n",
        ROW.replace("代办", "\"两\n行\""),
        ROW.replace("2026-10-09 08:40", "x")
    );
    let error = daybook::parse(text.as_bytes())
        .nth(1)
        .expect("a second row")
        .expect_err("bad date");
    assert_eq!(error.line, 5);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_or_loop(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(daybook::parse(&bytes).count() <= 400);
        let mut with_header = HEADER.as_bytes().to_vec();
        with_header.extend(&bytes);
        prop_assert!(daybook::parse(&with_header).count() <= 402);
    }

    #[test]
    fn no_cells_make_the_reader_panic(cells in proptest::collection::vec("[0-9 :,\"\n收件办结X-]{0,20}", 0..14)) {
        let text = format!("{HEADER}{}\n", cells.join(","));
        prop_assert!(daybook::parse(text.as_bytes()).count() <= 400);
    }
}

#[test]
fn a_day_book_read_piece_by_piece_is_the_same_day_book() {
    let sample = include_bytes!("../data/matters.tsv");
    assert_eq!(daybook::slices(sample, 10).len(), 1, "what is no day book comes whole");
    let mut text =
        "\u{FEFF}\r\n登记时间,村室代码,事项编码,申请人,证件号码,手机,住址,办理,办结时间,评价,备注\r\n\n".to_owned();
    for n in 0..50 {
        let note = if n % 3 == 0 {
            "\"两行\n备注，带\"\"引号\"\"\""
        } else {
            "5\" 管"
        };
        text.push_str(&format!(
            "2026-10-09 08:40,511603104002,B70,彭信,511603199909258227,15634746160,钟街{n}组,收件,,,{note}\n"
        ));
        if n % 7 == 0 {
            text.push_str("\n\n短,行\n");
        }
    }
    let whole: Vec<_> = daybook::parse(text.as_bytes()).collect();
    assert!(whole.iter().filter(|r| r.is_ok()).count() > 40);
    for rows in [1, 2, 7, 16, 1_000] {
        let pieces = daybook::slices(text.as_bytes(), rows);
        assert!(pieces.len() > 50 / rows);
        let mut read = Vec::new();
        for piece in pieces {
            read.extend(daybook::parse(&piece.bytes).map(|row| match row {
                Ok(row) => Ok(DayRow {
                    line: row.line + piece.lines_before,
                    ..row
                }),
                Err(error) => Err(RowError {
                    line: error.line + piece.lines_before,
                    ..error
                }),
            }));
        }
        assert_eq!(read, whole, "in pieces of {rows}");
    }
}
