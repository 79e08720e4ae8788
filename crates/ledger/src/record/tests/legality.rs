//! legality
