//! Device sessions against a scripted peer: what a real command line does to them, and how they end.

use std::error::Error as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gamops::device::{DeviceError, Event, Limits, Retry, Session};
use gamops::dialect::session::{RefusalKind, Reply};
use tokio_util::sync::CancellationToken;

use crate::support::ssh_peer::{Peer, Running, Shell, serve};

/// Long enough for a loaded machine, short enough to wait for where a test wants the deadline.
fn limits() -> Limits {
    Limits {
        prompt: Duration::from_secs(10),
        command: Duration::from_secs(10),
        save: Duration::from_secs(10),
        session: Duration::from_secs(60),
        settle: Duration::from_millis(30),
    }
}

/// For what must not be taken for silence however slow the machine is.
fn patient() -> Limits {
    Limits {
        settle: Duration::from_millis(600),
        ..limits()
    }
}

fn hasty() -> Limits {
    Limits {
        command: Duration::from_millis(1500),
        ..limits()
    }
}

async fn open(peer: &Running) -> Session {
    Session::open_within(&peer.connect(), limits()).await.unwrap()
}

fn never() -> CancellationToken {
    CancellationToken::new()
}

/// Keeps the shell open until the client goes.
async fn linger(mut shell: Shell) {
    while shell.key().await.is_some() {}
}

#[tokio::test]
async fn a_session_learns_its_prompt_and_says_goodbye() {
    let (left, mut leaving) = tokio::sync::mpsc::channel(1);
    let peer = serve(Peer::default(), move |mut shell| {
        let left = left.clone();
        async move {
            shell.greet("gam-maple# ").await;
            shell
                .answer(
                    "show version",
                    " MAC Address     : 00-0e-d8-1a-b9-e2\r\n\r\ngam-maple# ",
                )
                .await;
            let command = shell.command().await;
            let _ = left.send(command).await;
            shell.hang_up().await;
        }
    })
    .await;
    let mut session = open(&peer).await;
    assert_eq!(session.prompt().to_string(), "gam-maple# ");
    assert_eq!(
        session.ask("show version").await.unwrap(),
        " MAC Address     : 00-0e-d8-1a-b9-e2\n\n"
    );
    session.close().await;
    assert_eq!(leaving.recv().await.unwrap().as_deref(), Some("exit"));
}

#[tokio::test]
async fn a_bare_prompt_and_a_banner_that_looks_like_one_are_told_apart() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.send("\r\nProperty of Maple ISP, rack # ").await;
        // The client takes it for a prompt and sends an empty line; only now the banner goes on.
        assert_eq!(shell.unechoed().await.as_deref(), Some(""));
        shell.send("7\r\n\r\n# \r\n# ").await;
        for _ in 0..2 {
            shell.command().await;
            shell.send("# ").await;
        }
        linger(shell).await;
    })
    .await;
    let session = open(&peer).await;
    assert_eq!(session.prompt().to_string(), "# ");
}

#[tokio::test]
async fn a_paged_greeting_is_answered() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell
            .send("\r\nline\r\n-- more --, next page: Space, continue: g, quit: ^C")
            .await;
        assert_eq!(shell.key().await, Some(b'g'));
        shell.send(format!("\r{}\rrest", " ".repeat(52))).await;
        shell.greet("gam# ").await;
        linger(shell).await;
    })
    .await;
    open(&peer).await;
}

#[tokio::test]
async fn a_reply_in_pieces_reads_like_a_reply_at_once() {
    let text = "show running-config\r\nBuilding configuration...\r\nhostname gam\r\n# a remark\r\nend\r\ngam# ";
    let peer = serve(Peer::default(), move |mut shell| async move {
        shell.greet("gam# ").await;
        shell.unechoed().await;
        for byte in text.bytes() {
            shell.send([byte]).await;
            tokio::task::yield_now().await;
        }
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let output = session.ask("show running-config").await.unwrap();
    assert_eq!(output, "Building configuration...\nhostname gam\n# a remark\nend\n");
}

#[tokio::test]
async fn output_that_looks_like_the_prompt_and_goes_on_is_not_cut_short() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("# ").await;
        shell.command().await;
        // A comment line, cut by the packets right where it looks like the bare prompt.
        shell.send("# ").await;
        shell.send("made by hand\r\nend\r\n# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = Session::open_within(&peer.connect(), patient()).await.unwrap();
    assert_eq!(
        session.ask("more flash:startup-config").await.unwrap(),
        "# made by hand\nend\n"
    );
}

#[tokio::test]
async fn a_pager_in_the_middle_is_answered_and_leaves_nothing() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.command().await;
        shell.send("one\r\n-- more --").await;
        assert_eq!(shell.key().await, Some(b'g'));
        shell.send("\r          \rtwo\r\ngam# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    assert_eq!(session.ask("show version").await.unwrap(), "one\ntwo\n");
}

#[tokio::test]
async fn configuring_enters_and_leaves_config_mode() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.answer("configure terminal", "gam(config)# ").await;
        shell.answer("ghn port 1 shutdown", "gam(config)# ").await;
        shell.answer("hostname oak", "oak(config)# ").await;
        shell.answer("", "oak(config)# ").await;
        shell.answer("no ghn port 1 shutdown", "oak(config)# ").await;
        shell.answer("end", "oak# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let commands = ["ghn port 1 shutdown", "hostname oak", "no ghn port 1 shutdown"].map(str::to_owned);
    let configured = session.configure(&commands, &never()).await.unwrap();
    assert_eq!((configured.done, configured.stopped), (3, false));
    assert_eq!(session.prompt().to_string(), "oak# ");
}

#[tokio::test]
async fn a_refusal_stops_the_rest_and_leaves_the_session_usable() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.answer("configure terminal", "gam(config)# ").await;
        shell.answer("ghn port 1 shutdown", "gam(config)# ").await;
        shell
            .answer(
                "ghn subscriber 1 name \"a\"",
                "% Non-unique G.hn subscriber name\r\n\r\ngam(config)# ",
            )
            .await;
        shell.answer("end", "gam# ").await;
        shell.answer("show version", "still here\r\ngam# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let commands = [
        "ghn port 1 shutdown",
        "ghn subscriber 1 name \"a\"",
        "ghn port 2 shutdown",
    ]
    .map(str::to_owned);
    let error = session.configure(&commands, &never()).await.unwrap_err();
    let DeviceError::Refused { moment, refusal } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(moment.at.to_string(), "command 2 of 3");
    assert_eq!(refusal.kind, RefusalKind::Semantic(16));
    assert_eq!(error.retry(), Retry::AfterChange);
    assert!(!error.is_in_doubt());
    assert!(
        error.to_string().contains("`ghn subscriber 1 name \"a\"` was refused"),
        "{error}"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "the device answered `% Non-unique G.hn subscriber name`"
    );
    assert_eq!(session.ask("show version").await.unwrap(), "still here\n");
}

#[tokio::test]
async fn stopping_takes_effect_between_commands_only() {
    let stop = never();
    let pull = stop.clone();
    let peer = serve(Peer::default(), move |mut shell| {
        let pull = pull.clone();
        async move {
            shell.greet("gam# ").await;
            shell.answer("configure terminal", "gam(config)# ").await;
            shell.command().await;
            // In flight: the command is still awaited.
            pull.cancel();
            shell.send("gam(config)# ").await;
            shell.answer("end", "gam# ").await;
            linger(shell).await;
        }
    })
    .await;
    let mut session = open(&peer).await;
    let commands = ["ghn port 1 shutdown", "ghn port 2 shutdown"].map(str::to_owned);
    let configured = session.configure(&commands, &stop).await.unwrap();
    assert_eq!((configured.done, configured.stopped), (1, true));
    let nothing = session.configure(&commands, &stop).await.unwrap();
    assert_eq!((nothing.done, nothing.stopped), (0, true));
}

#[tokio::test]
async fn what_is_sent_is_told_before_and_after_and_questions_without_their_output() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell
            .answer("show running-config", "snmp-server community canary-22\r\nend\r\ngam# ")
            .await;
        shell.answer("configure terminal", "gam(config)# ").await;
        shell
            .answer(
                "username x privilege 15 password unencrypted canary-23",
                "% Nope\r\ngam(config)# ",
            )
            .await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let journal = Arc::clone(&told);
    session.listen(move |event| {
        journal.lock().unwrap().push(match event {
            Event::Sending(command) => format!("> {command}"),
            Event::Answered(exchange) => format!("< {}", exchange.command),
        });
    });
    assert!(session.ask("show running-config").await.unwrap().contains("canary-22"));
    session.enter_config().await.unwrap();
    let error = session
        .ask("username x privilege 15 password unencrypted canary-23")
        .await
        .unwrap_err();
    assert!(
        !format!("{error} {error:?} {session:?} {:?}", session.transcript()).contains("canary"),
        "{error}"
    );
    let told = told.lock().unwrap().clone();
    assert_eq!(
        told[..4],
        [
            "> show running-config",
            "< show running-config",
            "> configure terminal",
            "< configure terminal"
        ]
    );
    assert_eq!(told[4], "> username x privilege 15 password unencrypted ***");
    // What the session sent by itself is in the transcript as well.
    assert_eq!(session.transcript()[0].command, "terminal length 0");
    assert_eq!(session.transcript()[2].reply, Reply::Done(String::new()));
}

#[tokio::test]
async fn a_low_privilege_prompt_cannot_configure() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam> ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let error = session
        .configure(&["ghn port 1 shutdown".to_owned()], &never())
        .await
        .unwrap_err();
    assert!(matches!(error, DeviceError::LowPrivilege { .. }), "{error:?}");
    assert!(error.to_string().contains("privilege 15"), "{error}");
}

#[tokio::test]
async fn a_connection_that_ends_during_a_command_names_the_command() {
    for cut in [true, false] {
        let peer = serve(Peer::default(), move |mut shell| async move {
            shell.greet("gam# ").await;
            shell.answer("configure terminal", "gam(config)# ").await;
            shell.answer("ghn port 1 shutdown", "gam(config)# ").await;
            shell.unechoed().await;
            if cut {
                shell.cut();
                linger(shell).await;
            } else {
                shell.send("ghn port 2 shut").await;
                shell.hang_up().await;
            }
        })
        .await;
        let mut session = open(&peer).await;
        let commands = ["ghn port 1 shutdown", "ghn port 2 shutdown"].map(str::to_owned);
        let error = session.configure(&commands, &never()).await.unwrap_err();
        let DeviceError::Lost { moment, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(moment.at.to_string(), "command 2 of 2");
        assert_eq!(moment.command, "ghn port 2 shutdown");
        assert_eq!(moment.received, if cut { "" } else { "ghn port 2 shut" });
        assert!(error.is_in_doubt());
        assert_eq!(error.retry(), Retry::Soon);
        let next = session.run("show version").await.unwrap_err();
        assert!(matches!(next, DeviceError::Unusable { .. }), "{next:?}");
    }
}

#[tokio::test]
async fn a_half_closed_connection_is_lost_not_awaited() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.unechoed().await;
        shell.half_close();
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let error = session.run("show version").await.unwrap_err();
    assert!(matches!(error, DeviceError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_dead_wire_and_a_silent_device_time_out() {
    for dead in [true, false] {
        let peer = serve(Peer::default(), move |mut shell| async move {
            shell.greet("gam# ").await;
            shell.unechoed().await;
            if dead {
                shell.go_dead();
            }
            linger(shell).await;
        })
        .await;
        let mut session = Session::open_within(&peer.connect(), hasty()).await.unwrap();
        let error = session.run("show version").await.unwrap_err();
        assert!(matches!(error, DeviceError::TimedOut { .. }), "{error:?}");
        assert!(error.is_in_doubt());
        let next = session.run("show version").await.unwrap_err();
        assert!(matches!(next, DeviceError::Unusable { .. }), "{next:?}");
        session.close().await;
    }
}

#[tokio::test]
async fn output_that_never_ends_times_out_at_the_command_s_deadline() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.command().await;
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            shell.send("ticking\r\n").await;
        }
    })
    .await;
    let mut session = Session::open_within(&peer.connect(), hasty()).await.unwrap();
    let error = session.run("show version").await.unwrap_err();
    assert!(matches!(error, DeviceError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn prompts_without_end_time_out_too() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.command().await;
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            shell.send("\r\ngam# ").await;
        }
    })
    .await;
    let mut session = Session::open_within(
        &peer.connect(),
        Limits {
            settle: patient().settle,
            ..hasty()
        },
    )
    .await
    .unwrap();
    let error = session.run("show version").await.unwrap_err();
    assert!(matches!(error, DeviceError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn a_surplus_prompt_is_not_taken_for_the_reply() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.unechoed().await;
        // Somebody else pressed Enter on our line: one empty line and one prompt too many.
        shell.send("\r\ngam# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let error = session.run("no ghn subscriber 1").await.unwrap_err();
    assert!(matches!(error, DeviceError::OutOfStep { .. }), "{error:?}");
    assert!(error.is_in_doubt());
}

#[tokio::test]
async fn garbage_in_the_echo_is_out_of_step() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.unechoed().await;
        shell.send(b"sh\xff\xfe\x00w ver\x9dsion\r\nlines\r\ngam# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let error = session.run("show version").await.unwrap_err();
    assert!(matches!(error, DeviceError::OutOfStep { .. }), "{error:?}");
    assert!(matches!(session.run("dir").await, Err(DeviceError::Unusable { .. })));
}

#[tokio::test]
async fn a_device_without_a_free_session_says_so() {
    for pause in [true, false] {
        let peer = serve(Peer::default(), move |mut shell| async move {
            shell.send("Only 4 connections allowed\r\n").await;
            if pause {
                linger(shell).await;
            } else {
                shell.hang_up().await;
            }
        })
        .await;
        let error = Session::open_within(&peer.connect(), limits()).await.unwrap_err();
        let DeviceError::TooManySessions { said, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(said, "Only 4 connections allowed");
        assert_eq!(error.retry(), Retry::Soon);
    }
}

#[tokio::test]
async fn a_device_that_hangs_up_at_once_is_clear_about_it() {
    let peer = serve(Peer::default(), |shell| shell.hang_up()).await;
    let error = Session::open_within(&peer.connect(), limits()).await.unwrap_err();
    assert!(matches!(error, DeviceError::ClosedAtStart { .. }), "{error:?}");
    assert!(error.to_string().contains("terminals may be in use"), "{error}");
}

#[tokio::test]
async fn a_shell_that_is_no_command_line_is_given_up_on() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.send("$ ").await;
        linger(shell).await;
    })
    .await;
    let limits = Limits {
        prompt: Duration::from_millis(1500),
        ..limits()
    };
    let error = Session::open_within(&peer.connect(), limits).await.unwrap_err();
    assert!(matches!(error, DeviceError::NoPrompt { .. }), "{error:?}");
    assert!(error.to_string().ends_with("last received: `$ `"), "{error}");
}

#[tokio::test]
async fn a_rejected_login_is_one_attempt_and_no_session() {
    let peer = serve(Peer::default(), linger).await;
    let mut to = peer.connect();
    to.login = gamops::transport::ssh::Login::Password(gamops::domain::Secret::new("wrong"));
    let error = Session::open_within(&to, limits()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::AfterChange);
    assert_eq!(
        (peer.counters.guesses(), peer.counters.shells.load(Ordering::SeqCst)),
        (1, 0)
    );
}

#[tokio::test]
async fn saving_waits_for_somebody_else_s_saving() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        let save = "copy running-config startup-config";
        shell
            .answer(
                save,
                "% Another I/O operation is in progress. Try again later.\r\n\r\ngam# ",
            )
            .await;
        shell
            .answer(
                save,
                "Building configuration...\r\n% Saving 1435 bytes to flash:startup-config\r\ngam# ",
            )
            .await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let saved = session.save().await.unwrap();
    assert_eq!(
        saved.said.as_deref(),
        Some("% Saving 1435 bytes to flash:startup-config")
    );
}

#[tokio::test]
async fn saving_gives_up_in_time_when_it_stays_busy() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        while shell.command().await.is_some() {
            shell
                .send("% Another I/O operation is in progress. Try again later.\r\n\r\ngam# ")
                .await;
        }
    })
    .await;
    let limits = Limits {
        save: Duration::from_millis(1500),
        ..limits()
    };
    let mut session = Session::open_within(&peer.connect(), limits).await.unwrap();
    let error = session.save().await.unwrap_err();
    let DeviceError::Busy { attempts, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(*attempts >= 1);
    assert_eq!(error.retry(), Retry::Soon);
    // The session goes on.
    session.save().await.unwrap_err();
}

#[tokio::test]
async fn a_full_flash_is_not_tried_again() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.command().await;
        shell
            .send("% Saving 1435 bytes to flash:startup-config\r\n% File system full\r\ngam# ")
            .await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    let error = session.save().await.unwrap_err();
    assert!(matches!(error, DeviceError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn nothing_that_acts_on_the_line_editor_is_sent() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        shell.answer("dir", "2 files\r\ngam# ").await;
        linger(shell).await;
    })
    .await;
    let mut session = open(&peer).await;
    for command in ["show ?", "dir\rreload cold", "dir\nreload"] {
        assert!(
            matches!(session.run(command).await, Err(DeviceError::Unsafe { .. })),
            "{command:?}"
        );
    }
    assert_eq!(session.ask("dir").await.unwrap(), "2 files\n");
}

#[tokio::test]
async fn a_session_that_lasted_too_long_sends_nothing_more() {
    let peer = serve(Peer::default(), |mut shell| async move {
        shell.greet("gam# ").await;
        linger(shell).await;
    })
    .await;
    let limits = Limits {
        session: Duration::ZERO,
        ..limits()
    };
    let error = Session::open_within(&peer.connect(), limits).await.unwrap_err();
    assert!(matches!(error, DeviceError::SessionOver { .. }), "{error:?}");
    assert!(!error.is_in_doubt());
}

#[tokio::test]
async fn a_session_that_is_dropped_gives_its_place_back() {
    let (gone, mut going) = tokio::sync::mpsc::channel(1);
    let peer = serve(Peer::default(), move |mut shell| {
        let gone = gone.clone();
        async move {
            shell.greet("gam# ").await;
            // Whatever the client still sends, its end must come.
            while shell.key().await.is_some() {}
            let _ = gone.send(()).await;
        }
    })
    .await;
    // Idle, and with a command in flight that nobody will answer.
    for in_flight in [false, true] {
        let mut session = open(&peer).await;
        if in_flight {
            let waiting = session.run("show version");
            assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
            assert!(matches!(session.run("dir").await, Err(DeviceError::Unusable { .. })));
        }
        drop(session);
        tokio::time::timeout(Duration::from_secs(10), going.recv())
            .await
            .unwrap();
    }
}
