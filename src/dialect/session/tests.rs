use proptest::prelude::*;

use super::refusal::SEMANTIC;
use super::*;

fn prompt(text: &str) -> Prompt {
    Prompt::parse(text).unwrap()
}

/// Reads everything that `bytes` hold as the reply to `command` sent at `at`.
fn read(at: &str, command: &str, bytes: &str) -> (Showing, Result<Reply, OutOfStep>) {
    let mut reading = Reading::of(&prompt(at), command);
    reading.push(bytes.as_bytes());
    (reading.showing(), reading.finish())
}

fn reply(at: &str, command: &str, output: &str) -> Reply {
    let (showing, reply) = read(at, command, &format!("{command}\r\n{output}{at}"));
    assert_eq!(showing, Showing::Prompt(prompt(at)));
    reply.unwrap()
}

fn refusal(at: &str, command: &str, output: &str) -> Refusal {
    match reply(at, command, output) {
        Reply::Refused(refusal) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn prompts_of_every_mode_are_read() {
    for (text, hostname, mode, privileged) in [
        ("# ", "", None, true),
        ("> ", "", None, false),
        ("gam-maple# ", "gam-maple", None, true),
        ("(config)# ", "", Some("config"), true),
        ("gam-maple(config-if-vlan)# ", "gam-maple", Some("config-if-vlan"), true),
        ("Roof A> ", "Roof A", None, false),
    ] {
        let read = prompt(text);
        assert_eq!(
            (read.hostname.as_str(), read.mode.as_deref(), read.privileged),
            (hostname, mode, privileged)
        );
        assert_eq!(read.to_string(), text);
    }
}

#[test]
fn what_is_no_prompt_is_not_read_as_one() {
    for text in [
        "",
        "#",
        "gam#",
        "gam# x",
        "gam(Config)# ",
        "gam()# ",
        "a#b# ",
        "a(b)c# ",
        "gam #  ",
    ] {
        assert_eq!(Prompt::parse(text), None, "{text:?}");
    }
}

#[test]
fn success_of_a_change_is_silence() {
    assert_eq!(
        reply("gam(config)# ", "ghn port 1 name \"a\"", ""),
        Reply::Done(String::new())
    );
}

#[test]
fn output_comes_without_echo_prompt_and_line_ends() {
    let output = "Building configuration...\r\nhostname gam\r\n!\r\nend\r\n";
    assert_eq!(
        reply("gam# ", "show running-config", output),
        Reply::Done("Building configuration...\nhostname gam\n!\nend\n".to_owned())
    );
}

#[test]
fn a_configuration_line_that_ends_like_a_prompt_is_not_one() {
    let start = "show running-config\r\n";
    for line in ["ghn subscriber 1 name \"s# ", "other# ", "gam(x)y# ", "gam", "gam#"] {
        assert_eq!(
            read("gam# ", "show running-config", &format!("{start}{line}")).0,
            Showing::Output,
            "{line:?}"
        );
    }
}

#[test]
fn a_bare_prompt_after_output_may_go_on() {
    let mut reading = Reading::of(&prompt("# "), "more flash:startup-config");
    reading.push(b"more flash:startup-config\r\n# ");
    assert_eq!(reading.showing(), Showing::Prompt(prompt("# ")));
    assert!(reading.could_go_on());
    reading.push(b"a comment\r\nend\r\n# ");
    assert_eq!(reading.finish(), Ok(Reply::Done("# a comment\nend\n".to_owned())));
}

#[test]
fn behind_its_end_a_configuration_cannot_go_on() {
    let mut reading = Reading::of(&prompt("gam# "), "show running-config");
    reading.push(b"show running-config\r\nhostname gam\r\n end\r\ngam# ");
    assert!(reading.could_go_on(), "an indented `end` closes nothing");
    reading.push(b"\r\nend\r\ngam# ");
    assert!(!reading.could_go_on());
    let mut other = Reading::of(&prompt("gam# "), "show version");
    other.push(b"show version\r\nend\r\ngam# ");
    assert!(other.could_go_on(), "only configurations close with `end`");
}

#[test]
fn the_reply_to_an_accepted_change_cannot_go_on() {
    let mut reading = Reading::of(&prompt("gam(config)# "), "ghn port 1 shutdown");
    reading.push(b"ghn port 1 shutdown\r\ngam(config)# ");
    assert!(!reading.could_go_on());
}

#[test]
fn modes_may_change_the_host_name_may_not() {
    assert_eq!(
        read("gam# ", "configure terminal", "configure terminal\r\ngam(config)# ").0,
        Showing::Prompt(prompt("gam(config)# "))
    );
    assert_eq!(read("gam# ", "end", "end\r\nother# ").0, Showing::Output);
}

#[test]
fn a_new_host_name_is_followed_only_after_the_command_that_sets_it() {
    for command in ["hostname oak", "no hostname"] {
        let bytes = format!("{command}\r\noak(config)# ");
        assert_eq!(
            read("gam(config)# ", command, &bytes).0,
            Showing::Prompt(prompt("oak(config)# "))
        );
        assert_eq!(
            read("gam(config)# ", command, &format!("{command}\r\noak# ")).0,
            Showing::Output
        );
    }
}

#[test]
fn an_echo_of_something_else_is_out_of_step() {
    let (_, stale) = read("gam# ", "show version", "end\r\ngam# ");
    assert_eq!(stale, Err(OutOfStep));
    let (_, prefixed) = read("gam# ", "show version", "gshow version\r\ngam# ");
    assert_eq!(prefixed, Err(OutOfStep));
}

#[test]
fn a_line_that_scrolled_sideways_is_recognised_by_its_end() {
    // Eight columns, scrolled by redrawing: the start is overwritten by `$` and the tail.
    let command = "ghn port 12";
    let echo = "ghn po\x08\x08\x08\x08\x08\x08$ port\x08\x08\x08\x08\x08rt 12";
    let (_, scrolled) = read("# ", command, &format!("{echo}\r\n# "));
    assert_eq!(scrolled, Ok(Reply::Done(String::new())));
    let (_, other) = read(
        "# ",
        command,
        "ghn po\x08\x08\x08\x08\x08\x08$ port\x08\x08\x08\x08\x08rt 99\r\n# ",
    );
    assert_eq!(other, Err(OutOfStep));
}

#[test]
fn bells_and_escape_sequences_show_nothing() {
    let bytes = "\x07show \x1b[1mversion\x1b[0m\r\n\x1b]0;title\x07 MAC\x07 \x1b[2K: 1\r\n\x1b[1;32mgam# ";
    let (showing, reply) = read("gam# ", "show version", bytes);
    assert_eq!(showing, Showing::Prompt(prompt("gam# ")));
    assert_eq!(reply, Ok(Reply::Done(" MAC : 1\n".to_owned())));
}

#[test]
fn both_pagers_are_seen_and_their_wipe_leaves_nothing() {
    for pager in ["-- more --, next page: Space, continue: g, quit: ^C", "-- more --"] {
        let mut reading = Reading::of(&prompt("gam# "), "show version");
        reading.push(format!("show version\r\none\r\n{pager}").as_bytes());
        assert_eq!(reading.showing(), Showing::Pager);
        reading.pager_answered();
        assert_eq!(reading.showing(), Showing::Output);
        reading.push(format!("\r{}\rtwo\r\ngam# ", " ".repeat(pager.len())).as_bytes());
        assert_eq!(reading.finish(), Ok(Reply::Done("one\ntwo\n".to_owned())), "{pager}");
    }
}

#[test]
fn a_pager_wiped_in_another_way_leaves_nothing_either() {
    for wipe in ["\r\n", "\r    \r", "\x08 \x08"] {
        let mut reading = Reading::of(&prompt("gam# "), "show version");
        reading.push(b"show version\r\none\r\n-- more --");
        reading.pager_answered();
        let wipe = if wipe.starts_with('\x08') {
            wipe.repeat(10)
        } else if wipe == "\r    \r" {
            format!("\r{}\r", " ".repeat(79))
        } else {
            wipe.to_owned()
        };
        reading.push(format!("{wipe}two\r\ngam# ").as_bytes());
        assert_eq!(reading.finish(), Ok(Reply::Done("one\ntwo\n".to_owned())), "{wipe:?}");
    }
}

#[test]
fn a_caret_points_at_the_word_in_the_command() {
    let at = "gam(config)# ";
    let output = "                 ^\r\n% Invalid word detected at '^' marker.\r\n\r\n";
    let refusal = refusal(at, "ghn subscribr 1", output);
    assert_eq!(refusal.kind, RefusalKind::Syntax);
    assert_eq!((refusal.caret, refusal.word.as_deref()), (Some(4), Some("subscribr")));
    assert!(!refusal.is_transient());
}

#[test]
fn a_wrapped_command_is_refused_without_a_place() {
    let command = "ghn subscriber 1 name \"aaaaaaaaaaaaaaaaaaaa\" vidd 100";
    let output = "gam(config)# ghn subscriber 1 name \"aaaaaaaaaaa\r\naaaaaaaaa\" vidd 100\r\n           ^\r\n% Invalid word detected at '^' marker.\r\n\r\n";
    let refusal = refusal("gam(config)# ", command, output);
    assert_eq!((refusal.kind, refusal.caret), (RefusalKind::Syntax, None));
}

#[test]
fn every_message_of_the_module_has_its_number() {
    for (index, text) in SEMANTIC.iter().enumerate() {
        let refusal = refusal("gam(config)# ", "ghn subscriber 1 vid 5", &format!("% {text}\r\n"));
        let number = u8::try_from(index + 1).unwrap();
        assert_eq!(refusal.kind, RefusalKind::Semantic(number), "{text}");
        assert_eq!(refusal.is_transient(), [2, 53, 54].contains(&number), "{text}");
    }
}

#[test]
fn syntax_errors_are_told_from_semantic_and_other_ones() {
    for (text, kind) in [
        ("Ambiguous word detected at '^' marker.", RefusalKind::Syntax),
        ("Incomplete word detected at '^' marker.", RefusalKind::Syntax),
        ("Incomplete command.", RefusalKind::Syntax),
        ("No available command.", RefusalKind::Syntax),
        (
            "Another I/O operation is in progress. Try again later.",
            RefusalKind::Busy,
        ),
        ("File system full", RefusalKind::Other),
    ] {
        assert_eq!(
            refusal("gam# ", "copy running-config startup-config", &format!("% {text}\r\n")).kind,
            kind
        );
    }
}

#[test]
fn saving_and_rebooting_report_success_behind_a_percent_sign() {
    let saved = reply(
        "gam# ",
        "copy running-config startup-config",
        "Building configuration...\r\n% Saving 1435 bytes to flash:startup-config\r\n",
    );
    assert_eq!(
        saved,
        Reply::Notice("% Saving 1435 bytes to flash:startup-config".to_owned())
    );
    let text = "Rebooting G.hn Endpoint 1 with MAC: 00:0f:df:11:05:54";
    let rebooting = reply("gam# ", "reboot ghn endpoint 1", &format!("% {text}\r\n"));
    assert_eq!(rebooting, Reply::Notice(format!("% {text}")));
}

#[test]
fn an_unknown_percent_line_after_a_good_one_still_refuses() {
    let output = "% Saving 1435 bytes to flash:startup-config\r\n% File system full\r\n";
    assert_eq!(
        refusal("gam# ", "copy running-config startup-config", output).text,
        "% File system full"
    );
}

#[test]
fn content_that_begins_with_a_percent_sign_does_not_refuse_a_question() {
    let output = "Building configuration...\r\nbanner motd #\r\n% keep out\r\n#\r\nend\r\n";
    assert!(matches!(reply("gam# ", "show running-config", output), Reply::Done(_)));
    assert_eq!(
        refusal(
            "gam# ",
            "show runing",
            "     ^\r\n% Invalid word detected at '^' marker.\r\n\r\n"
        )
        .kind,
        RefusalKind::Syntax
    );
    assert_eq!(
        refusal("gam# ", "more flash:x", "% File not found\r\n").kind,
        RefusalKind::Other
    );
}

#[test]
fn an_empty_line_confirms_the_prompt_of_a_greeting() {
    let mut greeting = Greeting::new();
    greeting.push(b"\r\nWelcome to building # ");
    assert_eq!(greeting.showing(), Showing::Prompt(prompt("Welcome to building # ")));
    greeting.push(b"4\r\n\r\ngam# ");
    let gam = prompt("gam# ");
    assert_eq!(greeting.showing(), Showing::Prompt(gam.clone()));
    assert_eq!(greeting.confirmations(&gam), 0);
    greeting.push(b"\r\ngam# ");
    assert_eq!(greeting.confirmations(&gam), 1);
}

#[test]
fn a_greeting_may_be_paged_and_may_be_a_refusal() {
    let mut greeting = Greeting::new();
    greeting.push(b"motd\r\n-- more --");
    assert_eq!(greeting.showing(), Showing::Pager);
    let mut greeting = Greeting::new();
    greeting.push(b"Only 4 connections allowed");
    assert_eq!(
        greeting.too_many_sessions().as_deref(),
        Some("Only 4 connections allowed")
    );
    assert_eq!(Greeting::new().too_many_sessions(), None);
}

#[test]
fn endless_output_is_noticed_and_not_kept() {
    let mut reading = Reading::of(&prompt("# "), "show version");
    reading.push(b"show version\r\n");
    for _ in 0..9 {
        reading.push(&vec![b'x'; 1024 * 1024]);
    }
    assert_eq!(reading.showing(), Showing::TooMuch);
}

#[test]
fn what_acts_on_the_line_editor_is_not_sent() {
    assert_eq!(check_command("ghn subscriber 1 name \"apt 2 (rear)\""), Ok(()));
    for (command, character) in [
        ("show ?", '?'),
        ("a\rb", '\r'),
        ("a\u{3}", '\u{3}'),
        ("caf\u{e9}", '\u{e9}'),
        ("a\tb", '\t'),
    ] {
        assert_eq!(check_command(command), Err(UnsafeCommand { character }));
    }
}

/// Bytes of the kinds that a session is made of, and noise.
fn session_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"show version\r\n".to_vec()),
        Just(b"gam# ".to_vec()),
        Just(b"# ".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"-- more --, next page: Space, continue: g, quit: ^C".to_vec()),
        Just(b"\r                 \r".to_vec()),
        Just(b"% Invalid word detected at '^' marker.\r\n".to_vec()),
        Just(b"     ^\r\n".to_vec()),
        Just(b"\x1b[1;31m".to_vec()),
        Just(b"\x08\x08$".to_vec()),
        Just(b"\x07".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_bytes_are_cut_into_packets_changes_nothing(
        bytes in session_bytes(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        host in prop_oneof![Just("gam# "), Just("# ")],
    ) {
        let whole = {
            let mut reading = Reading::of(&prompt(host), "show version");
            reading.push(&bytes);
            (reading.showing(), reading.could_go_on(), reading.finish())
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut reading = Reading::of(&prompt(host), "show version");
        for pair in cuts.windows(2) {
            reading.push(&bytes[pair[0]..pair[1]]);
        }
        prop_assert_eq!(whole, (reading.showing(), reading.could_go_on(), reading.finish()));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), command in "[ -~]{0,40}") {
        let mut reading = Reading::of(&prompt("# "), &command);
        reading.push(&bytes);
        reading.pager_answered();
        reading.push(&bytes);
        let _ = (reading.showing(), reading.finish());
        let mut greeting = Greeting::new();
        greeting.push(&bytes);
        let _ = (greeting.showing(), greeting.too_many_sessions());
    }

    #[test]
    fn printed_output_comes_back_line_by_line(lines in prop::collection::vec("[ -~]{0,40}", 0..12)) {
        prop_assume!(lines.iter().all(|line| !line.starts_with('%') && !line.trim().is_empty()));
        let output: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(reply("gam# ", "show running-config", &output), Reply::Done(expected));
    }
}
