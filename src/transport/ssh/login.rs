//! Proving who we are, without ever having a password rejected twice.

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::PrivateKeyWithHashAlg;
use russh::{MethodKind, MethodSet};

use super::client::Verifier;
use super::{Login, PrivateKey, SshError};
use crate::domain::Secret;

/// A server may ask a few times for nothing (to show texts) before or after it asks for the password.
const MOST_QUESTIONS: usize = 4;

enum Outcome {
    In,
    /// The methods that may still be tried; `None` when the connection ended without an answer.
    No(Option<MethodSet>),
}

/// Logs in.
pub(super) async fn log_in(
    handle: &mut Handle<Verifier>,
    address: &str,
    user: &str,
    login: &Login,
) -> Result<(), SshError> {
    match login {
        Login::Password(password) => with_password(handle, address, user, password).await,
        Login::Key(key) => with_key(handle, address, user, key).await,
    }
}

async fn with_key(handle: &mut Handle<Verifier>, address: &str, user: &str, key: &PrivateKey) -> Result<(), SshError> {
    // An RSA key signs with the best hash that the server names; the one of old, SHA-1, only where it names none.
    let hash = match key.is_rsa() {
        true => handle.best_supported_rsa_hash().await.ok().flatten().flatten(),
        false => None,
    };
    let key = PrivateKeyWithHashAlg::new(key.shared(), hash);
    match outcome(handle.authenticate_publickey(user, key).await) {
        Outcome::In => Ok(()),
        Outcome::No(Some(_)) => Err(SshError::KeyRejected {
            address: address.to_owned(),
            user: user.to_owned(),
        }),
        Outcome::No(None) => match super::client::reason(handle).await {
            Some(russh::Error::NoAuthMethod) => Err(SshError::KeyRejected {
                address: address.to_owned(),
                user: user.to_owned(),
            }),
            source => Err(SshError::ClosedAtLogin {
                address: address.to_owned(),
                user: user.to_owned(),
                source: source.map(Into::into),
            }),
        },
    }
}

/// Logs in with at most one answer that the device can count as a wrong password.
///
/// `none` goes first, as OpenSSH's own client does it: the family lets a user without password in that way,
/// and otherwise it names the methods. Trying `password` first and another method after its refusal would
/// not do: some servers strike a method off the list once it failed, so the list that comes with a refusal
/// does not tell a wrong password from a method that is not offered.
async fn with_password(
    handle: &mut Handle<Verifier>,
    address: &str,
    user: &str,
    password: &Secret,
) -> Result<(), SshError> {
    let offered = match outcome(handle.authenticate_none(user).await) {
        Outcome::In => return Ok(()),
        Outcome::No(Some(methods)) => methods,
        Outcome::No(None) => return Err(closed(handle, address, user).await),
    };
    if offered.contains(&MethodKind::Password) {
        return match outcome(handle.authenticate_password(user, password.expose()).await) {
            Outcome::In => Ok(()),
            Outcome::No(Some(_)) => Err(rejected(address, user)),
            Outcome::No(None) => Err(closed(handle, address, user).await),
        };
    }
    if offered.contains(&MethodKind::KeyboardInteractive) {
        return answer_questions(handle, address, user, password).await;
    }
    let names: Vec<&str> = offered.iter().map(Into::into).collect();
    Err(SshError::NoPasswordLogin {
        address: address.to_owned(),
        user: user.to_owned(),
        offered: names.join(", "),
    })
}

async fn answer_questions(
    handle: &mut Handle<Verifier>,
    address: &str,
    user: &str,
    password: &Secret,
) -> Result<(), SshError> {
    let mut password_given = false;
    let mut answer = handle.authenticate_keyboard_interactive_start(user, None).await;
    for _ in 0..MOST_QUESTIONS {
        let prompts = match answer {
            Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(()),
            Ok(KeyboardInteractiveAuthResponse::Failure { .. }) => return Err(rejected(address, user)),
            Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts,
            Err(_) => return Err(closed(handle, address, user).await),
        };
        if !prompts.is_empty() {
            if password_given {
                // Asked again: the first answer was wrong, or more is wanted than a password.
                return Err(rejected(address, user));
            }
            password_given = true;
        }
        // What is not echoed is the password; an echoed question is for the user name, if anything.
        let responses = prompts
            .iter()
            .map(|prompt| if prompt.echo { user } else { password.expose() }.to_owned())
            .collect();
        answer = handle.authenticate_keyboard_interactive_respond(responses).await;
    }
    Err(rejected(address, user))
}

/// The library reports a closed connection as a failure that leaves no methods. An honest refusal may
/// leave none either; then the library ends the session with an error of its own, see [`closed`].
fn outcome(answer: Result<AuthResult, russh::Error>) -> Outcome {
    match answer {
        Ok(AuthResult::Success) => Outcome::In,
        Ok(AuthResult::Failure { remaining_methods, .. }) if !remaining_methods.is_empty() => {
            Outcome::No(Some(remaining_methods))
        }
        Ok(AuthResult::Failure { .. }) | Err(_) => Outcome::No(None),
    }
}

async fn closed(handle: &mut Handle<Verifier>, address: &str, user: &str) -> SshError {
    match super::client::reason(handle).await {
        Some(russh::Error::NoAuthMethod) => rejected(address, user),
        source => SshError::ClosedAtLogin {
            address: address.to_owned(),
            user: user.to_owned(),
            source: source.map(Into::into),
        },
    }
}

fn rejected(address: &str, user: &str) -> SshError {
    SshError::Rejected {
        address: address.to_owned(),
        user: user.to_owned(),
    }
}
