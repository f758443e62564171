//! Real Git servers on loopback, each serving one bare repository, and a work tree that pushes to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::program::{Server, find, free_tcp_port, run};

/// A bare repository, and a work tree that pushes to it.
pub(crate) struct Origin {
    folder: tempfile::TempDir,
}

impl Origin {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = Self { folder };
        run(git(origin.folder.path()).args(["init", "--quiet", "--bare", "--initial-branch=main", "served/isp.git"]));
        // Deleting the branch that HEAD names is refused unless somebody allows it.
        run(git(&origin.bare()).args(["config", "receive.denyDeleteCurrent", "ignore"]));
        run(git(origin.folder.path()).args(["init", "--quiet", "--initial-branch=main", "work"]));
        origin
    }

    /// The bare repository.
    pub(crate) fn bare(&self) -> PathBuf {
        self.folder.path().join("served/isp.git")
    }

    /// The folder that servers serve.
    fn served(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// Where files are written and commits made.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs git in the work tree and gives what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.work(), arguments)
    }

    /// Commits all of the work tree, pushes `main`, and gives the commit's id.
    pub(crate) fn push(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["push", "--quiet", "--force", &self.bare().to_string_lossy(), "main"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

impl Origin {
    /// Has the work tree be as `main` of the bare repository is, whatever was there.
    pub(crate) fn catch_up(&self) {
        self.git(&["fetch", "--quiet", &self.bare().to_string_lossy(), "main"]);
        self.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    }

    /// Puts a file on top of `main` as it is there, and says whether nobody was quicker.
    pub(crate) fn try_push(&self, path: &str, text: &str) -> bool {
        self.catch_up();
        self.write(path, text);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", path]);
        let bare = self.bare();
        let mut push = git(&self.work());
        let pushed = push.args(["push", "--quiet", &bare.to_string_lossy(), "main"]).output();
        pushed.unwrap().status.success()
    }

    /// Commits all of the work tree as if it had been that time, and pushes `main` without force.
    pub(crate) fn push_as_of(&self, at: Timestamp, message: &str) {
        self.git(&["add", "--all"]);
        let date = format!("{} +0000", at.as_second());
        let mut commit = git(&self.work());
        commit.args(["commit", "--quiet", "--message", message]);
        run(commit.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date));
        self.git(&["push", "--quiet", &self.bare().to_string_lossy(), "main"]);
    }
}

/// Runs git in a folder and gives what it printed.
#[track_caller]
pub(crate) fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Git without anybody's configuration.
fn git(folder: &Path) -> Command {
    let mut command = Command::new(find("git", "git"));
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Alice")
        .env("GIT_AUTHOR_EMAIL", "alice@example.org")
        .env("GIT_COMMITTER_NAME", "Alice")
        .env("GIT_COMMITTER_EMAIL", "alice@example.org");
    command
}

/// `git http-backend` behind a web server, which lets in one user with one token, or anybody.
pub(crate) struct HttpServer {
    port: u16,
    _serving: AbortOnDropHandle<()>,
}

struct Backend {
    root: PathBuf,
    /// The value of the header that lets in.
    authorization: Option<String>,
}

impl HttpServer {
    /// `authorization`: the header that is asked for, such as `Basic ...`.
    pub(crate) async fn start(origin: &Origin, authorization: Option<&str>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let backend = Arc::new(Backend {
            root: origin.served(),
            authorization: authorization.map(str::to_owned),
        });
        let router = axum::Router::new().fallback(serve).with_state(backend);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            port,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

async fn serve(State(backend): State<Arc<Backend>>, request: Request) -> Response<Body> {
    let plain = |status: StatusCode, text: &'static str| {
        let response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "text/html");
        response.body(Body::from(text)).unwrap()
    };
    let (head, body) = request.into_parts();
    let given = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if backend.authorization.is_some() && given != backend.authorization.as_deref() {
        return plain(StatusCode::UNAUTHORIZED, "who are you?");
    }
    if head.uri.path().starts_with("/login") {
        return plain(StatusCode::OK, "<html>Sign in</html>");
    }
    let text = |name: header::HeaderName| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut child = tokio::process::Command::new(find("git", "git"))
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &backend.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE))
        .env("REMOTE_USER", "alice")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = tokio::spawn(async move {
        // It does not read what it does not need.
        let _ = stdin.write_all(&body).await;
    });
    let output = child.wait_with_output().await.unwrap().stdout;
    feeding.await.unwrap();
    let end = output
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap_or(output.len());
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(':').unwrap();
        match name {
            "Status" => response = response.status(value.trim().split(' ').next().unwrap().parse::<u16>().unwrap()),
            _ => response = response.header(name, value.trim()),
        }
    }
    let body = output.get(end + 4..).unwrap_or_default().to_vec();
    response.body(Body::from(body)).unwrap()
}

/// `git daemon`.
pub(crate) struct GitDaemon {
    port: u16,
    _server: Server,
}

impl GitDaemon {
    pub(crate) async fn start(origin: &Origin) -> Self {
        let log = origin.folder.path().join("daemon.log");
        let folder = git(origin.folder.path()).arg("--exec-path").output().unwrap().stdout;
        let program = PathBuf::from(String::from_utf8(folder).unwrap().trim()).join("git-daemon");
        let (server, port) = listening(|port| {
            // Not by way of `git daemon`, which would start it as a child that outlives being killed.
            let mut command = Command::new(&program);
            command.args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"]);
            command.arg(format!("--port={port}"));
            command.arg(format!("--base-path={}", origin.served().display()));
            Server::start(&mut command, &log)
        })
        .await;
        Self { port, _server: server }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("git://127.0.0.1:{}/isp.git", self.port)
    }
}

/// OpenSSH's server, which lets in whoever runs the test with one key.
pub(crate) struct SshServer {
    port: u16,
    folder: tempfile::TempDir,
    path: PathBuf,
    _server: Server,
}

impl SshServer {
    /// `kind_of_key`: of the key that lets in.
    pub(crate) async fn start(origin: &Origin, kind_of_key: &str) -> Self {
        // Privilege separation wants this folder, which the service's own start script makes.
        let _ = std::fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [("host_key", "ed25519"), ("key", kind_of_key)] {
            run(Command::new(find("ssh-keygen", "openssh-client"))
                .args(["-q", "-N", "", "-C", "", "-t", kind, "-f"])
                .arg(folder.path().join(name)));
        }
        Self::serve(origin.bare(), folder).await
    }

    /// Ends it and starts it again: the same keys, another port. Who was being served may go on.
    pub(crate) async fn again(self) -> Self {
        let Self {
            path, folder, _server, ..
        } = self;
        drop(_server);
        Self::serve(path, folder).await
    }

    async fn serve(path: PathBuf, folder: tempfile::TempDir) -> Self {
        let sshd = find("sshd", "openssh-server");
        let (server, port) = listening(|port| {
            let config = folder.path().join("sshd_config");
            let text = format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n\
                 AuthorizedKeysFile {0}/key.pub\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n",
                folder.path().display(),
            );
            std::fs::write(&config, text).unwrap();
            Server::start(
                Command::new(&sshd).arg("-D").arg("-e").arg("-f").arg(&config),
                &folder.path().join("log"),
            )
        })
        .await;
        Self {
            port,
            path,
            folder,
            _server: server,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        let who = Command::new("id").arg("-un").output().unwrap().stdout;
        let who = String::from_utf8(who).unwrap();
        format!("ssh://{}@127.0.0.1:{}{}", who.trim(), self.port, self.path.display())
    }

    /// The private key that lets in.
    pub(crate) fn key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("key")).unwrap()
    }

    pub(crate) fn host_key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("host_key.pub")).unwrap()
    }
}

/// Starts a server on a port that nobody has, and waits until it listens.
async fn listening(start: impl Fn(u16) -> Server) -> (Server, u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let port = free_tcp_port();
        let mut server = start(port);
        while !server.has_ended() {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return (server, port);
            }
            assert!(Instant::now() < deadline, "it does not listen: {}", server.log());
            tokio::task::yield_now().await;
        }
        // Somebody else took the port; any other reason shows here in the end.
        assert!(Instant::now() < deadline, "it does not start: {}", server.log());
    }
}
