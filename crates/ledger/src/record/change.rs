//! One raw change: every bound checked before anything is parsed.
/// A change is at most this long.
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
pub const OPS_MAX: usize = 1_000;
pub const DEPS_MAX: usize = 64;
/// The hash by which dependents name a change.
pub fn change_hash(change: &[u8]) -> crate::id::Hash {
    let _ = change;
    todo!()
}
