//! Host keys that are always the same for the same device name, and always different for another.

use std::convert::Infallible;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, RsaKeypair};
use russh::keys::ssh_key::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};

/// Length of RSA keys, the least that careful clients take. Making one takes most of a second in an
/// unoptimised build.
const RSA_BITS: usize = 2048;

/// The modern key.
pub(super) fn ed25519(seed: &str) -> PrivateKey {
    let digest = Sha256::digest(format!("simulated ed25519 host key of {seed}"));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&digest);
    Ed25519Keypair::from_seed(&bytes).into()
}

/// The old key. Slow to make: asked for only where old algorithms are.
///
/// # Errors
///
/// The key library's own failure to find primes.
pub(super) fn rsa(seed: &str) -> Result<PrivateKey, russh::keys::ssh_key::Error> {
    let mut numbers = Repeatable {
        seed: format!("simulated rsa host key of {seed}"),
        block: 0,
        left: Vec::new(),
    };
    Ok(RsaKeypair::random(&mut numbers, RSA_BITS)?.into())
}

/// Numbers that follow from a seed. Good enough for keys that protect nothing.
struct Repeatable {
    seed: String,
    block: u64,
    left: Vec<u8>,
}

impl TryRng for Repeatable {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for byte in target {
            if self.left.is_empty() {
                self.left = Sha256::digest(format!("{} {}", self.seed, self.block)).to_vec();
                self.block += 1;
            }
            *byte = self.left.pop().unwrap_or_default();
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeatable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_key() {
        let key = |seed| ed25519(seed).public_key().to_openssh().unwrap();
        assert_eq!(key("maple-a"), key("maple-a"));
        assert_ne!(key("maple-a"), key("maple-b"));
        assert_eq!(
            rsa("maple-a").unwrap().public_key().to_openssh().unwrap(),
            rsa("maple-a").unwrap().public_key().to_openssh().unwrap()
        );
    }
}
