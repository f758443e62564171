//! Ways in which text is damaged on its way.

use proptest::prelude::*;
use proptest::sample::Index;

/// One damage. Places are drawn anew for whatever length the text has by then.
#[derive(Debug, Clone)]
pub(super) enum Damage {
    FlipBit(Index, u8),
    Overwrite(Index, u8),
    Insert(Index, Vec<u8>),
    CutOff(Index),
    TakeOut(Index, u8),
    DoubleLine(Index),
    LoseLine(Index),
    ExchangeLines(Index, Index),
    /// Part of the text once more in the middle of it, as when two outputs run into each other.
    Interleave(Index, Index, u8),
}

pub(super) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    use Damage::{CutOff, DoubleLine, ExchangeLines, FlipBit, Insert, Interleave, LoseLine, Overwrite, TakeOut};
    let place = any::<Index>;
    let word = prop::sample::select(vec![
        b"\r\n".to_vec(),
        b"\r".to_vec(),
        b"\"".to_vec(),
        b"% Invalid input\r\n".to_vec(),
        b"-- more --, next page: Space, continue: g, quit: ^C".to_vec(),
        b"end\r\n".to_vec(),
        b"# ".to_vec(),
        b" 18446744073709551616".to_vec(),
        b"\x1b[2J\x08\x08".to_vec(),
        b"\xff\xfe\xc3\x28".to_vec(),
        "ä€😀\u{feff}\u{202e}".as_bytes().to_vec(),
        b"\0".to_vec(),
        b"{{[&a *a !!t".to_vec(),
    ]);
    let one = prop_oneof![
        (place(), 0..8u8).prop_map(|(at, bit)| FlipBit(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Overwrite(at, byte)),
        (place(), word).prop_map(|(at, bytes)| Insert(at, bytes)),
        place().prop_map(CutOff),
        (place(), 1..40u8).prop_map(|(at, length)| TakeOut(at, length)),
        place().prop_map(DoubleLine),
        place().prop_map(LoseLine),
        (place(), place()).prop_map(|(one, other)| ExchangeLines(one, other)),
        (place(), place(), 1..80u8).prop_map(|(from, to, length)| Interleave(from, to, length)),
    ];
    prop::collection::vec(one, 1..5)
}

/// The text after all of it.
pub(super) fn damaged(text: &[u8], damages: &[Damage]) -> Vec<u8> {
    damages.iter().fold(text.to_vec(), one)
}

fn one(mut text: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if text.is_empty() {
        return text;
    }
    let length = text.len();
    match damage {
        Damage::FlipBit(at, bit) => text[at.index(length)] ^= 1 << bit,
        Damage::Overwrite(at, byte) => text[at.index(length)] = *byte,
        Damage::Insert(at, bytes) => {
            let at = at.index(length);
            text.splice(at..at, bytes.iter().copied());
        }
        Damage::CutOff(at) => text.truncate(at.index(length)),
        Damage::TakeOut(at, count) => {
            let at = at.index(length);
            text.drain(at..length.min(at + usize::from(*count)));
        }
        Damage::DoubleLine(_) | Damage::LoseLine(_) | Damage::ExchangeLines(..) => return lines(&text, damage),
        Damage::Interleave(from, to, count) => {
            let from = from.index(length);
            let piece = text[from..length.min(from + usize::from(*count))].to_vec();
            let to = to.index(length);
            text.splice(to..to, piece);
        }
    }
    text
}

fn lines(text: &[u8], damage: &Damage) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let count = lines.len();
    match damage {
        Damage::DoubleLine(at) => lines.insert(at.index(count), lines[at.index(count)]),
        Damage::LoseLine(at) => drop(lines.remove(at.index(count))),
        Damage::ExchangeLines(one, other) => lines.swap(one.index(count), other.index(count)),
        _ => {}
    }
    lines.concat()
}
