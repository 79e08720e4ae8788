//! A line that another program of this machine sends to the daemon: JSON.

use daemon::Ask;
use serde_json::{Value, json};

use super::{KIB, MIB};
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "api",
    promise: "a line is a request or refused with words; a request that was read is written so that it reads the same; a field that \
              no command has is refused",
    check,
    seeds,
    len_max: 8 * KIB,
    memory: (MIB, 512),
};

fn seeds() -> Vec<Vec<u8>> {
    let lines = [
        json!({"command": "status"}),
        json!({"command": "join", "ticket": "CL1-AAAA", "hubs": ["127.0.0.1:7701"], "name": "窗口"}),
        json!({"command": "init", "unit": "511603", "divisions": "a\tb", "matters": "", "holidays": ""}),
        json!({"command": "invite", "unit": "511603102", "addrs": ["127.0.0.1:7701"], "expires_s": 60}),
        json!({"command": "case_new", "matter": "B23", "name": "张三", "cert_no": "11010519491231002X", "mobile": "13800138000",
               "address": "一组", "on": "2026-10-09", "user": "0102030405060708"}),
        json!({"command": "case_do", "number": "1", "event": "close", "result": "granted", "items": ["m1"], "rating": 1}),
        json!({"command": "case_edit", "number": "1", "field": "mobile", "value": "13800138000"}),
        json!({"command": "case_list", "unit": null, "state": "received", "limit": 20}),
        json!({"command": "case_show", "number": "1", "reveal": {"reason": "核对", "fields": ["name"]}}),
        json!({"command": "case_import", "data": "55m76K6w5pe26Ze0", "lines_before": 3}),
        json!({"command": "conflict_resolve", "id": "0123456789abcdef", "choose": "a", "note": "b"}),
        json!({"command": "member_revoke", "device": "0123456789", "reason": "被偷", "root_key": "x"}),
        json!({"command": "passphrase_set", "passphrase": "correct horse", "old": null}),
        json!({"command": "unlock", "passphrase": "correct horse"}),
        json!({"command": "audit_list", "limit": 5}),
    ];
    lines.iter().map(|line| line.to_string().into_bytes()).collect()
}

fn check(data: &[u8]) {
    let ask = match Ask::from_json(data) {
        Ok(ask) => ask,
        Err(failure) => {
            assert!(!failure.message.is_empty(), "refused without words");
            return;
        }
    };
    let written = ask.to_json();
    let again = match Ask::from_json(written.to_string().as_bytes()) {
        Ok(again) => again.to_json(),
        Err(failure) => panic!("a request is not read back: {}", failure.message),
    };
    assert_eq!(again, written, "a request reads back differently");
    let mut more: Value = written;
    if let Some(fields) = more.as_object_mut() {
        fields.insert("no_such_field".to_owned(), json!(1));
    }
    assert!(
        Ask::from_json(more.to_string().as_bytes()).is_err(),
        "a field that no command has is taken"
    );
}
