//! People: who works where, and the code with which they enrol.

use serde_json::Value;

use super::Screen;
use super::layout::{Table, cut, line, moment};
use super::read::{is, number, rows, text};
use crate::words;

const NAME_WIDTH_MAX: usize = 20;

pub(super) fn list(value: &Value, screen: Screen) -> String {
    let users = rows(value);
    if users.is_empty() {
        return format!("{}\n", words::NO_USERS);
    }
    let mut table = Table::new(&words::USERS_HEAD);
    for user in users {
        let cells = [
            cut(text(user, "unit_name"), NAME_WIDTH_MAX),
            line(text(user, "unit")),
            cut(text(user, "name"), NAME_WIDTH_MAX),
            roles(user),
            text(user, "id").to_owned(),
            match is(user, "active") {
                true => words::IN_USE.to_owned(),
                false => words::STOPPED.to_owned(),
            },
        ];
        if is(user, "active") {
            table.row(cells);
        } else {
            table.faint_row(cells);
        }
    }
    table.text(screen.ink)
}

fn roles(user: &Value) -> String {
    let roles = user["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = roles.iter().filter_map(Value::as_str).map(words::user_role).collect();
    words.join("、")
}

/// What a person has to be given: the code on paper.
pub(super) fn one(value: &Value) -> String {
    let who = line(&format!(
        "{} {}（{}）",
        text(value, "unit_name"),
        text(value, "name"),
        roles(value)
    ));
    match value.get("code").and_then(Value::as_str) {
        Some(code) => {
            let until = value
                .get("enrol")
                .and_then(|e| number(e, "until_ms"))
                .map_or_else(String::new, moment);
            let page = value.get("console").and_then(Value::as_str).map(line);
            let whereto = match is(value, "centre") {
                true => words::at_the_console(page.as_deref()),
                false => words::AT_THE_DESK.to_owned(),
            };
            format!("{}\n", words::user_code(&who, &line(code), &until, &whereto))
        }
        None => format!("{}\n", words::user_stopped(&who)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_named_at_a_centre_is_sent_to_its_console_and_a_clerk_to_the_desk_of_the_room() {
        let named = |more: Value| {
            let mut value = json!({
                "unit_name": "石莲便民服务中心", "name": "王主任", "roles": ["head"], "code": "ABCD-EFGH-2345-6789",
                "enrol": {"digest": "00", "until_ms": 0},
            });
            for (name, it) in more.as_object().unwrap() {
                value[name] = it.clone();
            }
            one(&value)
        };
        let here = named(json!({"centre": true, "own": true, "console": "https://10.1.2.3:8802"}));
        assert!(
            here.contains("本中心工作台 https://10.1.2.3:8802") && here.contains("自设登录密码"),
            "{here}"
        );
        let elsewhere = named(json!({"centre": true, "own": false}));
        assert!(
            elsewhere.contains("该中心工作台") && elsewhere.contains("密码"),
            "{elsewhere}"
        );
        for said in [&here, &elsewhere] {
            assert!(!said.contains("PIN") && !said.contains("村室"), "{said}");
        }
        let clerk = named(json!({"centre": false, "own": false}));
        assert!(clerk.contains("村室电脑的办事页面") && clerk.contains("PIN"), "{clerk}");
    }
}
