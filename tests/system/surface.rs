//! The commands themselves: with the daemon up or down, exit codes, configuration.

use std::fs;

use crate::rig::{PROMISED, act, any_case, ask, cert_no, numbers, refused, show, state, text, two_tiers};

#[test]
fn every_command_works_with_the_daemon_up_or_down() {
    let (mut county, top, room) = two_tiers();
    for up in [true, false] {
        if !up {
            county[room].stop().expect("it stops on request");
            county[top].stop().expect("it stops on request");
        }
        let number = any_case(&county, room, u32::from(up));
        act(&county, room, &number, &["note", "--note", "老人不识字"]);
        ask(
            &county,
            room,
            &["case", "edit", &number, "--field", "mobile", "--value", "13911112222"],
        );
        assert_eq!(state(&county, room, &number), "received");
        for id in [room, top] {
            for args in [
                &["case", "list"][..],
                &["status"],
                &["conflict", "list"],
                &["quarantine", "list"],
                &["verify"],
                &["reindex"],
            ] {
                ask(&county, id, args);
            }
        }
        for args in [&["rooms"][..], &["member", "list"]] {
            ask(&county, top, args);
        }
    }
}

#[test]
fn wrong_use_exits_with_2_and_what_cannot_be_done_with_1() {
    let (county, _, room) = two_tiers();
    for args in [
        &["case", "new"][..],
        &["case"],
        &["no-such-command"],
        &["case", "list", "--limit", "many"],
    ] {
        assert_eq!(county[room].say(args).expect("it runs").code(), Some(2), "{args:?}");
    }
    let id = cert_no(1);
    let new = |matter, name, cert_no| ["case", "new", "--matter", matter, "--name", name, "--cert-no", cert_no];
    refused(&county, room, &new("Z99", "张三", &id));
    refused(&county, room, &new(PROMISED, "张3", &id));
    let wrong_check = if id.ends_with('0') {
        id.replace(&id[17..], "1")
    } else {
        format!("{}0", &id[..17])
    };
    let said = refused(&county, room, &new(PROMISED, "张三", &wrong_check));
    assert!(said.stderr.contains("重输"), "it says what to do: {said:?}");
    refused(&county, room, &["case", "show", "51160300AA262820001X"]);
    let number = any_case(&county, room, 1);
    refused(&county, room, &["case", "do", &number, "deliver"]);
    refused(&county, room, &["case", "do", &number, "accept"]);
    assert_eq!(numbers(&county, room), [number]);
}

#[test]
fn a_business_date_is_never_in_the_future_and_a_past_one_is_marked_late() {
    let (county, _, room) = two_tiers();
    let id = cert_no(1);
    let on = |day| {
        [
            "case",
            "new",
            "--matter",
            PROMISED,
            "--name",
            "张三",
            "--cert-no",
            &id,
            "--on",
            day,
        ]
        .map(str::to_owned)
    };
    let future = on("2199-01-01");
    let said = county[room].say(&future).expect("it runs");
    assert!(matches!(said.code(), Some(1 | 2)), "{said:?}");
    assert!(numbers(&county, room).is_empty());
    let said = county[room].json(&on("2024-02-05")).expect("recorded");
    let case = show(&county, room, &text(&said, "project_no"));
    assert_eq!(case["on"], "2024-02-05");
    assert_eq!(said["late"], true);
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused() {
    let (mut county, _, room) = two_tiers();
    county[room].stop().expect("it stops");
    let config = county[room].data().join("config.toml");
    fs::write(&config, "retry_ms_max = 2000\ncolour = \"red\"\n").expect("written");
    let said = county[room].say(&["run"]).expect("it runs");
    assert!(matches!(said.code(), Some(1 | 2)), "{said:?}");
    assert!(said.stderr.contains("colour"), "it names the key: {said:?}");
    fs::write(&config, "retry_ms_max = 2000\n").expect("written");
    county.start(room).expect("a known key is fine");
}

#[test]
fn tables_are_short_and_chinese_without_json() {
    let (county, top, room) = two_tiers();
    any_case(&county, room, 1);
    for (id, args) in [
        (room, &["case", "list"][..]),
        (room, &["status"]),
        (top, &["rooms"]),
        (top, &["member", "list"]),
    ] {
        let said = county[id].say(args).expect("it runs");
        assert_eq!(said.code(), Some(0), "{said:?}");
        assert!(said.stdout.chars().any(|c| c > '\u{4E00}'), "{args:?}: {}", said.stdout);
        assert!(!said.stdout.contains('{'), "{args:?}: {}", said.stdout);
    }
}

#[cfg(unix)]
#[test]
fn what_opens_a_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (county, top, room) = two_tiers();
    for id in [top, room] {
        for secret in ["api", "device.key", "unseal.key"] {
            let path = county[id].data().join(secret);
            let mode = fs::metadata(&path)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{secret} can be read by others");
        }
    }
}
