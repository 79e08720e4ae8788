//! People (用户): who works where and as what, stated by the unit above, and the one-time codes by which they enrol on a PC.
//!
//! A PIN never comes here: its verifier stays on the PC where it was typed.

use ledger::check;
use ledger::id::{Tier, UnitId, UserId};
use replica::statement::{Enrol, Role, Statement, User};
use replica::time::Now;
use serde_json::{Value, json};

use crate::audit::{Act, Note};
use crate::command::{CommandError, UserAdd, UserRef};
use crate::office::Office;
use crate::texts;

/// A code is used within a working week or asked for again.
const CODE_LIFE_MS: i64 = 7 * 24 * 3_600_000;
/// Sixteen signs of 32: 80 bits. 1, I and L look alike on paper and are left out; an O that is typed is a zero.
const CODE_SIGNS: &[u8; 32] = b"023456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// What people may be: at rooms the first two.
const ROLES: [&str; 5] = ["clerk", "head", "operator", "admin", "auditor"];

/// Which roles somebody with these may name, give codes to and stop: whoever could name an admin could be one.
fn named_by(roles: &[String]) -> &'static [&'static str] {
    let is = |role: &str| roles.iter().any(|r| r == role);
    if is("admin") {
        &ROLES
    } else if is("head") {
        &ROLES[..2]
    } else {
        &[]
    }
}

impl Office {
    /// States a new person and gives the code with which they enrol.
    ///
    /// # Errors
    /// A unit that is not ours to speak of, a name or role that is none, a namesake at the same unit.
    pub(crate) fn user_add(&mut self, now: Now, args: &UserAdd) -> Result<Value, CommandError> {
        let unit = self.unit_by_code(&args.unit)?.id;
        self.may_speak_of(unit)?;
        let name = check::name(&args.name).map_err(|e| texts::bad_input("姓名", &e.to_string()))?;
        let role = args.role.trim();
        if !ROLES.contains(&role) {
            return Err(CommandError::usage(
                "bad_role",
                format!("没有“{role}”这个角色，可用：clerk 窗口人员、head 负责人；中心另有 operator、admin、auditor。"),
            ));
        }
        self.may_name(&[role.to_owned()])?;
        if self
            .authority
            .users()
            .any(|u| u.active && u.unit == unit && u.name == name)
        {
            return Err(CommandError::failed(
                "same_name",
                format!("本单位已有“{name}”。同名的两个人请在姓名后加字区分；忘了 PIN 请用 user code 重新发码。"),
            ));
        }
        let user = User {
            id: UserId(self.seeds.bytes()),
            unit,
            name,
            roles: vec![role.to_owned()],
            active: true,
            enrol: None,
        };
        self.audit(now, Note::new(Act::UserAdd).about(user.id))?;
        self.give_code(now, user)
    }

    /// Gives a new code to somebody who has forgotten the PIN, or works on a further PC; earlier codes are void.
    ///
    /// # Errors
    /// Nobody, or several, by that name; a unit that is not ours to speak of.
    pub(crate) fn user_code(&mut self, now: Now, args: &UserRef) -> Result<Value, CommandError> {
        let user = self.find_user(&args.who)?;
        self.may_speak_of(user.unit)?;
        self.may_name(&user.roles)?;
        self.audit(now, Note::new(Act::UserCode).about(user.id))?;
        self.give_code(now, User { active: true, ..user })
    }

    /// Ends somebody's access.
    ///
    /// # Errors
    /// As [`Office::user_code`].
    pub(crate) fn user_stop(&mut self, now: Now, args: &UserRef) -> Result<Value, CommandError> {
        let user = self.find_user(&args.who)?;
        self.may_speak_of(user.unit)?;
        self.may_name(&user.roles)?;
        self.is_not_the_last(&user)?;
        let stopped = User {
            active: false,
            enrol: None,
            ..user
        };
        self.audit(now, Note::new(Act::UserStop).about(stopped.id))?;
        self.keep_user(now, &stopped)?;
        Ok(self.user_shown(&stopped))
    }

    /// Everybody known here, by unit and name.
    pub(crate) fn user_list(&self) -> Result<Value, CommandError> {
        let own = self.placed()?.unit;
        let mut users: Vec<&User> = self.authority.users().collect();
        users.sort_by_key(|u| (u.unit != own, u.unit, !u.active, u.name.clone()));
        Ok(Value::Array(users.into_iter().map(|u| self.user_shown(u)).collect()))
    }

    fn give_code(&mut self, now: Now, mut user: User) -> Result<Value, CommandError> {
        let random: [u8; 16] = self.seeds.bytes();
        let code: String = random
            .iter()
            .map(|b| char::from(CODE_SIGNS[usize::from(b % 32)]))
            .collect();
        let until_ms = now.wall_ms.saturating_add(CODE_LIFE_MS);
        user.enrol = Some(Enrol {
            digest: Enrol::digest_of(&user.id, &code),
            until_ms,
        });
        self.keep_user(now, &user)?;
        let mut shown = self.user_shown(&user);
        let groups: Vec<&str> = (0..4).map(|at| &code[at * 4..at * 4 + 4]).collect();
        shown["code"] = json!(groups.join("-"));
        Ok(shown)
    }

    fn keep_user(&mut self, now: Now, user: &User) -> Result<(), CommandError> {
        let unit = self.placed()?.unit;
        self.state(unit, Statement::User(user.clone()))
            .map_err(|e| texts::store_failed(&e))?;
        self.keep(now)
    }

    /// A hub speaks of its own unit and those below; a room of itself only while it has nobody above.
    fn may_speak_of(&self, unit: UnitId) -> Result<(), CommandError> {
        let life = self.placed()?;
        let may = match life.role {
            Role::Hub => self.authority.is_within(unit, life.unit),
            Role::Node => unit == life.unit && life.addrs.is_empty(),
        };
        may.then_some(()).ok_or_else(|| {
            CommandError::failed(
                "users_from_above",
                "人员由上级中心登记，请在乡镇或县中心执行 user add、user code 或 user stop。",
            )
        })
    }

    /// Whoever asks through a face may name these roles. The command line belongs to whoever has the machine: there the first are named.
    fn may_name(&self, roles: &[String]) -> Result<(), CommandError> {
        let Some(acting) = self.acting else { return Ok(()) };
        let by = self.authority.user_at(&acting, self.placed()?.unit);
        let named = by.map_or(&[][..], |by| named_by(&by.roles));
        match roles.iter().all(|role| named.contains(&role.as_str())) {
            true => Ok(()),
            false => Err(CommandError::failed(
                "not_yours_to_name",
                "您的岗位不能登记、重发或停用这个角色：负责人只管窗口人员和负责人，其余由管理员办理。",
            )),
        }
    }

    /// A centre without an admin could name none.
    fn is_not_the_last(&self, user: &User) -> Result<(), CommandError> {
        let is_admin = |u: &User| u.active && u.unit == user.unit && u.roles.iter().any(|role| role == "admin");
        let others = self
            .authority
            .users()
            .filter(|u| u.id != user.id && is_admin(u))
            .count();
        match is_admin(user) && self.unit() == Some(user.unit) && others == 0 {
            false => Ok(()),
            true => Err(CommandError::failed(
                "last_admin",
                format!(
                    "{} 是本中心最后一个管理员，停用后就没有人能登记人员了。请先登记另一个管理员。",
                    user.name
                ),
            )),
        }
    }

    fn find_user(&self, text: &str) -> Result<User, CommandError> {
        let text = text.trim();
        let named = |u: &&User| u.name == text || (text.len() >= 4 && u.id.to_string().starts_with(text));
        let mut found: Vec<&User> = self.authority.users().filter(named).collect();
        match (found.pop(), found.is_empty()) {
            (Some(user), true) => Ok(user.clone()),
            (Some(_), false) => Err(CommandError::failed(
                "ambiguous_user",
                format!("叫“{text}”的不止一人，请改用 user list 里的编号。"),
            )),
            (None, _) => Err(CommandError::failed(
                "unknown_user",
                format!("没有“{text}”这个人，请用 user list 核对姓名或编号。"),
            )),
        }
    }

    fn user_shown(&self, user: &User) -> Value {
        let (code, name) = self.unit_shown(user.unit);
        json!({
            "id": user.id,
            "name": user.name,
            "unit": code,
            "unit_name": name,
            "own": self.unit() == Some(user.unit),
            "ours": self.may_speak_of(user.unit).is_ok(),
            // Whoever asks may give a code to this person, and stop them.
            "yours": self.may_speak_of(user.unit).is_ok() && self.may_name(&user.roles).is_ok(),
            "centre": self.authority.unit(user.unit).is_some_and(|unit| unit.kind.tier() != Tier::Room),
            "roles": user.roles,
            "active": user.active,
            "enrol": user.enrol.map(|e| json!({"digest": e.digest, "until_ms": e.until_ms})),
        })
    }
}
