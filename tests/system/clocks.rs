//! Clocks that are wrong.
