//! Signatures by SSH keys, as `git commit -S` makes them with `gpg.format=ssh`, and the list of who may.
//!
//! The list is what `git config gpg.ssh.allowedSignersFile` names; its form is in ssh-keygen(1), "ALLOWED SIGNERS".

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
// Through russh and not by a dependency of our own, which would have to be raised together with it.
use russh::keys::ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

use super::{Refusal, Signed, Signer, SignersError, When};

/// What Git signs commits and tags as.
pub(in crate::repo) const NAMESPACE: &str = "git";

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AllowedSigner {
    /// Whose key it is, as written.
    principals: String,
    /// What it may sign, as a list of patterns; anything where none is given.
    namespaces: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    key: PublicKey,
}

/// Reads a list from a file.
pub(super) fn read(path: &Path) -> Result<Vec<AllowedSigner>, SignersError> {
    let text = std::fs::read_to_string(path).map_err(|source| SignersError::Read {
        path: path.to_owned(),
        source,
    })?;
    let list = parse(&text, &TimeZone::system()).map_err(|(line, reason)| SignersError::Line {
        path: path.to_owned(),
        line,
        reason,
    })?;
    if list.is_empty() {
        return Err(SignersError::Empty { path: path.to_owned() });
    }
    Ok(list)
}

/// Reads a list; times without `Z` are in this zone. An error comes with its line, counted from 1.
fn parse(text: &str, zone: &TimeZone) -> Result<Vec<AllowedSigner>, (usize, String)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| signer(line, zone).map_err(|reason| (number, reason)))
        .collect()
}

fn signer(line: &str, zone: &TimeZone) -> Result<AllowedSigner, String> {
    let (principals, rest) = word(line);
    let principals = principals.trim_matches('"').to_owned();
    let of = |key| AllowedSigner {
        principals: principals.clone(),
        namespaces: None,
        after: None,
        before: None,
        key,
    };
    if let Ok(key) = key(rest) {
        return Ok(of(key));
    }
    let (options, rest) = word(rest);
    let key = key(rest).map_err(|()| {
        "no line of allowed signers: whose key it is, options if any, and the key, such as \
         `alice@example.org ssh-ed25519 AAAA...`"
            .to_owned()
    })?;
    let mut signer = of(key);
    for option in split(options, ',') {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => signer.namespaces = Some(value.to_owned()),
            "valid-after" => signer.after = Some(time(value, zone)?),
            "valid-before" => signer.before = Some(time(value, zone)?),
            "cert-authority" => {
                return Err(
                    "`cert-authority`: certificates are not followed; list the keys that sign themselves".to_owned(),
                );
            }
            _ => return Err(format!("`{name}` is no option of allowed signers")),
        }
    }
    Ok(signer)
}

fn key(text: &str) -> Result<PublicKey, ()> {
    let mut key = PublicKey::from_openssh(text).map_err(drop)?;
    key.set_comment("");
    Ok(key)
}

/// The first word of a line, where what stands in quotes is one, and the rest.
fn word(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = line.find(|character: char| {
        quoted ^= character == '"';
        !quoted && character.is_whitespace()
    });
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    (word, rest.trim_start())
}

/// Parts between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character: char| {
        quoted ^= character == '"';
        !quoted && character == separator
    })
    .collect()
}

/// A moment as OpenSSH writes it: `20260131`, `202601312359` or `20260131235959`, in the given zone or with `Z` behind it in UTC.
fn time(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let invalid =
        || format!("`{text}` is no time; write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, and Z behind it for UTC");
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, &TimeZone::UTC),
        None => (text, zone),
    };
    let moment = match digits.len() {
        8 => Date::strptime("%Y%m%d", digits).map(DateTime::from),
        12 => DateTime::strptime("%Y%m%d%H%M", digits),
        14 => DateTime::strptime("%Y%m%d%H%M%S", digits),
        _ => return Err(invalid()),
    };
    let moment = moment.map_err(|_| invalid())?;
    let zoned = moment.to_zoned(zone.clone()).map_err(|_| invalid())?;
    Ok(zoned.timestamp())
}

/// Says who signed, or why it does not count.
pub(super) fn judge(list: &[AllowedSigner], signature: &str, signed: &Signed, when: When) -> Result<Signer, Refusal> {
    let signature = SshSig::from_pem(signature).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    // OpenSSH neither makes nor takes these here, and the library would.
    if matches!(signature.algorithm(), Algorithm::Rsa { hash: None } | Algorithm::Dsa) {
        return Err(Refusal::Unreadable("it rests on SHA-1".to_owned()));
    }
    let fingerprint = signature.public_key().fingerprint(HashAlg::Sha256).to_string();
    let listed: Vec<&AllowedSigner> = (list.iter())
        .filter(|signer| signer.key.key_data() == signature.public_key())
        .collect();
    let Some(first) = listed.first() else {
        return Err(Refusal::UnknownKey { key: fingerprint });
    };
    first
        .key
        .verify(NAMESPACE, &signed.payload, &signature)
        .map_err(|_| Refusal::Bad)?;
    let moment = match when {
        When::Now(now) => now,
        When::Made => signed.committed,
    };
    // A key may be listed more than once: before and after it was lent out, say.
    let mut refusal = Refusal::UnknownKey {
        key: fingerprint.clone(),
    };
    for signer in listed {
        match signer.refuses(moment, &fingerprint) {
            None => {
                return Ok(Signer {
                    name: signer.principals.clone(),
                    key: fingerprint,
                });
            }
            Some(reason) => refusal = reason,
        }
    }
    Err(refusal)
}

impl AllowedSigner {
    /// Why this line does not let the key sign a commit at that moment.
    fn refuses(&self, moment: Timestamp, fingerprint: &str) -> Option<Refusal> {
        let (name, key) = (self.principals.clone(), fingerprint.to_owned());
        if (self.namespaces.as_deref()).is_some_and(|patterns| !is_in(patterns, NAMESPACE)) {
            return Some(Refusal::OtherUse { name, key });
        }
        if self.after.is_some_and(|after| moment < after) {
            return Some(Refusal::Early { name, key });
        }
        let expired = self.before.is_some_and(|before| before < moment);
        expired.then_some(Refusal::Expired { name, key, what: "key" })
    }
}

/// Whether a list of patterns has a text, as ssh_config(5) has it: `*`, `?`, and `!` before what is excluded.
fn is_in(patterns: &str, text: &str) -> bool {
    let patterns = || patterns.split(',').map(str::trim);
    let excluded = patterns().any(|pattern| {
        pattern
            .strip_prefix('!')
            .is_some_and(|pattern| fits(pattern.as_bytes(), text.as_bytes()))
    });
    !excluded && patterns().any(|pattern| fits(pattern.as_bytes(), text.as_bytes()))
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..])),
        ([b'?', pattern @ ..], [_, text @ ..]) => fits(pattern, text),
        ([one, pattern @ ..], [other, text @ ..]) if one == other => fits(pattern, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
