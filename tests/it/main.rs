//! Whole-program tests: one binary, so that it links once.

mod sim;
mod sim_interop;
