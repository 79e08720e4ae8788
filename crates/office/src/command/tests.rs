//! Commands survive their way and keep what people type to themselves.

use super::*;

#[test]
fn a_command_survives_the_way_through_the_local_api() {
    let import = Command::CaseImport(CaseImport {
        data: vec![0xb5, 0xc7, 0, 255],
        lines_before: 0,
        preview: false,
        user: None,
    });
    let text = serde_json::to_string(&import).unwrap();
    let Command::CaseImport(back) = serde_json::from_str(&text).unwrap() else {
        panic!("another command");
    };
    assert_eq!(back.data, vec![0xb5, 0xc7, 0, 255]);
    let new: Command =
        serde_json::from_str(r#"{"command":"case_new","matter":"B23","name":"张三","cert_no":"1","on":"2026-10-09"}"#)
            .unwrap();
    assert!(matches!(new, Command::CaseNew(n) if n.on.is_some() && n.mobile.is_none()));
    assert!(matches!(
        serde_json::from_str(r#"{"command":"status"}"#).unwrap(),
        Command::Status
    ));
    assert!(serde_json::from_str::<Command>(r#"{"command":"case_new","colour":1}"#).is_err());
}

/// Commands with something in them that is for nobody's eyes.
fn telling(secret: &str) -> Vec<Command> {
    let text = || secret.to_owned();
    vec![
        Command::CaseNew(CaseNew {
            name: text(),
            cert_no: text(),
            mobile: Some(text()),
            address: Some(text()),
            note: Some(text()),
            ..CaseNew::default()
        }),
        Command::CaseDo(CaseDo {
            note: Some(text()),
            reason: Some(text()),
            items: vec![text()],
            ..CaseDo::default()
        }),
        Command::CaseEdit(CaseEdit {
            field: "mobile".to_owned(),
            value: text(),
            ..CaseEdit::default()
        }),
        Command::CaseShow(CaseShow {
            number: "N".to_owned(),
            reveal: Some(Reveal {
                reason: text(),
                ..Reveal::default()
            }),
        }),
        Command::CaseImport(CaseImport {
            data: text().into_bytes(),
            ..CaseImport::default()
        }),
        Command::CaseErase(CaseErase {
            number: "N".to_owned(),
            reason: text(),
        }),
        Command::ConflictResolve(ConflictResolve {
            note: Some(text()),
            ..ConflictResolve::default()
        }),
        Command::CaseFind(CaseFind {
            text: text(),
            ..CaseFind::default()
        }),
        Command::Monthly(Monthly {
            reason: Some(text()),
            ..Monthly::default()
        }),
        Command::CaseTick(CaseTick {
            items: vec![text()],
            ..CaseTick::default()
        }),
        Command::ErrandNew(ErrandNew {
            name: text(),
            cert_no: text(),
            mobile: Some(text()),
            address: Some(text()),
            task: text(),
            once: Some(text()),
            ..ErrandNew::default()
        }),
    ]
}

/// As [`telling`]: passphrases and keys.
fn opening(secret: &str) -> Vec<Command> {
    let text = || secret.to_owned();
    let words = || Passphrase::new(secret);
    vec![
        Command::PassphraseSet(PassphraseSet {
            passphrase: words(),
            old: Some(words()),
            user: None,
        }),
        Command::Unlock(Unlock {
            passphrase: words(),
            user: None,
        }),
        Command::MemberAdmit(MemberAdmit {
            device: "D".to_owned(),
            root_key: text(),
        }),
        Command::MemberRevoke(MemberRevoke {
            device: "D".to_owned(),
            reason: "R".to_owned(),
            root_key: Some(text()),
        }),
        Command::MemberExtend(MemberExtend {
            device: "D".to_owned(),
            root_key: Some(text()),
        }),
    ]
}

#[test]
fn what_people_type_is_in_no_debug_print() {
    let secret = "秘密-S3CRET";
    let bytes = format!("{:?}", secret.as_bytes());
    for command in telling(secret).into_iter().chain(opening(secret)) {
        let printed = format!("{command:?} {command:#?}");
        assert!(
            !printed.contains("S3CRET") && !printed.contains(&bytes[1..20]),
            "{printed}"
        );
    }
}

#[test]
fn a_device_is_named_by_its_first_digits_when_they_name_one() {
    let a = DeviceId([0xaa; 32]);
    let b = DeviceId([0xab; 32]);
    assert_eq!(pick_device("aaaaaaaa", [a, b].into_iter()), Ok(a));
    assert_eq!(
        pick_device("aaaaaaaab", [a, b].into_iter()).unwrap_err().code,
        "unknown_device"
    );
    assert_eq!(pick_device("aa", [a, b].into_iter()).unwrap_err().exit, 2);
}
