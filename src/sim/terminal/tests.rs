use std::time::Duration;

use crate::domain::{Firmware, Model};
use crate::sim::spec::DeviceSpec;

use super::*;

struct Screenful {
    state: State,
    shell: Shell,
    terminal: Terminal,
}

impl Screenful {
    fn new() -> Self {
        let firmware: Firmware = "GAM-4/8-C_v1.5.4".parse().unwrap();
        let mut spec = DeviceSpec::new("maple-a", Model::by_name("GAM-4-CX").unwrap(), firmware);
        spec.hostname = "gam".to_owned();
        let mut state = State::new(spec, None);
        state.boot();
        let mut this = Self {
            state,
            shell: Shell::new(15),
            terminal: Terminal::new(),
        };
        this.terminal.finish("\n", &this.shell, &this.state);
        assert_eq!(this.seen(), "\r\ngam# ");
        this
    }

    fn seen(&mut self) -> String {
        String::from_utf8(self.terminal.take_output()).unwrap()
    }

    /// Types, runs every line that comes of it, and returns what was sent.
    fn types(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.terminal.push(bytes.as_ref());
        while let Event::Line(line) = self.terminal.advance(&mut self.shell, &self.state) {
            let reply = self.shell.execute(&line, &mut self.state, Duration::ZERO);
            self.terminal.finish(&reply.output, &self.shell, &self.state);
        }
        self.seen()
    }

    /// Lines with which a terminal of this width would be left by what was sent.
    fn drawn(sent: &str) -> Vec<String> {
        let mut lines = vec![Vec::new()];
        let mut column = 0;
        for character in sent.chars() {
            let line = lines.last_mut().unwrap();
            match character {
                '\r' => column = 0,
                '\n' => {
                    lines.push(Vec::new());
                    column = 0;
                }
                '\u{8}' => column = usize::saturating_sub(column, 1),
                '\u{7}' => {}
                _ => {
                    if column == line.len() {
                        line.push(character);
                    } else {
                        line[column] = character;
                    }
                    column += 1;
                }
            }
        }
        lines
            .into_iter()
            .map(|line| line.into_iter().collect::<String>().trim_end().to_owned())
            .collect()
    }
}

#[test]
fn every_character_is_echoed_and_any_line_end_is_one() {
    for end in ["\r", "\n", "\r\n", "\r\0"] {
        let mut screen = Screenful::new();
        let seen = screen.types(format!("terminal length 0{end}terminal width 512{end}"));
        assert_eq!(seen, "terminal length 0\r\ngam# terminal width 512\r\ngam# ", "{end:?}");
    }
    assert_eq!(Screenful::new().types("\n\n"), "\r\ngam# \r\ngam# ");
}

#[test]
fn keys_edit_the_line() {
    for (keys, line) in [
        ("shox\u{8}w vlan\r", "show vlan"),
        ("shox\u{7f}w vlan\r", "show vlan"),
        ("vlan\u{1}show \r", "show vlan"),
        ("show vlanx\u{1b}[D\u{4}\r", "show vlan"),
        ("nonsense\u{15}show vlan\r", "show vlan"),
        ("show version\u{17}vlan\r", "show vlan"),
        ("show vlan now\u{2}\u{2}\u{2}\u{2}\u{b}\r", "show vlan"),
        ("show vlan\r\u{1b}[A\r", "show vlan"),
        ("how vlan\u{1b}OHs\u{1b}[F\r", "show vlan"),
    ] {
        let mut screen = Screenful::new();
        let sent = screen.types(keys);
        let drawn = Screenful::drawn(&sent);
        assert_eq!(
            drawn.iter().filter(|row| row.ends_with(line)).count(),
            keys.matches('\r').count(),
            "{keys:?} {drawn:?}"
        );
        assert!(sent.contains("VLAN  Name"), "{keys:?} {sent:?}");
    }
}

#[test]
fn odd_bytes_ring_the_bell() {
    assert_eq!(Screenful::new().types([0xc3, 0xa9, 0x1c]), "\u{7}\u{7}\u{7}");
    assert_eq!(Screenful::new().types("\u{8}"), "\u{7}");
    let sent = Screenful::new().types(vec![b'x'; 4100]);
    assert_eq!(sent.matches('\u{7}').count(), 4);
}

#[test]
fn a_line_wider_than_the_screen_scrolls_sideways() {
    let mut screen = Screenful::new();
    let line = format!("configure terminal{}", "x".repeat(80));
    let sent = screen.types(&line);
    assert!(!sent.contains(&line) && sent.contains('\u{8}'));
    let drawn = Screenful::drawn(&sent);
    assert_eq!(drawn.len(), 1);
    assert!(
        drawn[0].starts_with('$') && drawn[0].len() < 80 - "gam# ".len(),
        "{drawn:?}"
    );
    // Back at the start of the line, its end is beyond the right edge.
    let sent = sent + &screen.types("\u{1}");
    let drawn = Screenful::drawn(&sent);
    assert!(
        drawn[0].starts_with("configure terminalxx") && drawn[0].ends_with('$'),
        "{drawn:?}"
    );
    // What is run is the whole line.
    assert!(screen.types("\r").contains("Invalid word"));
}

#[test]
fn a_wide_terminal_does_not_scroll() {
    let mut screen = Screenful::new();
    screen.types("terminal width 512\r");
    let line = "x".repeat(400);
    assert_eq!(screen.types(&line), line);
}

#[test]
fn help_comes_at_once_and_prints_the_line_again() {
    let mut screen = Screenful::new();
    assert_eq!(
        screen.types("show ghn ?"),
        "show ghn \r\n    bw-profile\r\n    discover\r\n    endpoint\r\n    notch\r\n    port\r\n    subscriber\r\n    vectorboost\r\ngam# show ghn "
    );
    assert!(screen.types("bw-profile ?").contains("    <1-15>\r\n"));
    assert!(screen.types("1 ?").contains("    <cr>\r\n"));
    assert!(screen.types("nonsense ?").contains("% No available command.\r\n"));
}

#[test]
fn tab_completes_what_is_unique() {
    let mut screen = Screenful::new();
    assert_eq!(screen.types("sh\tver\t"), "show version ");
    assert_eq!(screen.types("\u{15}zz\t").chars().last(), Some('\u{7}'));
    assert!(
        screen
            .types("\u{15}co\t")
            .contains("    configure\r\n    copy\r\ngam# co")
    );
}

#[test]
fn control_c_drops_the_line_and_control_z_leaves_all_modes() {
    let mut screen = Screenful::new();
    assert_eq!(screen.types("reload\u{3}"), "reload\r\ngam# ");
    screen.types("configure terminal\rinterface vlan 1\r");
    assert_eq!(screen.types("x\u{1a}"), "x\r\ngam# ");
}

const QUESTION: &str = "-- more --, next page: Space, continue: g, quit: ^C";

fn numbered(count: usize) -> String {
    (1..=count).map(|line| format!("line {line}\n")).collect()
}

#[test]
fn the_pager_stops_after_22_lines_and_wipes_its_question() {
    let mut screen = Screenful::new();
    screen.terminal.finish(&numbered(50), &screen.shell, &screen.state);
    let page = screen.seen();
    assert!(page.ends_with(&format!("line 22\r\n{QUESTION}")), "{page:?}");
    let wipe = format!("\r{}\r", " ".repeat(QUESTION.len()));
    assert_eq!(screen.types("\r\n"), format!("{wipe}line 23\r\n{QUESTION}"));
    let page = screen.types(" ");
    assert!(page.starts_with(&format!("{wipe}line 24\r\n")) && page.ends_with(&format!("line 45\r\n{QUESTION}")));
    assert!(screen.types("g").ends_with("line 50\r\ngam# "));
}

#[test]
fn the_pager_is_quit_by_q_and_control_c() {
    for key in ["q", "\u{3}"] {
        let mut screen = Screenful::new();
        screen.terminal.finish(&numbered(50), &screen.shell, &screen.state);
        screen.seen();
        assert!(screen.terminal.is_paging());
        assert!(screen.types(key).ends_with(" \rgam# "));
    }
}

#[test]
fn a_narrow_terminal_asks_the_short_question_and_length_0_none() {
    let mut screen = Screenful::new();
    screen.types("terminal width 40\r");
    screen.terminal.finish(&numbered(23), &screen.shell, &screen.state);
    assert!(screen.seen().ends_with("line 22\r\n-- more --"));
    let mut screen = Screenful::new();
    screen.types("terminal length 0\r");
    screen.terminal.finish(&numbered(500), &screen.shell, &screen.state);
    assert!(screen.seen().ends_with("line 500\r\ngam# "));
}

#[test]
fn what_is_typed_while_a_command_runs_waits() {
    let mut screen = Screenful::new();
    screen.terminal.push(b"show vlan\rsh");
    assert_eq!(
        screen.terminal.advance(&mut screen.shell, &screen.state),
        Event::Line("show vlan".to_owned())
    );
    assert_eq!(screen.seen(), "show vlan\r\n");
    assert_eq!(screen.terminal.advance(&mut screen.shell, &screen.state), Event::Wait);
    screen.terminal.finish("", &screen.shell, &screen.state);
    assert_eq!(screen.types(""), "gam# sh");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_terminal_panic(chunks in proptest::collection::vec(
        proptest::collection::vec(proptest::num::u8::ANY, 0..200), 1..6)) {
        let mut screen = Screenful::new();
        screen.types("terminal width 40\r");
        for chunk in chunks {
            screen.types(chunk);
        }
    }

    #[test]
    fn no_keys_make_the_editor_panic(keys in proptest::collection::vec(proptest::sample::select(
        vec!["x", "configure terminal\r", "ghn endpoint 1 ", "\u{8}", "\u{1}", "\u{5}", "\u{2}", "\u{6}", "\u{4}",
             "\u{b}", "\u{15}", "\u{17}", "\u{1b}[A", "\u{1b}[B", "?", "\t", "\r", "\u{1a}", "xxxxxxxxxxxxxxxxxxxx"]), 0..120)) {
        let mut screen = Screenful::new();
        screen.types("terminal width 40\r");
        let mut column: usize = 5;
        for key in keys {
            let sent = screen.types(key);
            for character in sent.chars() {
                column = match character {
                    '\r' | '\n' => 0,
                    '\u{7}' => column,
                    '\u{8}' => column - 1,
                    _ => column + 1,
                };
                // Nothing is drawn in the last column: the terminal would wrap.
                proptest::prop_assert!(column < 40 || sent.contains('\n'), "{sent:?}");
            }
        }
    }
}
