//! A socket that can be taken away from whoever reads it.
//!
//! The SSH library runs each session in a task of its own, which owns the socket and outlives those who gave
//! up on it: with a peer that goes silent during the key exchange, for ever. A device counts such a
//! connection against the few that it takes, so giving up must end it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// The socket, as long as its [`Leash`] is held.
pub(super) struct Leashed {
    stream: TcpStream,
    let_go: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Ends the connection when dropped.
pub(super) struct Leash {
    _guard: DropGuard,
}

/// Puts a socket on a leash.
pub(super) fn leash(stream: TcpStream) -> (Leashed, Leash) {
    let token = CancellationToken::new();
    let leashed = Leashed {
        stream,
        let_go: Box::pin(token.clone().cancelled_owned()),
    };
    let leash = Leash {
        _guard: token.drop_guard(),
    };
    (leashed, leash)
}

impl Leashed {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.let_go.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Leashed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Err(error) = self.check(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Err(error) = self.check(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
