//! Signatures by OpenPGP keys, as `git commit -S` makes them with GnuPG.
//!
//! They are checked by `gpgv`: GnuPG's verifier alone, without configuration, agents or a web of trust. ARCHITECTURE.md says
//! why no library does it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Refusal, Signed, Signer, SignersError, When};

/// How long one check may take. It is one of milliseconds.
const WITHIN: Duration = Duration::from_secs(30);
/// How armoured keys begin and end.
const ARMOUR: [&str; 2] = [
    "-----BEGIN PGP PUBLIC KEY BLOCK-----",
    "-----END PGP PUBLIC KEY BLOCK-----",
];

/// Public keys one after the other, as `gpgv` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys(Vec<u8>);

/// Reads keys from a file, or from all files of a folder whose names do not begin with a dot.
pub(super) fn read(path: &Path) -> Result<Keys, SignersError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SignersError::Read { path, source }
    };
    let mut files: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(failed(path))? {
            let entry = entry.map_err(failed(path))?;
            // A folder among them is not entered: a container's secrets lie behind hidden ones.
            if !entry.file_name().to_string_lossy().starts_with('.') && entry.path().is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut keys = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(failed(&file))?;
        keys.extend(binary(&bytes).map_err(|reason| SignersError::Key { path: file, reason })?);
    }
    if keys.is_empty() {
        return Err(SignersError::Empty { path: path.to_owned() });
    }
    Ok(Keys(keys))
}

/// The keys of a file without their armour.
fn binary(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let keys = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN PGP PRIVATE KEY") => {
            return Err("this is a private key: export the public one, and take this away from here");
        }
        Ok(text) if text.contains(ARMOUR[0]) => bare(text).ok_or("the armour of this public key is damaged")?,
        _ => bytes.to_vec(),
    };
    // RFC 9580, 4.2: the tag of the first packet, in the old form and in the new one.
    let tag = keys.first().map(|byte| match byte {
        0xc0.. => byte & 0x3f,
        0x80.. => (byte >> 2) & 0x0f,
        _ => 0,
    });
    match tag {
        Some(6) => Ok(keys),
        Some(5) => Err("this is a private key: export the public one, and take this away from here"),
        _ => Err("this is no OpenPGP public key, as `gpg --export --armor` writes it"),
    }
}

/// What stands in the blocks of armour, one after the other. The checksum is left out, as RFC 9580 has it.
fn bare(text: &str) -> Option<Vec<u8>> {
    let mut keys = Vec::new();
    for block in text.split(ARMOUR[0]).skip(1) {
        let (block, _) = block.split_once(ARMOUR[1])?;
        // Headers end at the first empty line; the first line is what was left of the one that begins the block.
        let mut lines = block.lines().map(str::trim).skip(1);
        lines.by_ref().find(|line| line.is_empty())?;
        let body: String = lines.filter(|line| !line.starts_with('=')).collect();
        keys.extend(STANDARD.decode(body).ok()?);
    }
    Some(keys)
}

/// Has `gpgv` say who signed, or why it does not count.
pub(super) async fn judge(
    keys: &Keys,
    signature: &str,
    signed: &Signed,
    when: When,
) -> Result<Result<Signer, Refusal>, SignersError> {
    let folder = tempfile::tempdir().map_err(SignersError::Gpgv)?;
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).map(|()| path).map_err(SignersError::Gpgv)
    };
    let mut command = tokio::process::Command::new("gpgv");
    command
        .args(["--status-fd", "1", "--homedir"])
        .arg(folder.path())
        .arg("--keyring")
        .arg(file("keys", &keys.0)?)
        .arg(file("signature", signature.as_bytes())?)
        .arg(file("payload", &signed.payload)?)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(WITHIN, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(SignersError::NoGpgv),
        Ok(Err(error)) => return Err(SignersError::Gpgv(error)),
        Err(_) => return Err(SignersError::Gpgv(io::ErrorKind::TimedOut.into())),
    };
    Ok(verdict(&String::from_utf8_lossy(&output.stdout), when))
}

/// Reads what `gpgv` says on its status channel; GnuPG's `doc/DETAILS` has the words.
fn verdict(status: &str, when: When) -> Result<Signer, Refusal> {
    let lines = status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let (mut said, mut valid) = (Vec::new(), None);
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "GOODSIG" | "EXPSIG" | "EXPKEYSIG" | "REVKEYSIG" | "BADSIG" | "ERRSIG" => said.push((word, rest)),
            "VALIDSIG" => valid = Some(rest.split(' ').collect::<Vec<_>>()),
            _ => {}
        }
    }
    // With two signatures, a good one could stand for one that is not.
    let [(word, rest)] = said.as_slice() else {
        return Err(Refusal::Unreadable(match said.len() {
            0 => "`gpgv` finds no signature in it".to_owned(),
            _ => "it consists of several".to_owned(),
        }));
    };
    let (id, name) = rest.split_once(' ').unwrap_or((rest, ""));
    if *word == "ERRSIG" {
        // Id, public-key algorithm, hash, class, time, reason, fingerprint; 9 is an unknown key.
        let fields: Vec<&str> = rest.split(' ').collect();
        let fingerprint = fields.get(6).filter(|field| field.len() >= 40).unwrap_or(&id);
        return Err(match fields.get(5) {
            Some(&"9") => Refusal::UnknownKey {
                key: (*fingerprint).to_owned(),
            },
            _ => Refusal::Unreadable("`gpgv` does not know its algorithm, or not its form".to_owned()),
        });
    }
    // Fingerprint, date, two times, version, reserved, public-key algorithm, hash, class, fingerprint of the primary key.
    let Some(valid) = valid.filter(|_| *word != "BADSIG") else {
        return Err(Refusal::Bad);
    };
    let key = valid.get(9).or(valid.first()).copied().unwrap_or(id).to_owned();
    let name = name.to_owned();
    // RFC 9580, 9.5: MD5, SHA-1, RIPEMD-160. Two texts with the same of these can be made.
    if (valid.get(7)).is_none_or(|hash| ["1", "2", "3"].contains(hash)) {
        return Err(Refusal::Unreadable("it rests on SHA-1 or weaker".to_owned()));
    }
    let expired = |what| {
        Err(Refusal::Expired {
            name: name.clone(),
            key: key.clone(),
            what,
        })
    };
    match (*word, when) {
        ("GOODSIG", _) | ("EXPKEYSIG" | "EXPSIG", When::Made) => Ok(Signer { name, key }),
        ("EXPKEYSIG", When::Now(_)) => expired("key"),
        ("EXPSIG", When::Now(_)) => expired("signature"),
        _ => Err(Refusal::Revoked { name, key }),
    }
}

#[cfg(test)]
mod tests;
