//! A device's own keys: one signs its logs and is its TLS identity, the other opens what is sealed to it.
//!
//! Both are made on the device and never leave it. They lie in the data folder, readable by its owner only: the signing key open,
//! so that syncing never waits for a person; the unsealing key open or, once there is a passphrase, locked by it ([`crate::lock`]).

use std::io;

use ed25519_dalek::SigningKey;
use ledger::id::DeviceId;
use ledger::seed::Seeds;
use replica::sealbox::UnsealKey;
use replica::time::Now;
use store::disk::{Disk, read_all, replace};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::command::Passphrase;
use crate::lock::{Cost, Sealed, Tries};

/// The signing key's file.
pub const DEVICE_KEY: &str = "device.key";
/// The unsealing key's file.
pub const UNSEAL_KEY: &str = "unseal.key";
/// The unsealing key's file once it is locked by a passphrase; the open one is gone then.
pub const LOCKED_KEY: &str = "unseal.locked";
/// The county's recovery file, to be kept off the machine.
pub const ROOT_KEY: &str = "county-root.key";

/// The keys of one device.
pub struct Identity {
    pub device: DeviceId,
    pub signing: SigningKey,
    /// The public half of the unsealing key: others seal to it, whether it is locked or not.
    pub seal_key: [u8; 32],
    unseal: Option<UnsealKey>,
    lock: Option<Sealed>,
}

/// Why the unsealing key was not opened or locked.
#[derive(Debug, Error)]
pub(crate) enum UnlockError {
    #[error("there is no passphrase")]
    NoPassphrase,
    #[error("wrong passphrase, {wrong} in a row")]
    Wrong { wrong: u32, wait_ms: i64 },
    #[error("{left_ms} ms to wait")]
    Wait { left_ms: i64 },
    #[error("reading or writing a key file: {0}")]
    Disk(#[from] io::Error),
    #[error("argon2 refuses its parameters")]
    Cost,
}

/// Why the keys of a folder cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    #[error("reading or writing a key file: {0}")]
    Disk(#[from] io::Error),
    #[error("{0} is not a key file")]
    Malformed(&'static str),
    #[error("{present} is there but {missing} is not")]
    Half {
        present: &'static str,
        missing: &'static str,
    },
}

impl Identity {
    /// Reads the keys of a folder, or makes them where there are none. A folder with one of the two is refused: making the other
    /// anew would hide that something is lost.
    pub fn load_or_create(disk: &mut dyn Disk, seeds: &mut Seeds) -> Result<Self, IdentityError> {
        // The unsealing key is written first: the device key's file says that both are there.
        let Some(device) = read_all(disk, DEVICE_KEY)? else {
            let device = Zeroizing::new(seeds.bytes::<32>());
            let unseal = Zeroizing::new(seeds.bytes::<32>());
            write_key(disk, UNSEAL_KEY, &unseal)?;
            write_key(disk, DEVICE_KEY, &device)?;
            return Ok(Self::open(&device, &unseal));
        };
        let device = parse_key(&device).ok_or(IdentityError::Malformed(DEVICE_KEY))?;
        if let Some(locked) = read_all(disk, LOCKED_KEY)? {
            let sealed = Sealed::decode(&locked).ok_or(IdentityError::Malformed(LOCKED_KEY))?;
            // Where both lie there, locking was interrupted before the open one was gone.
            wipe(disk, UNSEAL_KEY)?;
            let signing = SigningKey::from_bytes(&device);
            return Ok(Self {
                device: DeviceId(signing.verifying_key().to_bytes()),
                signing,
                seal_key: sealed.public,
                unseal: None,
                lock: Some(sealed),
            });
        }
        let unseal = read_all(disk, UNSEAL_KEY)?.ok_or(IdentityError::Half {
            present: DEVICE_KEY,
            missing: UNSEAL_KEY,
        })?;
        let unseal = parse_key(&unseal).ok_or(IdentityError::Malformed(UNSEAL_KEY))?;
        Ok(Self::open(&device, &unseal))
    }

    fn open(device: &[u8; 32], unseal: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(device);
        let unseal = UnsealKey::from_bytes(*unseal);
        Self {
            device: DeviceId(signing.verifying_key().to_bytes()),
            signing,
            seal_key: unseal.public(),
            unseal: Some(unseal),
            lock: None,
        }
    }

    /// The unsealing key; `None` while it is locked.
    pub fn unseal(&self) -> Option<&UnsealKey> {
        self.unseal.as_ref()
    }

    /// Whether the unsealing key is locked by a passphrase at all.
    pub fn has_passphrase(&self) -> bool {
        self.lock.is_some()
    }

    /// Whether the passphrase is needed before anything can be opened.
    pub fn is_locked(&self) -> bool {
        self.unseal.is_none()
    }

    /// Wipes the unsealing key from memory. Nothing changes where there is no passphrase to get it back with.
    pub(crate) fn lock(&mut self) {
        if self.lock.is_some() {
            self.unseal = None;
        }
    }

    /// Opens the unsealing key. Counts the try on the disk before it is made.
    pub(crate) fn unlock(&mut self, disk: &mut dyn Disk, now: Now, passphrase: &Passphrase) -> Result<(), UnlockError> {
        let key = self.prove(disk, now, passphrase)?;
        self.unseal = Some(key);
        Ok(())
    }

    fn prove(&self, disk: &mut dyn Disk, now: Now, passphrase: &Passphrase) -> Result<UnsealKey, UnlockError> {
        let sealed = self.lock.as_ref().ok_or(UnlockError::NoPassphrase)?;
        let tries = Tries::load(disk).follow_clock(disk, now)?;
        match tries.left_ms(now) {
            0 => {}
            left_ms => return Err(UnlockError::Wait { left_ms }),
        }
        let tries = tries.begin(disk, now)?;
        let key = sealed.open(passphrase).ok_or(UnlockError::Wrong {
            wrong: tries.wrong,
            wait_ms: tries.left_ms(now),
        })?;
        Tries::forget(disk)?;
        Ok(key)
    }

    /// Locks the unsealing key by a new passphrase; `old` is needed where there is one. The key is open afterwards.
    pub(crate) fn set_passphrase(
        &mut self,
        disk: &mut dyn Disk,
        now: Now,
        old: Option<&Passphrase>,
        new: &Passphrase,
        (salt, cost): ([u8; 16], Cost),
    ) -> Result<(), UnlockError> {
        if self.lock.is_some() {
            let old = old.ok_or(UnlockError::NoPassphrase)?;
            self.unlock(disk, now, old)?;
        }
        let key = self.unseal.as_ref().ok_or(UnlockError::NoPassphrase)?;
        let sealed = Sealed::new(key, new, salt, cost).ok_or(UnlockError::Cost)?;
        replace(disk, LOCKED_KEY, sealed.encode().as_bytes())?;
        // Only now that the locked one is durable.
        wipe(disk, UNSEAL_KEY)?;
        self.lock = Some(sealed);
        Ok(())
    }
}

/// Overwrites a file and removes it. What a file system or a flash chip keeps of old blocks is beyond a program's reach.
fn wipe(disk: &mut dyn Disk, name: &str) -> io::Result<()> {
    for name in [name.to_owned(), format!("{name}.new")] {
        if let Some(len) = disk.len(&name)? {
            disk.write_at(&name, 0, &vec![0; usize::try_from(len).unwrap_or(0)])?;
            disk.sync_data(&name)?;
            disk.remove(&name)?;
            disk.sync_dir()?;
        }
    }
    Ok(())
}

/// Whether a folder holds a device's key: whether `init` or `join` was begun there.
pub fn is_present(disk: &dyn Disk) -> io::Result<bool> {
    Ok(disk.len(DEVICE_KEY)?.is_some())
}

/// Writes a key file: 64 hexadecimal digits and a line end.
pub(crate) fn write_key(disk: &mut dyn Disk, name: &str, key: &[u8; 32]) -> io::Result<()> {
    let mut text = Zeroizing::new(data_encoding::HEXLOWER.encode(key));
    text.push('\n');
    replace(disk, name, text.as_bytes())
}

/// Reads what [`write_key`] wrote.
pub(crate) fn parse_key(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bytes = Zeroizing::new(data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?);
    Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
}

#[cfg(test)]
mod tests {
    use store::MemDisk;

    use super::*;

    #[test]
    fn a_folder_keeps_its_keys_and_never_makes_half_of_them_anew() {
        let mut disk = MemDisk::new(1);
        let mut seeds = Seeds::new([3; 32]);
        let first = Identity::load_or_create(&mut disk, &mut seeds).unwrap();
        let again = Identity::load_or_create(&mut disk, &mut seeds).unwrap();
        assert_eq!(first.device, again.device);
        assert_eq!(first.seal_key, again.seal_key);

        let mut half = disk.copy();
        half.remove(UNSEAL_KEY).unwrap();
        assert!(matches!(
            Identity::load_or_create(&mut half, &mut seeds),
            Err(IdentityError::Half { .. })
        ));
        let mut torn = disk.copy();
        replace(&mut torn, DEVICE_KEY, b"00ff").unwrap();
        assert!(matches!(
            Identity::load_or_create(&mut torn, &mut seeds),
            Err(IdentityError::Malformed(_))
        ));
    }

    #[test]
    fn a_locked_folder_holds_the_open_key_nowhere_whenever_the_power_goes() {
        const CHEAP: Cost = Cost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let now = Now { wall_ms: 0, mono_ms: 0 };
        let words = Passphrase::new("correct horse");
        let mut disk = MemDisk::new(1);
        let mut me = Identity::load_or_create(&mut disk, &mut Seeds::new([3; 32])).unwrap();
        let open = data_encoding::HEXLOWER.encode(me.unseal().unwrap().to_bytes().as_slice());
        // Interrupted between the two files: the next start finishes it.
        let mut half = disk.copy();
        let sealed = Sealed::new(me.unseal().unwrap(), &words, [1; 16], CHEAP).unwrap();
        replace(&mut half, LOCKED_KEY, sealed.encode().as_bytes()).unwrap();
        me.set_passphrase(&mut disk, now, None, &words, ([1; 16], CHEAP))
            .unwrap();
        assert!(!me.is_locked(), "whoever sets it goes on working");

        for mut disk in [disk, half] {
            let mut again = Identity::load_or_create(&mut disk, &mut Seeds::new([4; 32])).unwrap();
            for name in disk.list().unwrap() {
                let bytes = read_all(&disk, &name).unwrap().unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(&open), "{name}");
            }
            assert_eq!((again.device, again.seal_key), (me.device, me.seal_key));
            assert!(again.is_locked() && again.unseal().is_none());
            let wrong = again.unlock(&mut disk, now, &Passphrase::new("correct horst"));
            assert!(matches!(wrong, Err(UnlockError::Wrong { wrong: 1, .. })));
            again.unlock(&mut disk, now, &words).unwrap();
            assert!(!again.is_locked());
            let new = Passphrase::new("battery staple");
            let refused = again.set_passphrase(&mut disk, now, None, &new, ([2; 16], CHEAP));
            assert!(
                matches!(refused, Err(UnlockError::NoPassphrase)),
                "the old one is asked for"
            );
            again
                .set_passphrase(&mut disk, now, Some(&words), &new, ([2; 16], CHEAP))
                .unwrap();
            again.lock();
            assert!(again.unlock(&mut disk, now, &words).is_err(), "the old one is gone");
            again.unlock(&mut disk, now, &new).unwrap();
        }
    }
}
