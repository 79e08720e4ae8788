//! What a clerk types is checked, folded, and answered in words that help.

use cunlian_ledger::catalogue::Catalogue;
use cunlian_ledger::check::{self, CheckError, Sex};
use cunlian_ledger::mask;
use cunlian_ledger::organisation::Organisation;
use cunlian_ledger::seed::Seeds;
use proptest::prelude::*;

#[test]
fn right_identity_numbers_pass_and_tell_birth_and_sex() {
    let id = check::resident_id("11010519491231002X").expect("the standard's own example");
    assert_eq!(
        (id.number(), id.birth().to_string().as_str(), id.sex()),
        ("11010519491231002X", "1949-12-31", Sex::Female)
    );
    assert_eq!(
        check::resident_id("511603199001010010").map(|id| id.sex()),
        Ok(Sex::Male)
    );
    assert!(check::resident_id("510223194002290026").is_ok(), "1940 was a leap year");
}

#[test]
fn full_width_digits_lower_case_x_and_spaces_are_folded() {
    for typed in [
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002x",
        " 110105 19491231 002ｘ\u{3000}",
    ] {
        assert_eq!(check::resident_id(typed).expect(typed).number(), "11010519491231002X");
    }
}

#[test]
fn an_abolished_area_prefix_is_never_refused() {
    // 511027 and 422128 stand in no list any more; people born there still carry them.
    assert!(check::resident_id("511027196508151239").is_ok());
    assert!(check::resident_id("42212819771111333X").is_ok());
}

#[test]
fn wrong_identity_numbers_are_refused_with_what_to_do() {
    let cases = [
        ("", CheckError::Empty("证件号码")),
        ("1101051949123100", CheckError::IdLength(16)),
        ("110105491231002", CheckError::IdOld),
        ("11010519491231002Y", CheckError::IdCharacter(18)),
        ("1101O519491231002X", CheckError::IdCharacter(5)),
        ("110105194902290020", CheckError::IdBirth),
        ("110105189912310020", CheckError::IdBirth),
        ("110105194912310021", CheckError::IdChecksum),
        ("110105194912310020", CheckError::IdChecksum),
    ];
    for (typed, expected) in cases {
        assert_eq!(check::resident_id(typed).expect_err(typed), expected);
    }
    assert!(CheckError::IdChecksum.to_string().contains("重输"));
}

#[test]
fn one_wrong_or_two_swapped_digits_never_pass() {
    let right = "511603199001010010";
    for at in 0..17 {
        for digit in b'0'..=b'9' {
            let mut typed = right.as_bytes().to_vec();
            typed[at] = digit;
            let typed = String::from_utf8(typed).expect("digits");
            assert_eq!(check::resident_id(&typed).is_ok(), typed == right, "{typed}");
        }
        let mut typed = right.as_bytes().to_vec();
        typed.swap(at, at + 1);
        let typed = String::from_utf8(typed).expect("digits");
        assert_eq!(check::resident_id(&typed).is_ok(), typed == right, "{typed}");
    }
}

#[test]
fn a_checked_number_is_not_printed_in_full() {
    let id = check::resident_id("11010519491231002X").expect("right");
    assert_eq!(format!("{id:?}"), "ResidentId(110105********002X)");
}

#[test]
fn credit_codes_pass_whatever_their_second_character() {
    // The first is the example that GB 32100 is usually explained with; N1, N2 are economic collectives.
    for code in [
        "91350100M000100Y43",
        "N2511603MA6AB12XY4",
        "n1511603mf01h2b3cb",
        "１２１０００００４０００１４５３５Ｇ",
    ] {
        assert!(check::credit_code(code).is_ok(), "{code}");
    }
    assert_eq!(
        check::credit_code("91350100M000100Y44"),
        Err(CheckError::CreditChecksum)
    );
    assert_eq!(
        check::credit_code("91350100M000100O43"),
        Err(CheckError::CreditCharacter(16))
    );
    assert_eq!(check::credit_code("91350100"), Err(CheckError::CreditLength(8)));
}

#[test]
fn phones_are_mobiles_or_landlines() {
    for (typed, kept) in [
        ("13800138000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+8619900138000", "19900138000"),
        ("１３８００１３８０００", "13800138000"),
        ("0826-2345678", "0826-2345678"),
        ("08262345678", "08262345678"),
        ("028-81234567-801", "028-81234567-801"),
        ("2345678", "2345678"),
    ] {
        assert_eq!(check::phone(typed).as_deref(), Ok(kept), "{typed}");
    }
    for typed in [
        "12345",
        "12800138000",
        "1380013800",
        "138001380001",
        "电话",
        "00-2345678",
        "-",
        "0826",
    ] {
        assert_eq!(check::phone(typed), Err(CheckError::Phone), "{typed}");
    }
    assert_eq!(check::phone(" "), Err(CheckError::Empty("电话号码")));
}

#[test]
fn rare_characters_and_long_names_survive() {
    for typed in [
        "张三",
        "阿依古丽·买买提",
        "𠮷田",
        "㛃䶮",
        "𬎆𱍸",
        "〇〇",
        "\u{E863}明",
        "葛\u{E0100}城",
        "Maria O'Neil",
        "⿰亻鑫明",
    ] {
        assert_eq!(check::name(typed).as_deref(), Ok(typed));
    }
    assert_eq!(check::name(" 阿依古丽•买买提　").as_deref(), Ok("阿依古丽·买买提"));
    assert_eq!(check::name("买买提．艾力").as_deref(), Ok("买买提·艾力"));
    assert_eq!(check::name(&"龘".repeat(100)).map(|name| name.chars().count()), Ok(100));
}

#[test]
fn names_that_cannot_be_are_refused() {
    assert_eq!(check::name(""), Err(CheckError::Empty("姓名")));
    assert_eq!(check::name("张"), Err(CheckError::NameShort));
    assert_eq!(check::name(&"龘".repeat(101)), Err(CheckError::NameLong));
    assert_eq!(check::name("张3"), Err(CheckError::NameCharacter('3')));
    assert_eq!(check::name("张，三"), Err(CheckError::NameCharacter(',')));
    assert_eq!(check::name("张\u{7}三"), Err(CheckError::Control("姓名")));
    assert_eq!(check::address("  "), Err(CheckError::Empty("住址")));
    assert_eq!(check::address(&"长".repeat(201)), Err(CheckError::TooLong("住址", 200)));
    assert_eq!(check::address(" 高河村2组 ").as_deref(), Ok("高河村2组"));
}

proptest! {
    #[test]
    fn no_input_makes_a_check_or_a_mask_panic(text in any::<String>()) {
        let _ = check::resident_id(&text);
        let _ = check::credit_code(&text);
        let _ = check::phone(&text);
        let _ = check::name(&text);
        let _ = check::address(&text);
        let _ = (mask::name(&text), mask::id(&text), mask::phone(&text));
    }

    #[test]
    fn digits_and_signs_in_any_order_never_panic(text in "[0-9Xx+ -]{0,24}") {
        let _ = check::resident_id(&text);
        let _ = check::phone(&text);
        let _ = check::credit_code(&text);
    }

    #[test]
    fn a_masked_number_hides_its_middle(text in "[0-9]{17}[0-9X]") {
        let masked = mask::id(&text);
        prop_assert_eq!(&masked[6..14], "********");
        prop_assert_eq!(masked.len(), 18);
    }

    #[test]
    fn no_table_makes_a_reader_panic(text in any::<String>(), rows in "[0-9a-z\t\n\r]{0,200}") {
        let _ = Catalogue::from_tsv(&text);
        let _ = Organisation::from_tsv(&text, &mut Seeds::new([0; 32]));
        let _ = Organisation::from_tsv(&format!("code12\tname\tlevel\tparent12\n{rows}"), &mut Seeds::new([0; 32]));
    }
}

#[test]
fn a_number_of_no_known_kind_is_taken_as_it_stands_on_the_paper_and_nothing_else_is() {
    use cunlian_ledger::check::odd_id;
    for (typed, kept) in [
        ("110105194912310021", "110105194912310021"),
        (" g 1234567 ", "G1234567"),
        ("Ｈ１２３４", "H1234"),
        ("A1(23)-4", "A1(23)-4"),
    ] {
        assert_eq!(odd_id(typed).as_deref(), Ok(kept), "{typed}");
    }
    for wrong in ["", "   ", "123", "张三张三", "12;34", &"1".repeat(31), "1234\n\u{0}"] {
        assert!(odd_id(wrong).is_err(), "{wrong:?}");
    }
}
