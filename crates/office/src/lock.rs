//! The unsealing key under a passphrase (口令).
//!
//! ```text
//!  passphrase ──argon2id(salt, cost)──▶ key ──AES-SIV──▶ sealed unsealing key + tag = unseal.locked
//! ```
//!
//! The tag is the check value: a wrong passphrase is told for certain, after the full cost of argon2. The cost lies beside the
//! sealed key, so it can be raised for new passphrases while old ones still open. Wrong ones are counted on the disk before they
//! are tried, and from the sixth on the keyboard has to wait; against a thief with a copy of the folder only the cost helps.

use std::io;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use ledger::check::fold_width;
use replica::sealbox::UnsealKey;
use replica::time::Now;
use sha2::Sha256;
use store::disk::{Disk, read_all, replace};
use zeroize::Zeroizing;

use crate::command::Passphrase;

/// The wrong passphrases counted since the last right one.
const TRIES: &str = "unseal.tries";
/// Wrong ones in a row that cost nothing but their time: fingers slip.
const FREE_TRIES: u32 = 5;
/// After the sixth; doubled with every further one.
const WAIT_MS: i64 = 30_000;
/// However many there were: a clerk who remembers at last must not be shut out for the day.
const WAIT_MS_MAX: i64 = 15 * 60_000;
/// Below this a passphrase is guessed faster than argon2 can slow it down.
const CHARS_MIN: usize = 8;
/// Different characters that a passphrase has at least.
const DIFFERENT_MIN: usize = 4;
const BYTES_MAX: usize = 1024;
const FORMAT: &str = "cunlian-unseal 1";
/// A file that asks for more than this was tampered with: it shall not use up the memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;

/// What one try costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// For new passphrases: 0.17 s of a core and 64 MiB, measured on a machine of 2024; an old PC takes two or three times as long. Eight
/// random letters and digits then cost a thief with a thousand such cores some seven years on average; a sentence far more.
pub const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 1,
};

/// The unsealing key as it lies on the disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sealed {
    cost: Cost,
    salt: [u8; 16],
    /// The public half, which is needed also while the key is locked.
    pub(crate) public: [u8; 32],
    sealed: Vec<u8>,
}

impl Sealed {
    /// Locks a key. `None` when argon2 refuses the cost, which is then out of its bounds.
    pub(crate) fn new(key: &UnsealKey, passphrase: &Passphrase, salt: [u8; 16], cost: Cost) -> Option<Self> {
        let mut sealed = Self {
            cost,
            salt,
            public: key.public(),
            sealed: Vec::new(),
        };
        sealed.sealed = sealed
            .cipher(passphrase)?
            .encrypt([sealed.context().as_bytes()], key.to_bytes().as_slice())
            .ok()?;
        Some(sealed)
    }

    /// The key; `None` for a wrong passphrase.
    pub(crate) fn open(&self, passphrase: &Passphrase) -> Option<UnsealKey> {
        let plain = self
            .cipher(passphrase)?
            .decrypt([self.context().as_bytes()], &self.sealed)
            .map(Zeroizing::new)
            .ok()?;
        let key = UnsealKey::from_bytes(plain.as_slice().try_into().ok()?);
        (key.public() == self.public).then_some(key)
    }

    fn cipher(&self, passphrase: &Passphrase) -> Option<Aes256Siv> {
        let params = Params::new(self.cost.memory_kib, self.cost.passes, self.cost.lanes, Some(32)).ok()?;
        let mut slow = Zeroizing::new([0; 32]);
        // A Chinese keyboard may be in full-width mode without anybody seeing it.
        let typed = Zeroizing::new(fold_width(passphrase.text()));
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(typed.as_bytes(), &self.salt, slow.as_mut_slice())
            .ok()?;
        let mut key = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, slow.as_slice())
            .expand(b"cunlian unseal 1", key.as_mut_slice())
            .ok()?;
        Aes256Siv::new_from_slice(key.as_slice()).ok()
    }

    /// Everything but the sealed key: a changed cost, salt or public half opens nothing.
    fn context(&self) -> String {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        format!(
            "{FORMAT}\nargon2id {memory_kib} {passes} {lanes}\nsalt {}\npublic {}\n",
            HEXLOWER.encode(&self.salt),
            HEXLOWER.encode(&self.public)
        )
    }

    /// The file's text.
    pub(crate) fn encode(&self) -> String {
        format!("{}sealed {}\n", self.context(), HEXLOWER.encode(&self.sealed))
    }

    /// Reads what [`Sealed::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if lines.next()? != FORMAT {
            return None;
        }
        let cost = lines.next()?.strip_prefix("argon2id ")?;
        let cost: Vec<u32> = cost.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [memory_kib, passes, lanes] = cost.try_into().ok()?;
        let mut hex = |name: &str| {
            let text = lines.next()?.strip_prefix(name)?.strip_prefix(' ')?;
            HEXLOWER.decode(text.as_bytes()).ok()
        };
        let sealed = Self {
            cost: Cost {
                memory_kib,
                passes,
                lanes,
            },
            salt: hex("salt")?.try_into().ok()?,
            public: hex("public")?.try_into().ok()?,
            sealed: hex("sealed")?,
        };
        (memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX).then_some(sealed)
    }
}

/// Whether a passphrase is worth setting.
pub(crate) fn is_strong(passphrase: &Passphrase) -> bool {
    let text = passphrase.text();
    let chars: Vec<char> = text.chars().collect();
    let different: std::collections::BTreeSet<char> = chars.iter().copied().collect();
    // 12345678, abcdefgh, 87654321
    let stepwise = |step: i64| {
        chars
            .windows(2)
            .all(|w| i64::from(u32::from(w[1])) - i64::from(u32::from(w[0])) == step)
    };
    let long = chars.len() >= CHARS_MIN && text.len() <= BYTES_MAX;
    long && different.len() >= DIFFERENT_MIN && !stepwise(1) && !stepwise(-1)
}

/// How many wrong passphrases there were, and when the last was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tries {
    pub(crate) wrong: u32,
    last_ms: i64,
}

impl Tries {
    /// What a file that cannot be read says is not known: it counts as none, as a folder's owner could remove it anyway.
    pub(crate) fn load(disk: &dyn Disk) -> Self {
        let read = || {
            let bytes = read_all(disk, TRIES).ok()??;
            let (wrong, last) = std::str::from_utf8(&bytes).ok()?.trim().split_once(' ')?;
            Some(Self {
                wrong: wrong.parse().ok()?,
                last_ms: last.parse().ok()?,
            })
        };
        read().unwrap_or_default()
    }

    fn wait_ms(self) -> i64 {
        match self.wrong.checked_sub(FREE_TRIES + 1) {
            None => 0,
            Some(more) => WAIT_MS.saturating_mul(1 << more.min(20)).min(WAIT_MS_MAX),
        }
    }

    /// How long to wait before the next try. A clock that was set back does not make it longer than it was.
    pub(crate) fn left_ms(self, now: Now) -> i64 {
        let due = self.last_ms.saturating_add(self.wait_ms());
        due.saturating_sub(now.wall_ms).clamp(0, self.wait_ms())
    }

    /// Counts a try before it is made: ending the program in the middle gains nothing.
    pub(crate) fn begin(self, disk: &mut dyn Disk, now: Now) -> io::Result<Self> {
        let counted = Self {
            wrong: self.wrong.saturating_add(1),
            last_ms: now.wall_ms,
        };
        counted.store(disk)?;
        Ok(counted)
    }

    /// The clock may have been set back behind the last try: the wait then runs from now on.
    pub(crate) fn follow_clock(self, disk: &mut dyn Disk, now: Now) -> io::Result<Self> {
        if self.last_ms <= now.wall_ms || self.wrong == 0 {
            return Ok(self);
        }
        let moved = Self {
            last_ms: now.wall_ms,
            ..self
        };
        moved.store(disk)?;
        Ok(moved)
    }

    fn store(self, disk: &mut dyn Disk) -> io::Result<()> {
        replace(disk, TRIES, format!("{} {}\n", self.wrong, self.last_ms).as_bytes())
    }

    /// The right one.
    pub(crate) fn forget(disk: &mut dyn Disk) -> io::Result<()> {
        if disk.len(TRIES)?.is_some() {
            disk.remove(TRIES)?;
            disk.sync_dir()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use store::MemDisk;

    use super::*;

    const CHEAP: Cost = Cost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    fn words(text: &str) -> Passphrase {
        Passphrase::new(text)
    }

    #[test]
    fn only_the_passphrase_opens_the_key_and_no_byte_may_change() {
        let key = UnsealKey::from_bytes([7; 32]);
        let sealed = Sealed::new(&key, &words("石莲村 2026 春"), [9; 16], CHEAP).unwrap();
        let text = sealed.encode();
        let read = Sealed::decode(text.as_bytes()).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(
            *read.open(&words("石莲村 ２０２６ 春")).unwrap().to_bytes(),
            [7; 32],
            "full-width digits are the same digits"
        );
        assert!(read.open(&words("石莲村 2026 秋")).is_none());
        assert!(!text.contains(&HEXLOWER.encode(&[7; 32])));
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let opens = Sealed::decode(&changed).is_some_and(|s| s.open(&words("石莲村 2026 春")).is_some());
            assert!(!opens, "byte {at}");
        }
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_no_file_of_ours() {
        let key = UnsealKey::from_bytes([7; 32]);
        let text = Sealed::new(&key, &words("correct horse"), [9; 16], CHEAP)
            .unwrap()
            .encode();
        for greedy in ["argon2id 4294967295 1 1", "argon2id 64 4294967295 1"] {
            assert_eq!(Sealed::decode(text.replace("argon2id 64 1 1", greedy).as_bytes()), None);
        }
    }

    #[test]
    fn a_weak_passphrase_is_known_by_its_look() {
        for weak in ["", "short", "11111111", "12345678", "87654321", "abcdefgh", "abababab"] {
            assert!(!is_strong(&words(weak)), "{weak}");
        }
        for strong in ["correct horse", "石莲村便民服务室", "a1b2c3d4"] {
            assert!(is_strong(&words(strong)), "{strong}");
        }
    }

    #[test]
    fn wrong_passphrases_cost_time_across_restarts_and_turned_clocks() {
        let mut disk = MemDisk::new(1);
        let now = |s: i64| Now {
            wall_ms: 1_000_000 + s * 1000,
            mono_ms: 0,
        };
        for _ in 0..FREE_TRIES {
            let tries = Tries::load(&disk);
            assert_eq!(tries.left_ms(now(0)), 0);
            tries.begin(&mut disk, now(0)).unwrap();
        }
        Tries::load(&disk).begin(&mut disk, now(0)).unwrap();
        assert_eq!(Tries::load(&disk).left_ms(now(10)), 20_000);
        Tries::load(&disk).begin(&mut disk, now(30)).unwrap();
        assert_eq!(Tries::load(&disk).left_ms(now(30)), 60_000, "doubled");
        assert_eq!(
            Tries::load(&disk).left_ms(now(-9_000_000)),
            60_000,
            "never longer than that"
        );
        let back = Tries::load(&disk).follow_clock(&mut disk, now(-9_000_000)).unwrap();
        assert_eq!(back.left_ms(now(-9_000_000 + 61)), 0, "and it runs from there");
        for _ in 0..40 {
            Tries::load(&disk).begin(&mut disk, now(0)).unwrap();
        }
        assert_eq!(Tries::load(&disk).left_ms(now(0)), WAIT_MS_MAX);
        Tries::forget(&mut disk).unwrap();
        assert_eq!(Tries::load(&disk), Tries::default());
    }
}
