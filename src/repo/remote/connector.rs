//! How libgit2 reaches a server: over our own HTTP and SSH.
//!
//! libgit2's own would need OpenSSL and libssh2. These use what devices are reached with, so that algorithms, host keys and
//! deadlines are the same everywhere. libgit2 asks by a callback that knows nothing but the address: what it is to use
//! stands in the thread that works for it.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, Once, PoisonError};

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use git2::{ErrorClass, ErrorCode};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::Trouble;
use crate::domain::{Secret, one_line};
use crate::transport::http::{Http, Method, Reply, Request};
use crate::transport::ssh::{Connect, Exec, Output};

/// How much of what a server says to people is kept, in bytes.
const COMPLAINT: usize = 2_000;

/// What is needed to reach one server, once.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) reach: Reach,
    /// Where the waiting is done: libgit2 calls from a thread of its own.
    pub(super) runtime: Handle,
    /// When it is all to be over.
    pub(super) deadline: Instant,
    /// What went wrong: libgit2 hands on no more than a line of text.
    pub(super) trouble: Arc<Mutex<Option<Trouble>>>,
}

/// The way to a server.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    /// libgit2 can do it by itself.
    Itself,
    /// Over HTTP.
    Http {
        http: Http,
        url: String,
        basic: Option<(String, Secret)>,
    },
    /// Over SSH.
    Ssh { connect: Box<Connect>, path: String },
}

thread_local! {
    static CURRENT: RefCell<Option<Connector>> = const { RefCell::new(None) };
}

/// Does something with libgit2 that reaches a server in this way.
pub(super) fn with<T>(connector: &Connector, work: impl FnOnce() -> T) -> T {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        for (scheme, rpc) in [("http", true), ("https", true), ("ssh", false)] {
            // It fails only where the scheme is taken, which this being the only place rules out.
            let _ = register(scheme, rpc);
        }
    });
    CURRENT.set(Some(connector.clone()));
    let done = work();
    CURRENT.set(None);
    done
}

#[expect(
    unsafe_code,
    reason = "libgit2 keeps its list of transports without a lock: this runs once, before any transport is made"
)]
fn register(scheme: &str, rpc: bool) -> Result<(), git2::Error> {
    let factory = move |remote: &git2::Remote<'_>| match CURRENT.with_borrow(Clone::clone) {
        Some(connector) => Transport::smart(remote, rpc, connector),
        None => Err(error("nothing says how to reach the server")),
    };
    // SAFETY: guarded by `Once`, and no other code of this program registers a transport.
    unsafe { git2::transport::register(scheme, factory) }
}

fn error(text: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, text)
}

/// The program that a service is on the server, and whether its first words are asked for.
fn program(service: Service) -> (&'static str, bool) {
    match service {
        Service::UploadPackLs => ("git-upload-pack", true),
        Service::UploadPack => ("git-upload-pack", false),
        Service::ReceivePackLs => ("git-receive-pack", true),
        Service::ReceivePack => ("git-receive-pack", false),
    }
}

impl SmartSubtransport for Connector {
    fn action(&self, _: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let (program, first) = program(service);
        match &self.reach {
            Reach::Itself => Err(error("nothing says how to reach the server")),
            Reach::Http { url, .. } => {
                let request = if first {
                    (Method::Get, format!("{url}/info/refs?service={program}"))
                } else {
                    (Method::Post, format!("{url}/{program}"))
                };
                Ok(Box::new(HttpStream {
                    connector: self.clone(),
                    program,
                    first,
                    request,
                    body: Vec::new(),
                    reply: None,
                    bytes: Bytes::default(),
                }))
            }
            Reach::Ssh { connect, path } => {
                let command = format!("{program} {}", quoted(path));
                let exec = self
                    .wait(async { Ok(Exec::start(connect, &command).await?) })
                    .map_err(|source| error(&source.to_string()))?;
                Ok(Box::new(SshStream {
                    connector: self.clone(),
                    exec,
                    complaint: Vec::new(),
                    bytes: Bytes::default(),
                }))
            }
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

impl Connector {
    /// Waits for the server, and keeps what went wrong.
    fn wait<T>(&self, work: impl Future<Output = Result<T, Trouble>>) -> io::Result<T> {
        let done = self.runtime.block_on(timeout_at(self.deadline, work));
        done.unwrap_or(Err(Trouble::TimedOut)).map_err(|trouble| {
            let text = trouble.to_string();
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
            io::Error::other(text)
        })
    }
}

/// For the shell that reads it on the server.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// Bytes that came and were not read yet.
#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    read: usize,
}

impl Bytes {
    /// Hands out what there is, up to what fits.
    fn take(&mut self, into: &mut [u8]) -> usize {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        length
    }

    fn is_empty(&self) -> bool {
        self.read >= self.bytes.len()
    }

    fn put(&mut self, bytes: Vec<u8>) {
        *self = Self { bytes, read: 0 };
    }
}

/// One request, which is written first and sent when its answer is read.
struct HttpStream {
    connector: Connector,
    program: &'static str,
    first: bool,
    request: (Method, String),
    body: Vec<u8>,
    reply: Option<Reply>,
    bytes: Bytes,
}

impl HttpStream {
    fn send(&mut self) -> io::Result<Reply> {
        let Reach::Http { http, basic, .. } = &self.connector.reach else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let kind = if self.first { "advertisement" } else { "result" };
        let wanted = format!("application/x-{}-{kind}", self.program);
        let (method, url) = self.request.clone();
        let mut headers = vec![("accept".into(), wanted.clone())];
        if method == Method::Post {
            headers.push(("content-type".into(), format!("application/x-{}-request", self.program)));
        }
        let request = Request {
            method,
            url,
            called: None,
            headers,
            token: None,
            basic: basic.clone(),
            body: std::mem::take(&mut self.body),
        };
        self.connector.wait(async {
            let reply = http.send(request).await?;
            match reply.status() {
                200 if reply.content_type() == wanted => Ok(reply),
                200 => Err(Trouble::NotGit {
                    kind: one_line(reply.content_type()),
                }),
                401 | 403 => Err(Trouble::LoginRefused { given: basic.is_some() }),
                404 | 410 => Err(Trouble::NoRepository),
                status => Err(Trouble::Status { status }),
            }
        })
    }
}

impl Read for HttpStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.reply.is_none() {
            self.reply = Some(self.send()?);
        }
        while self.bytes.is_empty()
            && let Some(reply) = &mut self.reply
        {
            match self.connector.wait(async { Ok(reply.chunk().await?) })? {
                Some(bytes) => self.bytes.put(bytes),
                None => return Ok(0),
            }
        }
        Ok(self.bytes.take(into))
    }
}

impl Write for HttpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A program on the server.
struct SshStream {
    connector: Connector,
    exec: Exec,
    /// What it said to people, the beginning of it.
    complaint: Vec<u8>,
    bytes: Bytes,
}

impl Read for SshStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() {
            let exec = &mut self.exec;
            match self.connector.wait(async { Ok(exec.receive().await) })? {
                Output::Bytes(bytes) => self.bytes.put(bytes),
                Output::Complaint(text) => {
                    let room = COMPLAINT.saturating_sub(self.complaint.len());
                    self.complaint.extend(text.into_iter().take(room));
                }
                Output::Ended if self.complaint.is_empty() => return Ok(0),
                Output::Ended => {
                    let said = one_line(&String::from_utf8_lossy(&self.complaint));
                    return self.connector.wait(async { Err(Trouble::Said(said)) });
                }
            }
        }
        Ok(self.bytes.take(into))
    }
}

impl Write for SshStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let exec = &mut self.exec;
        self.connector.wait(async { Ok(exec.send(bytes).await?) })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word_for_the_shell() {
        assert_eq!(quoted("/srv/it's; rm -rf x.git"), r"'/srv/it'\''s; rm -rf x.git'");
    }
}
