//! What must not be printed by accident: passphrases, and what people type about people.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A passphrase (口令) on its way from the keyboard to the lock. Wiped when dropped, never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Passphrase(String);

impl Passphrase {
    /// What was typed; line ends and blanks around it belong to the keyboard, not to the passphrase.
    pub fn new(typed: impl Into<String>) -> Self {
        let mut typed: String = typed.into();
        let passphrase = Self(typed.trim().to_owned());
        typed.zeroize();
        passphrase
    }

    pub(crate) fn text(&self) -> &str {
        self.0.trim()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Stands for a value that is not shown.
pub(super) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// `Debug` that shows the fields in braces and names the others without their values. Every field has to be named.
macro_rules! hiding {
    ($name:ident { $($shown:ident),* } $(, $hidden:ident)*) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self { $($shown,)* $($hidden: _,)* } = self;
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($shown), $shown))*
                    $(.field(stringify!($hidden), &Hidden))*
                    .finish()
            }
        }
    };
}

pub(super) use hiding;
