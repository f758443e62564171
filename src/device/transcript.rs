//! What was sent to a device and what it answered.

use std::time::Duration;

use crate::dialect::session::Reply;

/// One command and its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The command as sent, without line end, secrets masked.
    pub command: String,
    /// What came of it. **The output of a question is left out** (`show`, `more`, `dir`): a configuration
    /// holds password hashes and communities.
    pub reply: Reply,
    /// From sending to the prompt.
    pub took: Duration,
}

/// Something to journal, as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The command is about to be sent; secrets masked. If no [`Event::Answered`] follows, whether it took effect is unknown.
    Sending(&'a str),
    /// Its reply is in.
    Answered(&'a Exchange),
}

/// Whom to tell.
pub(super) type Listener = Box<dyn FnMut(Event<'_>) + Send>;

/// Everything exchanged in a session, and whoever listens.
#[derive(Default)]
pub(super) struct Transcript {
    exchanges: Vec<Exchange>,
    listener: Option<Listener>,
}

impl Transcript {
    pub(super) fn listen(&mut self, listener: Listener) {
        self.listener = Some(listener);
    }

    pub(super) fn sending(&mut self, command: &str) {
        if let Some(listener) = &mut self.listener {
            listener(Event::Sending(command));
        }
    }

    pub(super) fn answered(&mut self, exchange: Exchange) {
        if let Some(listener) = &mut self.listener {
            listener(Event::Answered(&exchange));
        }
        self.exchanges.push(exchange);
    }

    pub(super) fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }
}
