//! Which algorithms we offer.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, kex, mac};

use super::HostKey;

const MODERN_KEX: [kex::Name; 11] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G18_SHA512,
    kex::DH_G16_SHA512,
    kex::DH_G15_SHA512,
    kex::DH_G14_SHA256,
];

/// Sister products of the GAM speak nothing newer than these. Which of them a GAM needs is not known: it
/// was reached by a client that offers all of them and the modern ones.
const LEGACY_KEX: [kex::Name; 3] = [kex::DH_G14_SHA1, kex::DH_GEX_SHA1, kex::DH_G1_SHA1];

/// Markers, not algorithms; they go last.
const KEX_EXTENSIONS: [kex::Name; 2] = [
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const LEGACY_CIPHERS: [cipher::Name; 4] = [
    cipher::AES_256_CBC,
    cipher::AES_192_CBC,
    cipher::AES_128_CBC,
    cipher::TRIPLE_DES_CBC,
];

const LEGACY_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

/// What to offer, best first.
///
/// With a pinned key its own algorithm comes first: a server with keys of several kinds would otherwise
/// show another one as soon as either side changed its preferences, and that would look like a changed key.
pub(super) fn preferred(legacy: bool, pinned: Option<&HostKey>) -> Preferred {
    let modern = Preferred::DEFAULT;
    let mut kex = MODERN_KEX.to_vec();
    let mut cipher = modern.cipher.to_vec();
    let mut mac = modern.mac.to_vec();
    let mut key = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP521,
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        },
    ];
    if legacy {
        kex.extend(LEGACY_KEX);
        cipher.extend(LEGACY_CIPHERS);
        mac.extend(LEGACY_MACS);
        key.push(Algorithm::Rsa { hash: None });
    }
    kex.extend(KEX_EXTENSIONS);
    if let Some(pinned) = pinned.map(HostKey::algorithm) {
        // RSA is one kind of key, whatever hash signs with it. The sort is stable: the rest keeps its order.
        let same_kind = |algorithm: &Algorithm| match algorithm {
            Algorithm::Rsa { .. } => matches!(pinned, Algorithm::Rsa { .. }),
            other => *other == pinned,
        };
        key.sort_by_key(|algorithm| !same_kind(algorithm));
    }
    Preferred {
        kex: Cow::Owned(kex),
        key: Cow::Owned(key),
        cipher: Cow::Owned(cipher),
        mac: Cow::Owned(mac),
        ..modern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_with_sha1_or_cbc_is_offered_unless_asked() {
        let names = |offer: &Preferred| {
            let kex = offer.kex.iter().map(AsRef::<str>::as_ref);
            let cipher = offer.cipher.iter().map(AsRef::<str>::as_ref);
            let mac = offer.mac.iter().map(AsRef::<str>::as_ref);
            let mut all: Vec<String> = kex.chain(cipher).chain(mac).map(str::to_owned).collect();
            all.extend(offer.key.iter().map(ToString::to_string));
            all
        };
        let old = |name: &String| name.contains("sha1") || name.contains("cbc") || name == "ssh-rsa";
        assert_eq!(
            names(&preferred(false, None)).iter().filter(|name| old(name)).count(),
            0
        );
        let legacy = names(&preferred(true, None));
        for name in [
            "diffie-hellman-group14-sha1",
            "diffie-hellman-group1-sha1",
            "aes128-cbc",
            "3des-cbc",
            "hmac-sha1",
            "ssh-rsa",
        ] {
            assert!(legacy.iter().any(|offered| offered == name), "{name} is not offered");
        }
        // Old ones come behind every modern one of their kind.
        assert_eq!(legacy.first().map(String::as_str), Some("mlkem768x25519-sha256"));
    }

    #[test]
    fn the_kind_of_the_pinned_key_is_asked_for_first() {
        let rsa: HostKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDjTfph0QZU+v3K48rRGl3TX65CzNW/VndcKmqE+5DhNvyDsm49htfPXZwBXSdaMGcvLvwXPZZn+PrcehJ1HuEMAv7MBUdoNs0MNLhh71qQNLvrp9PoFcy+UUhRKyIDtbaMLq1dmZvVpoDpUMViYPSKTYZhhtpcVNV/r/KAsS32ZQ=="
            .parse()
            .unwrap();
        let offer = preferred(false, Some(&rsa));
        assert!(
            offer.key[..2].iter().all(|key| matches!(key, Algorithm::Rsa { .. })) && offer.key[2] == Algorithm::Ed25519
        );
        assert_eq!(offer.key.len(), preferred(false, None).key.len());
    }
}
