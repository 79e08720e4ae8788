//! Who sits at which browser: sessions in RAM only, named by a cookie that no script can read.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ledger::id::UserId;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Sessions kept at most; whoever floods us with new ones pushes out those who have not signed in.
const SESSIONS_MAX: usize = 256;
/// A browser that was closed in the evening signs in anew in the morning.
const SESSION_LIFE: Duration = Duration::from_secs(14 * 3600);
/// Longer than anybody thinks about five faces.
const SCREEN_LIFE: Duration = Duration::from_secs(5 * 60);

/// Somebody types: said by the page so often at most.
const AWAKE_EVERY: Duration = Duration::from_secs(60);

/// Somebody who has given name and PIN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    /// `clerk`, `head`; at hubs `operator`, `admin`, `auditor`.
    pub roles: Vec<String>,
    /// B岗顶岗; none on the A-post.
    pub cover: Option<Cover>,
}

/// A post taken over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cover {
    /// For whom.
    pub of: String,
    pub reason: String,
}

impl Cover {
    /// For this person, and why.
    pub fn new(of: &str, reason: &str) -> Self {
        Self {
            of: of.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

impl Person {
    /// Whether this person has a role.
    pub fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r == role)
    }
}

/// What a request learns of its session.
#[derive(Clone, Debug)]
pub struct Seat {
    pub csrf: String,
    pub person: Option<Person>,
    /// Too long untouched: the person has to give the PIN again.
    pub locked: bool,
}

struct Session {
    csrf: String,
    person: Option<Person>,
    began: Instant,
    touched: Instant,
    locked: bool,
    /// To be said once, on the next page.
    said: Option<String>,
    screen: Option<Screen>,
    /// Plain personal values that a page works with; overwritten with the lock, or with the session.
    held: HashMap<&'static str, Zeroizing<Vec<u8>>>,
}

impl Session {
    fn lock(&mut self) {
        self.locked = self.person.is_some();
        self.held.clear();
    }
}

/// The screen while it is lent to somebody who stands before the desk: good for one press, and for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Screen {
    pub token: String,
    /// What the press is about.
    pub about: String,
    until: Instant,
}

type Key = [u8; 32];

/// All sessions of one face.
pub struct Sessions {
    all: Mutex<HashMap<Key, Session>>,
    idle_lock: Duration,
}

fn key(cookie: &str) -> Key {
    Sha256::digest(cookie.as_bytes()).into()
}

/// Sixty-four hexadecimal digits that nobody can guess.
pub fn secret() -> String {
    let mut bytes = [0; 32];
    match getrandom::fill(&mut bytes) {
        Ok(()) => data_encoding::HEXLOWER.encode(&bytes),
        // A machine without randomness must not hand out sessions that can be guessed.
        Err(error) => panic!("no randomness: {error}"),
    }
}

impl Sessions {
    /// No session yet. After `idle_lock` without a touch the PIN is asked for again.
    pub fn new(idle_lock: Duration) -> Self {
        let all = Mutex::new(HashMap::new());
        Self { all, idle_lock }
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Key, Session>) -> T) -> T {
        // What a panic left behind is still whole: each change is one insert or one assignment.
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut all)
    }

    /// The session of a cookie. `acts`: a person did this, not the page by itself.
    pub fn find(&self, cookie: &str, acts: bool, now: Instant) -> Option<Seat> {
        self.with(|all| {
            self.age(all, now);
            let session = all.get_mut(&key(cookie))?;
            if acts && !session.locked {
                session.touched = now;
            }
            Some(Seat {
                csrf: session.csrf.clone(),
                person: session.person.clone(),
                locked: session.locked,
            })
        })
    }

    /// Locks desks that were left alone and ends what is too old. Whoever closes the browser asks nothing any more, so this has to be
    /// called now and then: what a page held in the clear goes with it.
    pub fn sweep(&self, now: Instant) {
        self.with(|all| self.age(all, now));
    }

    fn age(&self, all: &mut HashMap<Key, Session>, now: Instant) {
        all.retain(|_, session| now.duration_since(session.began) <= SESSION_LIFE);
        let idle = |s: &Session| s.person.is_some() && now.duration_since(s.touched) > self.idle_lock;
        all.values_mut().filter(|s| idle(s)).for_each(Session::lock);
    }

    /// How often a page says that somebody types: several times before the desk would be locked.
    pub fn awake_every(&self) -> Duration {
        AWAKE_EVERY.min(self.idle_lock / 4)
    }

    /// Keeps something in the clear for a page until the desk is locked or left; `None` lets go of it.
    pub fn hold(&self, cookie: &str, name: &'static str, bytes: Option<Vec<u8>>) {
        let bytes = bytes.map(Zeroizing::new);
        self.change(cookie, |session| match bytes {
            Some(bytes) if session.person.is_some() && !session.locked => {
                session.held.insert(name, bytes);
            }
            _ => {
                session.held.remove(name);
            }
        });
    }

    /// What is kept so.
    pub fn held(&self, cookie: &str, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.with(|all| all.get(&key(cookie))?.held.get(name).cloned())
    }

    /// A session for somebody who has none; gives the cookie.
    pub fn begin(&self, now: Instant) -> (String, Seat) {
        let (cookie, csrf) = (secret(), secret());
        let session = Session {
            csrf: csrf.clone(),
            person: None,
            began: now,
            touched: now,
            locked: false,
            said: None,
            screen: None,
            held: HashMap::new(),
        };
        self.with(|all| {
            if all.len() >= SESSIONS_MAX {
                let oldest = all.iter().min_by_key(|(_, s)| (s.person.is_some(), s.touched));
                if let Some(oldest) = oldest.map(|(k, _)| *k) {
                    all.remove(&oldest);
                }
            }
            all.insert(key(&cookie), session);
        });
        let seat = Seat {
            csrf,
            person: None,
            locked: false,
        };
        (cookie, seat)
    }

    /// Signs somebody in under a new cookie, so that a cookie known before is worth nothing; the old one ends.
    pub fn sign_in(&self, old: &str, person: Person, now: Instant) -> String {
        self.end(old);
        let (cookie, _) = self.begin(now);
        self.change(&cookie, |session| session.person = Some(person));
        cookie
    }

    /// The person takes over a post (B岗顶岗), or goes back to the own one.
    pub fn cover(&self, cookie: &str, cover: Option<Cover>) {
        self.change(cookie, |session| {
            if let Some(person) = &mut session.person {
                person.cover = cover;
            }
        });
    }

    /// Something to be said once, on the next page: it must not stand in an address.
    pub fn say(&self, cookie: &str, text: String) {
        self.change(cookie, |session| session.said = Some(text));
    }

    /// What is to be said, without it being said: for a page that may be asked for twice.
    pub fn saying(&self, cookie: &str) -> Option<String> {
        self.with(|all| all.get(&key(cookie))?.said.clone())
    }

    /// What was to be said.
    pub fn said(&self, cookie: &str) -> Option<String> {
        self.with(|all| all.get_mut(&key(cookie)).and_then(|s| s.said.take()))
    }

    /// Lends the screen to somebody else: whoever sits here is locked out, and giving the PIN takes the screen back.
    pub fn give_screen(&self, cookie: &str, about: &str, now: Instant) {
        self.change(cookie, |session| {
            session.lock();
            session.screen = session.locked.then(|| Screen {
                token: secret(),
                about: about.to_owned(),
                until: now + SCREEN_LIFE,
            });
        });
    }

    /// The screen that this session has lent out.
    pub fn screen(&self, cookie: &str, now: Instant) -> Option<Screen> {
        let found = self.with(|all| all.get(&key(cookie)).filter(|s| s.locked)?.screen.clone());
        found.filter(|screen| now <= screen.until)
    }

    /// The screen that this token is good for.
    pub fn lent(&self, cookie: &str, token: &str, now: Instant) -> Option<Screen> {
        let screen = self.screen(cookie, now)?;
        let right = Sha256::digest(token.as_bytes()) == Sha256::digest(screen.token.as_bytes());
        right.then_some(screen)
    }

    /// Spends the screen with its token: once.
    pub fn take_screen(&self, cookie: &str, token: &str, now: Instant) -> Option<Screen> {
        self.lent(cookie, token, now)?;
        let mut taken = None;
        self.change(cookie, |session| taken = session.screen.take());
        taken
    }

    /// Asks for the PIN before anything else.
    pub fn lock(&self, cookie: &str) {
        self.change(cookie, Session::lock);
    }

    fn change(&self, cookie: &str, change: impl FnOnce(&mut Session)) {
        self.with(|all| all.get_mut(&key(cookie)).map(change));
    }

    /// Ends every other session of the person who signed in at this one: what opened those counts no more.
    pub fn end_others(&self, cookie: &str) {
        self.with(|all| {
            let Some(id) = all.get(&key(cookie)).and_then(|kept| Some(kept.person.as_ref()?.id)) else {
                return;
            };
            all.retain(|at, session| *at == key(cookie) || session.person.as_ref().is_none_or(|p| p.id != id));
        });
    }

    /// Ends a session.
    pub fn end(&self, cookie: &str) {
        self.with(|all| all.remove(&key(cookie)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            id: UserId([7; 8]),
            name: "李芳".to_owned(),
            roles: vec!["clerk".to_owned()],
            cover: None,
        }
    }

    fn sessions() -> Sessions {
        Sessions::new(Duration::from_secs(600))
    }

    #[test]
    fn what_a_page_holds_in_the_clear_goes_with_the_lock_with_the_session_and_when_nobody_asks_any_more() {
        let start = Instant::now();
        let sessions = sessions();
        let desk = || {
            let (first, _) = sessions.begin(start);
            assert_eq!(sessions.held(&first, "sought"), None);
            let cookie = sessions.sign_in(&first, person(), start);
            sessions.hold(&cookie, "sought", Some(b"zhang".to_vec()));
            assert_eq!(sessions.held(&cookie, "sought").unwrap().as_slice(), b"zhang");
            cookie
        };
        let (locked, left, alone, lent) = (desk(), desk(), desk(), desk());
        sessions.lock(&locked);
        sessions.end(&left);
        sessions.give_screen(&lent, "N", start);
        for cookie in [&locked, &left, &lent] {
            assert_eq!(sessions.held(cookie, "sought"), None);
            // Nor can anything be put there behind the lock.
            sessions.hold(cookie, "sought", Some(b"zhang".to_vec()));
            assert_eq!(sessions.held(cookie, "sought"), None);
        }
        sessions.sweep(start + Duration::from_secs(500));
        assert!(sessions.held(&alone, "sought").is_some());
        sessions.sweep(start + Duration::from_secs(601));
        assert_eq!(sessions.held(&alone, "sought"), None, "nobody asked for anything");
    }

    #[test]
    fn a_password_that_was_changed_ends_what_the_old_one_had_opened_and_nobody_elses() {
        let (start, sessions) = (Instant::now(), sessions());
        let enter = |person: Person| {
            let (first, _) = sessions.begin(start);
            sessions.sign_in(&first, person, start)
        };
        let other = Person {
            id: UserId([8; 8]),
            ..person()
        };
        let (here, there, colleague) = (enter(person()), enter(person()), enter(other));
        sessions.end_others(&here);
        assert!(sessions.find(&here, true, start).is_some());
        assert!(sessions.find(&there, true, start).is_none());
        assert!(sessions.find(&colleague, true, start).is_some());
    }

    #[test]
    fn a_desk_left_alone_is_locked_and_pages_that_refresh_themselves_do_not_keep_it_open() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let start = Instant::now();
        let (first, _) = sessions.begin(start);
        let cookie = sessions.sign_in(&first, person(), start);
        assert!(
            sessions.find(&first, true, start).is_none(),
            "the cookie before is worth nothing"
        );
        let after = |s| start + Duration::from_secs(s);
        assert!(!sessions.find(&cookie, true, after(50)).unwrap().locked);
        assert!(!sessions.find(&cookie, false, after(100)).unwrap().locked);
        assert!(sessions.find(&cookie, false, after(111)).unwrap().locked);
        assert!(
            sessions.find(&cookie, true, after(112)).unwrap().locked,
            "a press does not open it"
        );
        assert!(sessions.find(&cookie, true, start + SESSION_LIFE * 2).is_none());
    }

    #[test]
    fn a_screen_is_lent_while_its_clerk_is_locked_out_for_one_press_and_for_a_while() {
        let sessions = sessions();
        let now = Instant::now();
        let (first, _) = sessions.begin(now);
        sessions.give_screen(&first, "N", now);
        assert_eq!(sessions.screen(&first, now), None, "nobody sits here who could lend it");
        let cookie = sessions.sign_in(&first, person(), now);
        assert_eq!(sessions.take_screen(&cookie, "", now), None);
        sessions.give_screen(&cookie, "N", now);
        assert!(sessions.find(&cookie, true, now).unwrap().locked);
        let screen = sessions.screen(&cookie, now).unwrap();
        assert_eq!(sessions.take_screen(&cookie, "guess", now), None);
        assert_eq!(
            sessions.take_screen(&cookie, &screen.token, now + SCREEN_LIFE * 2),
            None
        );
        assert_eq!(sessions.take_screen(&cookie, &screen.token, now), Some(screen.clone()));
        assert_eq!(
            sessions.take_screen(&cookie, &screen.token, now),
            None,
            "a second press"
        );
        // Giving the PIN takes it back.
        sessions.give_screen(&cookie, "N", now);
        let screen = sessions.screen(&cookie, now).unwrap();
        let again = sessions.sign_in(&cookie, person(), now);
        for cookie in [&cookie, &again] {
            assert_eq!(sessions.take_screen(cookie, &screen.token, now), None);
        }
    }

    #[test]
    fn a_flood_of_visitors_pushes_out_nobody_who_has_signed_in() {
        let sessions = sessions();
        let now = Instant::now();
        let (first, _) = sessions.begin(now);
        let cookie = sessions.sign_in(&first, person(), now);
        for _ in 0..SESSIONS_MAX * 2 {
            sessions.begin(now + Duration::from_secs(1));
        }
        assert_eq!(sessions.find(&cookie, true, now).unwrap().person, Some(person()));
    }
}
