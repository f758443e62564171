//! How Splynx knows who asks: numbers, signatures, tokens. Pure.
//!
//! <https://splynx.docs.apiary.io>: "Authentication".

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::domain::Secret;

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(5);

/// The numbers of signatures ("nonces"). Splynx takes one that is above the last that it took of the same key, and no other.
///
/// In hundredths of seconds since 1970, as Splynx's own client has them: seconds would be below every number that was ever sent in
/// hundredths. A clock that went back, or two requests in the same hundredth, go on from the last number.
#[derive(Debug)]
pub(super) struct Numbers(AtomicU64);

impl Numbers {
    /// Numbers above this one.
    pub(super) const fn above(last: u64) -> Self {
        Self(AtomicU64::new(last))
    }

    /// The next number.
    pub(super) fn next(&self, now: Timestamp) -> u64 {
        let now = u64::try_from(now.as_millisecond() / 10).unwrap_or_default();
        let next = |last: u64| now.max(last.saturating_add(1));
        let last = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)));
        // It never refuses, so both arms are the number before.
        let (Ok(last) | Err(last)) = last;
        next(last)
    }

    /// The last number that was given out, or the one to be above of.
    pub(super) fn last(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The signature of a number: HMAC-SHA256 over the number and then the key, in upper-case hex. `None` never: a secret of any length will do.
fn signature(key: &str, secret: &Secret, number: u64) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(format!("{number}{key}").as_bytes());
    let code = mac.finalize().into_bytes();
    Some(code.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// The header of a request that is signed itself.
pub(super) fn signed(key: &str, secret: &Secret, number: u64) -> Secret {
    let signature = signature(key, secret, number).unwrap_or_default();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("key", key)
        .append_pair("nonce", &number.to_string())
        .append_pair("signature", &signature);
    Secret::new(format!("Splynx-EA ({})", query.finish()))
}

/// What a login hands over.
pub(super) fn login(key: &str, secret: &Secret, number: u64) -> Vec<u8> {
    let signature = signature(key, secret, number).unwrap_or_default();
    json!({ "auth_type": "api_key", "key": key, "nonce": number, "signature": signature })
        .to_string()
        .into_bytes()
}

/// What a login gives.
#[derive(Debug)]
pub(super) struct Tokens {
    access: Secret,
    refresh: Secret,
    /// How long each is good, from the moment at which they came.
    access_for: Duration,
    refresh_for: Duration,
}

/// The form of the answer. Ends are in seconds since 1970, by the server's clock.
#[derive(Deserialize)]
struct Given {
    access_token: Secret,
    access_token_expiration: i64,
    refresh_token: Secret,
    refresh_token_expiration: i64,
}

impl Tokens {
    /// Reads what a login or a renewal answered; `now` is the server's time, so that a clock of ours that is wrong does no harm. `None` where
    /// there is no token in it.
    pub(super) fn read(body: &[u8], now: Timestamp) -> Option<Self> {
        let given: Given = serde_json::from_slice(body).ok()?;
        if given.access_token.is_empty() {
            return None;
        }
        let lasts = |end: i64| {
            let seconds = u64::try_from(end.saturating_sub(now.as_second())).unwrap_or_default();
            Duration::from_secs(seconds).saturating_sub(MARGIN)
        };
        Some(Self {
            access_for: lasts(given.access_token_expiration),
            refresh_for: lasts(given.refresh_token_expiration),
            access: given.access_token,
            refresh: given.refresh_token,
        })
    }

    /// The header of a request, where the token is still good so long after it came.
    pub(super) fn header(&self, age: Duration) -> Option<Secret> {
        (age < self.access_for).then(|| self.fresh_header())
    }

    /// The header of the request for which the token was fetched, however short it lasts.
    pub(super) fn fresh_header(&self) -> Secret {
        Secret::new(format!("Splynx-EA (access_token={})", self.access.expose()))
    }

    /// The token that gets new ones, where it is still good so long after it came.
    pub(super) fn renewal(&self, age: Duration) -> Option<&Secret> {
        let is_good = age < self.refresh_for && !self.refresh.is_empty();
        // It becomes part of a path.
        let is_word = self.refresh.expose().bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_good && is_word).then_some(&self.refresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "11112222333344445555666677778888";
    const SIGNED: &str = "FFFB97FA8E2700C2D4C573AE7D8C698E8BAD459EDF39CCEB2322B9408C180252";

    fn secret() -> Secret {
        Secret::new("aaaabbbbccccddddeeeeffff00001111")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Computed with Python's `hmac` from the formula of the documentation.
    #[test]
    fn signatures_are_over_number_and_key() {
        for (number, code) in [
            (175_000_000_000, SIGNED),
            (
                175_000_000_001,
                "9A263DB83D5096DFECB777581635C4676A677543586E06AD9912EDB8BFAE8E36",
            ),
            (
                1_750_000_000,
                "2D5E7C62DC66F6715C47363808051F205FAA2989738C99F04EC959B18A893355",
            ),
        ] {
            assert_eq!(signature(KEY, &secret(), number).unwrap(), code);
        }
        let header = signed(KEY, &secret(), 175_000_000_000);
        assert_eq!(
            header.expose(),
            format!("Splynx-EA (key={KEY}&nonce=175000000000&signature={SIGNED})")
        );
        let body: serde_json::Value = serde_json::from_slice(&login(KEY, &secret(), 175_000_000_000)).unwrap();
        assert_eq!(
            body,
            json!({ "auth_type": "api_key", "key": KEY, "nonce": 175_000_000_000_u64, "signature": SIGNED })
        );
    }

    #[test]
    fn numbers_grow_whatever_the_clock_does() {
        let numbers = Numbers::above(5);
        assert_eq!(numbers.next(at(1_750_000_000)), 175_000_000_000);
        assert_eq!(numbers.next(at(1_750_000_000)), 175_000_000_001);
        assert_eq!(numbers.next(at(1_000_000_000)), 175_000_000_002);
        assert_eq!(numbers.next(at(-1)), 175_000_000_003);
        // As after a restart with a clock that went back.
        let numbers = Numbers::above(numbers.last());
        assert_eq!(numbers.next(at(1_600_000_000)), 175_000_000_004);
        assert_eq!(numbers.next(at(1_750_000_001)), 175_000_000_100);
        assert_eq!(numbers.last(), 175_000_000_100);
    }

    #[test]
    fn a_token_lasts_as_long_as_the_server_says() {
        let given = r#"{"access_token":"0f0e","access_token_expiration":1750001800,"refresh_token":"1011",
            "refresh_token_expiration":1752592000,"permissions":[]}"#;
        let tokens = Tokens::read(given.as_bytes(), at(1_750_000_000)).unwrap();
        let (fresh, old, older) = (1_794, 1_795, 2_592_000);
        let seconds = Duration::from_secs;
        assert_eq!(
            tokens.header(seconds(fresh)).unwrap().expose(),
            "Splynx-EA (access_token=0f0e)"
        );
        assert_eq!(tokens.header(seconds(old)), None);
        assert_eq!(tokens.renewal(seconds(old)).unwrap().expose(), "1011");
        assert_eq!(tokens.renewal(seconds(older)), None);
        assert!(!format!("{tokens:?}").contains("0f0e"));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"error":{"message":"no"}}"#,
            &given.replace("0f0e", ""),
        ] {
            assert!(Tokens::read(wrong.as_bytes(), at(0)).is_none(), "{wrong}");
        }
        let elsewhere = given.replace("\"1011\"", "\"../../customers\"");
        let tokens = Tokens::read(elsewhere.as_bytes(), at(1_750_000_000)).unwrap();
        assert_eq!(tokens.renewal(seconds(0)), None);
    }
}
