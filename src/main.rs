//! The `gamops` command.

fn main() {}
