//! Screens of operators: status, rooms, members, tickets, verification.

use super::*;

pub(super) fn status_of_a_room() -> Value {
    json!({
        "unit": "511603102201", "name": "高河村委会", "tier": "room", "device": "7b08582f4634d4d4", "version": "cunlian-node/0.1.0",
        "member": true, "revoked": false, "node_code": "09A0", "settled": true,
        "scopes": [{"kind": "book", "records": 110}, {"kind": "public", "records": 0}],
        "pending": {"township": 3, "county": 5}, "oldest_pending_s": 7200,
        "peers": [
            {"device": "9ed8d26a6279ee6f", "unit": "511603102000", "unit_name": "观阁镇", "connected": false, "dialled": null,
             "session": null, "last_seen_s": 300, "rtt_ms": 0, "skew_ms": -300_000},
            {"device": "1d0f042011673336", "unit": "511603000000", "unit_name": "前锋区", "connected": true, "dialled": true,
             "session": "instep", "last_seen_s": 0, "rtt_ms": 12, "skew_ms": -3},
        ],
        "journal": {"bytes": 109_054, "entries": 140}, "disk": {"state": "read_only", "message": "磁盘已满，请清理磁盘。"},
        "opened": {"damaged": 0, "rebuilt": null, "replayed": 49, "torn": 0}, "conflicts": 2, "quarantined": 0,
        "waiting": 0, "forks": 0, "forked": [], "withdrawn": [], "turned_away": [], "upgrade_needed": 0,
        "refused": [{"device": "9ed8d26a", "reason": "AuthorUnknown", "times": 2}],
    })
}

pub(super) fn some_rooms() -> Value {
    json!([
        {"unit": "511603102201", "name": "高河村委会", "state": "in_step", "device": "7b08582f4634d4d4", "as_of": 0, "as_of_s": 0,
         "last_seen_s": 0, "recorded": 121, "at_township": 121, "at_county": 121, "skew_ms": -3},
        {"unit": "511603102203", "name": "兴利村委会", "state": "silent", "device": "ab71dbf637bc4a5b", "as_of": 1_795_321_086_287_i64,
         "as_of_s": 7200, "last_seen_s": 7200, "recorded": 9, "at_township": 2, "at_county": 2, "oldest_pending_s": 90,
         "skew_ms": 600_000},
        {"unit": "511603102206", "name": "砂石村委会", "state": "never_seen", "recorded": 0},
    ])
}

#[test]
fn status_says_what_is_on_the_way_and_what_needs_somebody() {
    let expected = "\
高河村委会（511603102201）  村室  设备 7b08582f  编号段 09A0

同步      待送乡镇 3 条，待送县 5 条，最久 2 小时
线路      ✗  观阁镇 511603102000  设备 9ed8d26a  断开    上次联系 5 分钟前  时钟慢 5 分钟
          ✓  前锋区 511603000000  设备 1d0f0420  已一致  往返 12 毫秒
办件      110 件，账目 106 KB
磁盘      磁盘已满，请清理磁盘。
程序      cunlian-node/0.1.0
请处理    待裁定 2 件：conflict list
";
    check(View::Status, room(), &status_of_a_room(), expected);
}

#[test]
fn a_quiet_room_has_nothing_to_see_to() {
    let mut value = status_of_a_room();
    value["pending"] = json!({"township": 0, "county": 0});
    value["conflicts"] = json!(0);
    let shown = text(View::Status, &value, room());
    assert!(
        shown.contains("同步      已全部送达\n") && !shown.contains("请处理"),
        "{shown}"
    );
}

#[test]
fn a_hub_with_many_peers_counts_them_and_shows_the_way_up() {
    let mut value = status_of_a_room();
    let down: Vec<Value> = (0..40)
        .map(|_| json!({"connected": true, "dialled": false, "unit": "5"}))
        .collect();
    value["peers"].as_array_mut().unwrap().extend(down);
    let shown = text(View::Status, &value, hub());
    assert!(shown.contains("在线 41 台，断开 1 台"), "{shown}");
    assert_eq!(shown.matches(['✓', '✗']).count(), 1, "{shown}");
}

#[test]
fn rooms_are_counted_first_and_listed_worst_first() {
    let expected = "\
3 间村室：在步 1，落后 0，静默 1，从未上线 1。

村室        代码          情况  截至              已登记  到乡镇  到县  最久待送  上次联系  设备      时钟
兴利村委会  511603102203  静默  2026-11-22 12:18  9       2       2     90 秒     2 小时前  ab71dbf6  快 10 分钟
高河村委会  511603102201  在步  现在              121     121     121             现在      7b08582f
另有 1 间从未上线，列出：rooms --all
";
    let expected = expected.replace("90 秒 ", "1 分钟");
    check(View::Rooms(NeverSeen::Counted), hub(), &some_rooms(), &expected);
    let listed = text(View::Rooms(NeverSeen::Listed), &some_rooms(), hub());
    assert!(listed.contains("砂石村委会") && !listed.contains("--all"), "{listed}");
}

#[test]
fn a_device_that_is_out_is_shown_with_the_reason() {
    let value = json!([
        {"unit": "511603102000", "unit_name": "观阁镇", "role": "hub", "device": "9ed8d26a6279ee6f", "name": "vm",
         "node_code": "01L8", "state": "in", "this_device": true},
        {"unit": "511603102203", "unit_name": "兴利村委会", "role": "node", "device": "ab71dbf637bc4a5b", "name": "vm",
         "node_code": "09I0", "state": "revoked", "reason": "电脑丢失"},
    ]);
    let expected = "\
机构        代码          用途      设备      电脑名  编号段  状态
观阁镇      511603102000  中心      9ed8d26a  vm      01L8    在用（本机）
兴利村委会  511603102203  村室电脑  ab71dbf6  vm      09I0    已停用：电脑丢失
在用 1 台，已停用 1 台。
";
    check(View::MemberList, hub(), &value, expected);
}

#[test]
fn a_ticket_goes_alone_into_a_file_and_is_explained_on_a_terminal() {
    let value = json!({"ticket": "CL1-ABC", "unit": "511603102000", "name": "观阁镇", "expires_ms": 0});
    check(View::Invite, hub(), &value, "CL1-ABC\n");
    let terminal = Screen {
        ink: Ink::Terminal,
        ..hub()
    };
    let shown = text(View::Invite, &value, terminal);
    assert!(
        shown.starts_with("CL1-ABC\n\n给 观阁镇 511603102000，有效到 1970-01-01 08:00"),
        "{shown}"
    );
}

#[test]
fn a_newcomer_is_told_what_to_do_next() {
    let value =
        json!({"unit": "511603102201", "role": "node", "device": "7b08582f4634", "node_code": "09A0", "settled": true});
    let expected = "\
已加入 511603102201（村室电脑），设备 7b08582f，编号段 09A0。
机构、事项目录和密钥已收齐。
下一步，启动后台同步：run
";
    check(View::Join, room(), &value, expected);
}

#[test]
fn a_folder_that_is_not_sound_ends_with_one_and_says_what_to_do() {
    for (value, exit) in [
        (json!({"clean": false}), 1),
        (json!({}), 1),
        (json!({"clean": true}), 0),
    ] {
        assert_eq!(View::Verify.exit(&value), exit);
    }
    let value = json!({"clean": false, "faults": ["索引缺少一行"], "entries": 3, "records": 1, "bytes": 99});
    let shown = text(View::Verify, &value, room());
    assert!(
        shown.contains("  索引缺少一行\n") && shown.contains("请保留整个数据文件夹"),
        "{shown}"
    );
    let value = json!({"clean": true, "entries": 3, "records": 1, "bytes": 99});
    let expected = "核验通过：账目、签名、索引全部相符。\n查过账目 3 条，办件 1 件，99 B。\n";
    check(View::Verify, room(), &value, expected);
}
