//! A port that stays, in front of a server that comes and goes: whoever knocks while the server is away is turned away, and
//! who was being served is cut off.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub(crate) struct Relay {
    port: u16,
    server: watch::Sender<Option<u16>>,
    _serving: AbortOnDropHandle<()>,
}

impl Relay {
    /// With no server behind it yet.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (server, behind) = watch::channel(None);
        Self {
            port,
            server,
            _serving: AbortOnDropHandle::new(tokio::spawn(serve(listener, behind))),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Puts the server at this port of 127.0.0.1 behind it; `None`: the server is away.
    pub(crate) fn put(&self, server: Option<u16>) {
        self.server.send_replace(server);
    }
}

async fn serve(listener: TcpListener, behind: watch::Receiver<Option<u16>>) {
    while let Ok((mut here, _)) = listener.accept().await {
        let mut behind = behind.clone();
        let Some(port) = *behind.borrow_and_update() else {
            continue;
        };
        tokio::spawn(async move {
            let served = async {
                if let Ok(mut there) = TcpStream::connect(("127.0.0.1", port)).await {
                    // Ends when either side does; that one was cut off is theirs to notice.
                    let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                }
            };
            tokio::select! {
                () = served => {}
                _ = behind.changed() => {}
            }
        });
    }
}
