//! Whether a webhook comes from who it says: by its signature, in constant time.
//!
//! What it says is not acted on. It only makes the daemon look at the repository at once.

use crate::domain::Secret;
use crate::forge::seal::{code, is_code};

/// Headers of a webhook: GitHub's, Gitea's and Forgejo's signature, and GitLab's token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proof<'a> {
    /// `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the body.
    pub(super) signature: Option<&'a str>,
    /// `X-Gitea-Signature: <hex>`, the same without the word before it.
    pub(super) gitea: Option<&'a str>,
    /// `X-Gitlab-Token: <the secret>`.
    pub(super) gitlab: Option<&'a str>,
}

/// Whether one of the proofs holds.
pub(super) fn is_genuine(proof: Proof<'_>, body: &[u8], secret: &Secret) -> bool {
    if secret.is_empty() {
        // Anybody could sign with nothing.
        return false;
    }
    let prefixed = proof.signature.and_then(|value| value.strip_prefix("sha256="));
    if let Some(hex) = prefixed.or(proof.gitea) {
        return is_code(secret, body, hex);
    }
    proof.gitlab.is_some_and(|token| is_same(token, secret))
}

/// Whether somebody has said a secret. Of nothing nobody has.
pub(super) fn is_same(said: &str, secret: &Secret) -> bool {
    if secret.is_empty() {
        return false;
    }
    // A comparison byte by byte would tell by its time how much of a guess is right; two codes tell nothing.
    is_code(secret, said.as_bytes(), &code(secret, secret.expose().as_bytes()))
}

/// The signature of a body, in hex, as [`Proof::gitea`] has it.
pub(super) fn signature(secret: &Secret, body: &[u8]) -> String {
    code(secret, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From GitHub's documentation of webhooks: secret, body and signature.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const CODE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn holds(proof: Proof<'_>, body: &[u8]) -> bool {
        is_genuine(proof, body, &Secret::new(SECRET))
    }

    #[test]
    fn the_signatures_of_each_forge_are_taken() {
        let signature = format!("sha256={CODE}");
        let github = Proof {
            signature: Some(&signature),
            ..Proof::default()
        };
        assert!(holds(github, BODY));
        assert!(!holds(github, b"Hello, World?"));
        let gitea = Proof {
            gitea: Some(CODE),
            ..Proof::default()
        };
        assert!(holds(gitea, BODY));
        let gitlab = |token| Proof {
            gitlab: Some(token),
            ..Proof::default()
        };
        assert!(holds(gitlab(SECRET), BODY));
        assert!(!holds(gitlab("it's a secret to everybody"), BODY));
    }

    #[test]
    fn what_is_signed_here_is_genuine() {
        assert_eq!(signature(&Secret::new(SECRET), BODY), CODE);
    }

    #[test]
    fn nothing_else_is() {
        for signature in ["", "sha256=", "sha1=abc", "sha256=zz", "sha256=7", CODE] {
            let proof = Proof {
                signature: Some(signature),
                ..Proof::default()
            };
            assert!(!holds(proof, BODY), "{signature:?}");
        }
        assert!(!holds(Proof::default(), BODY));
        let anybody = Proof {
            gitlab: Some(""),
            ..Proof::default()
        };
        assert!(!is_genuine(anybody, BODY, &Secret::default()));
    }
}
