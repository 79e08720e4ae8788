//! permutations
