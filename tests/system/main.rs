//! The county, from outside: real processes of our binaries, told as stories.
