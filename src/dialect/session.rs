//! What a command-line session looks like from outside: prompts, echo, pager, and what a reply means.
//!
//! Pure: bytes in, typed answers out. Knows no sockets and no time; *waiting* for more bytes is the
//! device session's. How bytes are cut into packets never changes what is read.
//!
//! Entry points: [`Greeting`] for what comes before the first prompt, [`Reading`] for one command and its
//! reply, [`Reply`] for what came of it.

mod prompt;
mod reading;
mod refusal;
mod reply;
mod screen;

pub use prompt::Prompt;
pub use reading::{Greeting, OutOfStep, Reading, Showing, UnsafeCommand, check_command};
pub use refusal::{Refusal, RefusalKind};
pub use reply::{Reply, classify, is_question};

#[cfg(test)]
mod tests;
