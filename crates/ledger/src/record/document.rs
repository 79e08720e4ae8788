//! A set of entries read as one document.
/// More changes than this are set aside.
pub const RECORD_CHANGES_MAX: usize = 4_096;
