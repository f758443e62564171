//! Who may ask: keys, numbers, tokens. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::query::{Tree, parse, text};
use super::refusal::Refusal;

/// How long tokens last, in seconds: half an hour, and 30 days.
const ACCESS: i64 = 30 * 60;
const REFRESH: i64 = 30 * 24 * 3600;

/// How long tokens last, in seconds.
#[derive(Debug, Clone, Copy)]
struct Life {
    access: i64,
    refresh: i64,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            access: ACCESS,
            refresh: REFRESH,
        }
    }
}

/// The one API key that there is.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) key: String,
    pub(super) secret: String,
    /// Whether key and secret may come as they are.
    pub(super) unsecure: bool,
    /// The last number that was taken.
    pub(super) last_nonce: u64,
}

/// From where a request comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) agent: String,
    pub(super) address: String,
}

#[derive(Debug, Clone)]
struct Token {
    access: String,
    access_until: i64,
    refresh: String,
    refresh_until: i64,
    of: Caller,
}

/// Everybody who is logged in.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    there: Vec<Token>,
    given: u64,
    life: Life,
}

impl Key {
    /// Whether a signature is right and its number above the last; takes the number then.
    fn is_signed(&mut self, key: &str, nonce: &str, signature: &str) -> bool {
        let Ok(number) = nonce.parse::<u64>() else {
            return false;
        };
        // Of a key of any length: it is there.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return false;
        };
        mac.update(format!("{nonce}{key}").as_bytes());
        let code: String = (mac.finalize().into_bytes().iter())
            .map(|byte| format!("{byte:02X}"))
            .collect();
        if key != self.key || signature != code || number <= self.last_nonce {
            return false;
        }
        self.last_nonce = number;
        true
    }
}

impl Tokens {
    /// A login: status 201 and tokens.
    pub(super) fn login(&mut self, key: &mut Key, body: &Value, caller: &Caller, now: i64) -> Result<Value, Refusal> {
        let field = |name: &str| body.get(name).map(text).unwrap_or_default();
        if field("auth_type") != "api_key" {
            return Err(Refusal::new(401, "Invalid auth type", "INVALID_AUTH_TYPE"));
        }
        if !key.is_signed(&field("key"), &field("nonce"), &field("signature")) {
            return Err(Refusal::new(401, "Invalid API key, nonce or signature", "UNAUTHORIZED"));
        }
        let mut given = self.give(caller, now);
        given["permissions"] = json!([]);
        Ok(given)
    }

    /// New tokens for a token that renews; those before end.
    pub(super) fn renew(&mut self, refresh: &str, caller: &Caller, now: i64) -> Result<Value, Refusal> {
        let at = self.there.iter().position(|token| token.refresh == refresh);
        let at = at.ok_or_else(|| Refusal::new(401, "Token is not valid", "UNAUTHORIZED"))?;
        if self.there[at].refresh_until <= now {
            return Err(Refusal::new(401, "Refresh token has expired", "EXPIRED_REFRESH_TOKEN"));
        }
        bound(&self.there[at], caller)?;
        self.there.remove(at);
        Ok(self.give(caller, now))
    }

    pub(super) fn log_out(&mut self, refresh: &str) {
        self.there.retain(|token| token.refresh != refresh);
    }

    /// How many seconds tokens last that are given from now on.
    pub(super) const fn last(&mut self, access: i64, refresh: i64) {
        self.life = Life { access, refresh };
    }

    /// Forgets everybody, as a restart of the server or an administrator may.
    pub(super) fn forget(&mut self) {
        self.there.clear();
    }

    fn give(&mut self, caller: &Caller, now: i64) -> Value {
        self.given += 1;
        let word = |what: &str| {
            let code = Sha256::digest(format!("{what} {}", self.given));
            code.iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let token = Token {
            access: word("access"),
            access_until: now + self.life.access,
            refresh: word("refresh"),
            refresh_until: now + self.life.refresh,
            of: caller.clone(),
        };
        let given = json!({
            "access_token": token.access, "access_token_expiration": token.access_until,
            "refresh_token": token.refresh, "refresh_token_expiration": token.refresh_until,
        });
        self.there.push(token);
        given
    }

    /// Whether a request may be answered, by its `Authorization`.
    pub(super) fn admit(&self, key: &mut Key, header: Option<&str>, caller: &Caller, now: i64) -> Result<(), Refusal> {
        let Some(header) = header else {
            return Err(Refusal::new(
                401,
                "Authorization header is missing",
                "MISSED_AUTHORIZATION_HEADER",
            ));
        };
        let unauthorized = || Refusal::new(401, "Unauthorized", "UNAUTHORIZED");
        if let Some(basic) = header.strip_prefix("Basic ") {
            let given = STANDARD.decode(basic).map_err(|_| unauthorized())?;
            let wanted = format!("{}:{}", key.key, key.secret);
            return if key.unsecure && given == wanted.as_bytes() {
                Ok(())
            } else {
                Err(unauthorized())
            };
        }
        let query = header
            .strip_prefix("Splynx-EA (")
            .and_then(|rest| rest.strip_suffix(')'))
            .ok_or_else(unauthorized)?;
        let pairs = parse(query);
        let pair = |name: &str| match pairs.get(name) {
            Some(Tree::Text(text)) => text.as_str(),
            _ => "",
        };
        if !pairs.contains_key("access_token") {
            return if key.is_signed(pair("key"), pair("nonce"), pair("signature")) {
                Ok(())
            } else {
                Err(unauthorized())
            };
        }
        let access = pair("access_token");
        if access.is_empty() {
            return Err(Refusal::new(401, "Access token is empty", "EMPTY_ACCESS_TOKEN"));
        }
        let token = self.there.iter().find(|token| token.access == access);
        let token = token.ok_or_else(unauthorized)?;
        if token.access_until <= now {
            return Err(Refusal::new(401, "Access token has expired", "EXPIRED_ACCESS_TOKEN"));
        }
        bound(token, caller)
    }
}

/// A token is good where it was given, and for whom.
fn bound(token: &Token, caller: &Caller) -> Result<(), Refusal> {
    if token.of.agent != caller.agent {
        return Err(Refusal::new(401, "User agent was changed", "USER_AGENT_CHANGED"));
    }
    if token.of.address != caller.address {
        return Err(Refusal::new(401, "IP was changed", "IP_CHANGED"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            key: "11112222333344445555666677778888".to_owned(),
            secret: "aaaabbbbccccddddeeeeffff00001111".to_owned(),
            unsecure: false,
            last_nonce: 0,
        }
    }

    fn caller(agent: &str) -> Caller {
        Caller {
            agent: agent.to_owned(),
            address: "127.0.0.1".to_owned(),
        }
    }

    const CODE: &str = "FFFB97FA8E2700C2D4C573AE7D8C698E8BAD459EDF39CCEB2322B9408C180252";

    fn signed(nonce: &str, code: &str) -> String {
        format!("Splynx-EA (signature={code}&key=11112222333344445555666677778888&nonce={nonce})")
    }

    fn admitted(key: &mut Key, header: &str) -> bool {
        Tokens::default().admit(key, Some(header), &caller("a"), 0).is_ok()
    }

    #[test]
    fn a_signature_is_over_number_and_key_and_its_number_grows() {
        // The wrong way round, and in lower case.
        let reversed = "96D224F6E9A8AB629697F59EB5C6DE84BAF84C57CF1FE0D656E1552ABBDD0FCF";
        for wrong in [reversed, &CODE.to_lowercase(), ""] {
            assert!(!admitted(&mut key(), &signed("175000000000", wrong)), "{wrong}");
        }
        let mut key = key();
        assert!(admitted(&mut key, &signed("175000000000", CODE)));
        assert!(!admitted(&mut key, &signed("175000000000", CODE)), "the same again");
        let next = "9A263DB83D5096DFECB777581635C4676A677543586E06AD9912EDB8BFAE8E36";
        assert!(admitted(&mut key, &signed("175000000001", next)));
        assert!(!admitted(&mut key, &signed("175000000000", CODE)), "an earlier one");
    }

    #[test]
    fn key_and_secret_as_they_are_need_a_flag() {
        let basic = "Basic MTExMTIyMjIzMzMzNDQ0NDU1NTU2NjY2Nzc3Nzg4ODg6YWFhYWJiYmJjY2NjZGRkZGVlZWVmZmZmMDAwMDExMTE=";
        assert!(!admitted(&mut key(), basic));
        let mut open = Key {
            unsecure: true,
            ..key()
        };
        assert!(admitted(&mut open, basic));
        assert!(!admitted(&mut open, "Basic xyz"));
    }

    #[test]
    fn tokens_end_and_belong_to_whom_they_were_given() {
        let mut tokens = Tokens::default();
        let mut key = key();
        let body = json!({ "auth_type": "api_key", "key": key.key, "nonce": 175_000_000_000_u64, "signature": CODE });
        let given = tokens.login(&mut key, &body, &caller("a"), 0).unwrap();
        assert!(given.get("permissions").is_some());
        let header = |given: &Value| format!("Splynx-EA (access_token={})", text(&given["access_token"]));
        let mut why = |tokens: &Tokens, header: &str, agent: &str, now| {
            let admitted = tokens.admit(&mut key, Some(header), &caller(agent), now);
            admitted.err().map(|refusal| refusal.internal_code)
        };
        let first = header(&given);
        assert_eq!(why(&tokens, &first, "a", 1_799), None);
        assert_eq!(why(&tokens, &first, "a", 1_800), Some("EXPIRED_ACCESS_TOKEN"));
        assert_eq!(why(&tokens, &first, "b", 0), Some("USER_AGENT_CHANGED"));
        let refresh = text(&given["refresh_token"]);
        let renewed = tokens.renew(&refresh, &caller("a"), 1_800).unwrap();
        assert!(renewed.get("permissions").is_none());
        assert_eq!(
            why(&tokens, &first, "a", 0),
            Some("UNAUTHORIZED"),
            "the one before has ended"
        );
        assert_eq!(why(&tokens, &header(&renewed), "a", 1_800), None);
        assert!(tokens.renew(&refresh, &caller("a"), 1_800).is_err(), "it renews once");
        let late = 1_800 + REFRESH;
        let refusal = tokens
            .renew(&text(&renewed["refresh_token"]), &caller("a"), late)
            .unwrap_err();
        assert_eq!(refusal.internal_code, "EXPIRED_REFRESH_TOKEN");
        tokens.log_out(&text(&renewed["refresh_token"]));
        assert_eq!(why(&tokens, &header(&renewed), "a", 0), Some("UNAUTHORIZED"));
    }
}
