//! Whole-program tests: one binary, so that it links once.

mod ssh_session;
mod ssh_transport;
mod support;
