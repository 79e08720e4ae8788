//! A device's own keys: one signs its logs and is its TLS identity, the other opens what is sealed to it.
//!
//! Both are made on the device and never leave it. They lie in the data folder, readable by its owner only.

use std::io;

use ed25519_dalek::SigningKey;
use ledger::id::DeviceId;
use ledger::seed::Seeds;
use replica::sealbox::UnsealKey;
use store::disk::{Disk, read_all, replace};
use thiserror::Error;
use zeroize::Zeroizing;

/// The signing key's file.
pub const DEVICE_KEY: &str = "device.key";
/// The unsealing key's file.
pub const UNSEAL_KEY: &str = "unseal.key";
/// The county's recovery file, to be kept off the machine.
pub const ROOT_KEY: &str = "county-root.key";

/// The keys of one device.
pub struct Identity {
    pub device: DeviceId,
    pub signing: SigningKey,
    pub unseal: UnsealKey,
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
        match (read_all(disk, DEVICE_KEY)?, read_all(disk, UNSEAL_KEY)?) {
            (Some(device), Some(unseal)) => {
                let device = parse_key(&device).ok_or(IdentityError::Malformed(DEVICE_KEY))?;
                let unseal = parse_key(&unseal).ok_or(IdentityError::Malformed(UNSEAL_KEY))?;
                Ok(Self::of(&device, &unseal))
            }
            (Some(_), None) => Err(IdentityError::Half {
                present: DEVICE_KEY,
                missing: UNSEAL_KEY,
            }),
            (None, _) => {
                let device = Zeroizing::new(seeds.bytes::<32>());
                let unseal = Zeroizing::new(seeds.bytes::<32>());
                write_key(disk, UNSEAL_KEY, &unseal)?;
                write_key(disk, DEVICE_KEY, &device)?;
                Ok(Self::of(&device, &unseal))
            }
        }
    }

    fn of(device: &[u8; 32], unseal: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(device);
        Self {
            device: DeviceId(signing.verifying_key().to_bytes()),
            signing,
            unseal: UnsealKey::from_bytes(*unseal),
        }
    }
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
        assert_eq!(first.unseal.public(), again.unseal.public());

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
}
