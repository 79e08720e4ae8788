//! PINs and passwords: who has enrolled on this machine, and how often somebody guessed. Kept on this machine alone, as argon2
//! verifiers.
//!
//! Who works here and as what is stated by the unit above; this file knows only ids. A try is counted on the disk before it is
//! answered, so that pulling the plug gives nobody a sixth.

use std::io;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use daemon::Folder;
use ledger::id::UserId;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// The file, in the data folder.
const FILE: &str = "clerks";
/// A sixth try has to wait.
pub const TRIES_MAX: u32 = 5;
/// The first wait; each further five wrong ones double it, up to a day.
const WAIT_MS: i64 = 15 * 60_000;
const WAIT_MS_MAX: i64 = 24 * 3_600_000;
/// Six digits are what people keep in their heads; with five tries in a quarter of an hour a million take years.
pub const PIN_DIGITS_MIN: usize = 6;
pub const PIN_DIGITS_MAX: usize = 12;
/// A hub is asked from other machines, all night: a PIN would not do.
pub const PASSWORD_CHARS_MIN: usize = 10;
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Of these, so many are different ones.
const PASSWORD_DIFFERENT_MIN: usize = 5;

/// What people prove themselves with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secret {
    /// At one PC, before which one has to sit.
    Pin,
    /// Over the network.
    Password,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: UserId,
    /// In the usual text form, `$argon2id$…`.
    pin: String,
    /// The digest of the code it was enrolled with: a code is good once.
    code: String,
    #[serde(default)]
    wrong: u32,
    /// Nothing is tried before this, UTC milliseconds.
    #[serde(default)]
    until_ms: i64,
    /// The digest of the code at which guesses were made last: another code begins another count.
    #[serde(default)]
    guessed: String,
}

impl Account {
    /// Somebody who has not enrolled here: only guesses are counted.
    fn new(id: UserId) -> Self {
        Self {
            id,
            pin: String::new(),
            code: String::new(),
            wrong: 0,
            until_ms: 0,
            guessed: String::new(),
        }
    }

    fn is_enrolled(&self) -> bool {
        !self.pin.is_empty()
    }

    /// Nothing is tried before this.
    fn waits(&self, now_ms: i64) -> Result<(), Refused> {
        // A clock that was put back cannot make anybody wait for ever.
        match now_ms < self.until_ms && self.until_ms - now_ms <= WAIT_MS_MAX {
            true => Err(Refused::Waits {
                until_ms: self.until_ms,
            }),
            false => Ok(()),
        }
    }

    /// Counts a try before it is looked at: what it is refused with if it turns out wrong.
    fn count(&mut self, now_ms: i64) -> Refused {
        self.wrong = self.wrong.saturating_add(1);
        let wrong = self.wrong;
        self.until_ms = match wrong % TRIES_MAX {
            0 => now_ms.saturating_add((WAIT_MS << (wrong / TRIES_MAX - 1).min(7)).min(WAIT_MS_MAX)),
            _ => 0,
        };
        match self.until_ms {
            0 => Refused::Wrong {
                left: TRIES_MAX - wrong % TRIES_MAX,
            },
            until_ms => Refused::Waits { until_ms },
        }
    }
}

/// Why somebody is not let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Has not enrolled here.
    Unknown,
    /// So many tries are left.
    Wrong { left: u32 },
    /// Nothing is tried until then.
    Waits { until_ms: i64 },
    /// The code was used before.
    CodeUsed,
    /// Too short or too simple.
    Weak,
    /// What is on the disk cannot be read or written.
    Disk(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Disk(error.to_string())
    }
}

/// The accounts of one machine. One try at a time: each costs 19 MB of an old PC's memory.
pub struct Accounts {
    folder: Folder,
    secret: Secret,
    turn: Mutex<()>,
}

impl Accounts {
    /// Those kept in a data folder.
    pub fn of(folder: Folder, secret: Secret) -> Self {
        let turn = Mutex::new(());
        Self { folder, secret, turn }
    }

    fn is_sound(&self, secret: &str) -> bool {
        match self.secret {
            Secret::Pin => is_sound(secret),
            Secret::Password => is_sound_password(secret),
        }
    }

    fn load(&self) -> Result<Vec<Account>, Refused> {
        let Some(bytes) = self.folder.kept(FILE)? else {
            return Ok(Vec::new());
        };
        serde_json::from_slice(&bytes).map_err(|e| Refused::Disk(e.to_string()))
    }

    fn store(&self, all: &[Account]) -> Result<(), Refused> {
        let bytes = serde_json::to_vec(all).map_err(|e| Refused::Disk(e.to_string()))?;
        Ok(self.folder.keep(FILE, &bytes)?)
    }

    /// Who has enrolled here.
    ///
    /// # Errors
    /// [`Refused::Disk`].
    pub fn enrolled(&self) -> Result<Vec<UserId>, Refused> {
        let all = self.load()?.into_iter();
        Ok(all.filter(Account::is_enrolled).map(|a| a.id).collect())
    }

    /// Takes a PIN for somebody whose code was found right; `code` is its digest.
    ///
    /// # Errors
    /// A weak PIN, a code that was used, the disk.
    pub async fn enrol(&self, id: UserId, code: &str, pin: &str) -> Result<(), Refused> {
        if !self.is_sound(pin) {
            return Err(Refused::Weak);
        }
        let _turn = self.turn.lock().await;
        let mut all = self.load()?;
        if all.iter().any(|a| a.id == id && a.code == code) {
            return Err(Refused::CodeUsed);
        }
        let pin = verifier(pin).await?;
        all.retain(|a| a.id != id);
        all.push(Account {
            pin,
            code: code.to_owned(),
            ..Account::new(id)
        });
        self.store(&all)
    }

    /// Counts a try at somebody's one-time code as a try at the password, as of `now_ms`. `code` is the digest of the code that was
    /// given last, `is_right` whether this is it: after too many wrong ones the right one has to wait too.
    ///
    /// # Errors
    /// Why not.
    pub async fn try_code(&self, id: UserId, code: &str, is_right: bool, now_ms: i64) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let mut all = self.load()?;
        let at = match all.iter().position(|a| a.id == id) {
            Some(at) => at,
            None => {
                all.push(Account::new(id));
                all.len() - 1
            }
        };
        let account = &mut all[at];
        if account.guessed == code {
            account.waits(now_ms)?;
        }
        if is_right {
            return Ok(());
        }
        if account.guessed != code {
            (account.wrong, account.until_ms) = (0, 0);
            account.guessed = code.to_owned();
        }
        let refused = account.count(now_ms);
        self.store(&all)?;
        Err(refused)
    }

    /// Another one for somebody who has just given the old one.
    ///
    /// # Errors
    /// A weak one, somebody who has none, the disk.
    pub async fn change(&self, id: UserId, new: &str) -> Result<(), Refused> {
        if !self.is_sound(new) {
            return Err(Refused::Weak);
        }
        let _turn = self.turn.lock().await;
        let mut all = self.load()?;
        let enrolled = all.iter_mut().find(|a| a.id == id && a.is_enrolled());
        let account = enrolled.ok_or(Refused::Unknown)?;
        account.pin = verifier(new).await?;
        self.store(&all)
    }

    /// Takes as long as [`Accounts::check`] for a name that nobody has, so that nobody learns by the clock who works here.
    pub async fn pretend(&self, pin: &str) {
        let _turn = self.turn.lock().await;
        let _ = verifier(pin).await;
    }

    /// Whether this is the person's PIN, as of `now_ms`.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self, id: UserId, pin: &str, now_ms: i64) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let mut all = self.load()?;
        let enrolled = all.iter_mut().find(|a| a.id == id && a.is_enrolled());
        let account = enrolled.ok_or(Refused::Unknown)?;
        account.waits(now_ms)?;
        let verifier = account.pin.clone();
        let refused = account.count(now_ms);
        self.store(&all)?;
        let right = slowly(pin, move |hasher, pin| {
            let verifier = PasswordHash::new(&verifier).ok()?;
            hasher.verify_password(pin, &verifier).ok()
        });
        if right.await.is_none() {
            return Err(refused);
        }
        if let Some(account) = all.iter_mut().find(|a| a.id == id) {
            (account.wrong, account.until_ms) = (0, 0);
        }
        self.store(&all)
    }
}

/// As people type a one-time code from paper: with or without dashes, small letters, an O for a zero.
pub fn typed_code(text: &str) -> String {
    let folded = ledger::check::fold_width(text).to_ascii_uppercase();
    let signs = folded.chars().filter(char::is_ascii_alphanumeric);
    signs.map(|c| if c == 'O' { '0' } else { c }).collect()
}

/// What is kept in place of a PIN.
async fn verifier(pin: &str) -> Result<String, Refused> {
    let made = slowly(pin, |hasher, pin| {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).ok()?;
        let salt = SaltString::encode_b64(&salt).ok()?;
        Some(hasher.hash_password(pin, &salt).ok()?.to_string())
    });
    made.await.ok_or_else(|| Refused::Disk("argon2".to_owned()))
}

/// Argon2id with 19 MiB and two passes (OWASP's first choice), off the threads that serve pages.
async fn slowly<T: Send + 'static>(
    pin: &str,
    work: impl FnOnce(&Argon2<'_>, &[u8]) -> Option<T> + Send + 'static,
) -> Option<T> {
    let pin = pin.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let params = Params::new(19 * 1024, 2, 1, None).ok()?;
        work(
            &Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            pin.as_bytes(),
        )
    });
    done.await.ok().flatten()
}

/// Digits only, enough of them, neither all alike nor a row like 123456.
pub fn is_sound(pin: &str) -> bool {
    let digits = pin.as_bytes();
    let steps: Vec<i16> = digits.windows(2).map(|w| i16::from(w[1]) - i16::from(w[0])).collect();
    let is_row = steps.iter().all(|s| *s == 0) || steps.iter().all(|s| *s == 1) || steps.iter().all(|s| *s == -1);
    (PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && !is_row
}

/// Long enough, and not the same few signs again and again; length is worth more than odd signs.
pub fn is_sound_password(password: &str) -> bool {
    let mut signs: Vec<char> = password.chars().collect();
    let length = signs.len();
    signs.sort_unstable();
    signs.dedup();
    let digits_only = password.bytes().all(|b| b.is_ascii_digit());
    (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) && signs.len() >= PASSWORD_DIFFERENT_MIN && !digits_only
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: UserId = UserId([1; 8]);

    fn place() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(&dir.path().join("room")).unwrap();
        (dir, folder)
    }

    #[tokio::test]
    async fn five_wrong_pins_and_the_right_one_has_to_wait_too_even_after_a_power_cut() {
        let (_dir, folder) = place();
        let accounts = Accounts::of(folder.clone(), Secret::Pin);
        accounts.enrol(ANNA, "c1", "274951").await.unwrap();
        accounts.check(ANNA, "274951", 1_000).await.unwrap();
        for left in (1..TRIES_MAX).rev() {
            // Each try on a machine that was started anew.
            let accounts = Accounts::of(folder.clone(), Secret::Pin);
            assert_eq!(
                accounts.check(ANNA, "111222", 1_000).await,
                Err(Refused::Wrong { left })
            );
        }
        let until_ms = 1_000 + WAIT_MS;
        assert_eq!(
            accounts.check(ANNA, "111222", 1_000).await,
            Err(Refused::Waits { until_ms })
        );
        assert_eq!(
            accounts.check(ANNA, "274951", 2_000).await,
            Err(Refused::Waits { until_ms })
        );
        accounts.check(ANNA, "274951", until_ms).await.unwrap();
        assert_eq!(
            accounts.check(ANNA, "111222", until_ms).await,
            Err(Refused::Wrong { left: 4 })
        );
    }

    #[tokio::test]
    async fn a_code_is_good_once_and_a_new_one_sets_a_new_pin() {
        let (_dir, folder) = place();
        let accounts = Accounts::of(folder, Secret::Pin);
        assert_eq!(accounts.check(ANNA, "274951", 0).await, Err(Refused::Unknown));
        assert_eq!(accounts.enrol(ANNA, "c1", "123456").await, Err(Refused::Weak));
        accounts.enrol(ANNA, "c1", "274951").await.unwrap();
        assert_eq!(accounts.enrol(ANNA, "c1", "583920").await, Err(Refused::CodeUsed));
        accounts.enrol(ANNA, "c2", "583920").await.unwrap();
        assert!(accounts.check(ANNA, "274951", 0).await.is_err());
        accounts.check(ANNA, "583920", 0).await.unwrap();
        assert_eq!(accounts.enrolled().unwrap(), [ANNA]);
    }

    #[tokio::test]
    async fn five_wrong_codes_and_the_right_one_has_to_wait_too_until_a_new_one_is_given() {
        let (_dir, folder) = place();
        let accounts = Accounts::of(folder.clone(), Secret::Password);
        for left in (1..TRIES_MAX).rev() {
            let refused = accounts.try_code(ANNA, "c1", false, 1_000).await;
            assert_eq!(refused, Err(Refused::Wrong { left }));
        }
        // Whoever has only guessed has not enrolled.
        assert_eq!(accounts.enrolled().unwrap(), []);
        assert_eq!(
            accounts.check(ANNA, "a good long one", 1_000).await,
            Err(Refused::Unknown)
        );
        let until_ms = 1_000 + WAIT_MS;
        let waits = Err(Refused::Waits { until_ms });
        assert_eq!(accounts.try_code(ANNA, "c1", false, 1_000).await, waits);
        let accounts = Accounts::of(folder, Secret::Password);
        assert_eq!(accounts.try_code(ANNA, "c1", true, 2_000).await, waits);
        accounts.try_code(ANNA, "c2", true, 2_000).await.unwrap();
        accounts.enrol(ANNA, "c2", "a good long one").await.unwrap();
        // The same count as the password's: two wrong ones here and three there.
        for _ in 0..2 {
            accounts.try_code(ANNA, "c2", false, 3_000).await.unwrap_err();
        }
        for _ in 0..2 {
            accounts.check(ANNA, "not this one", 3_000).await.unwrap_err();
        }
        let until_ms = 3_000 + WAIT_MS;
        let waits = Err(Refused::Waits { until_ms });
        assert_eq!(accounts.check(ANNA, "not this one", 3_000).await, waits);
        assert_eq!(accounts.check(ANNA, "a good long one", 4_000).await, waits);
        assert_eq!(accounts.try_code(ANNA, "c2", true, 4_000).await, waits);
    }

    #[tokio::test]
    async fn at_a_hub_a_pin_will_not_do_and_a_password_is_changed_by_whoever_has_it() {
        let (_dir, folder) = place();
        let accounts = Accounts::of(folder, Secret::Password);
        for weak in ["274951", "2749512749", "aaaaaaaaaaaa", "kurz", ""] {
            assert_eq!(accounts.enrol(ANNA, "c1", weak).await, Err(Refused::Weak), "{weak}");
        }
        assert_eq!(accounts.change(ANNA, "a good long one").await, Err(Refused::Unknown));
        accounts.enrol(ANNA, "c1", "西充的秋天真好看啊哈").await.unwrap();
        accounts.check(ANNA, "西充的秋天真好看啊哈", 0).await.unwrap();
        assert_eq!(accounts.change(ANNA, "274951").await, Err(Refused::Weak));
        accounts.change(ANNA, "a good long one").await.unwrap();
        assert!(accounts.check(ANNA, "西充的秋天真好看啊哈", 0).await.is_err());
        accounts.check(ANNA, "a good long one", 0).await.unwrap();
        // Enrolled once, the same code sets no other.
        assert_eq!(
            accounts.enrol(ANNA, "c1", "another long one").await,
            Err(Refused::CodeUsed)
        );
    }

    #[test]
    fn a_pin_that_everybody_tries_first_is_none() {
        for weak in [
            "",
            "12345",
            "111111",
            "123456",
            "987654",
            "12a456",
            "1234567890123",
            "２７４９５１",
        ] {
            assert!(!is_sound(weak), "{weak}");
        }
        assert!(is_sound("274951"));
    }
}
