use super::*;

const NOW: When = When::Now(jiff::Timestamp::UNIX_EPOCH);
const FINGERPRINT: &str = "F030B75C33270D24AFDF4E963E83B550CAE21228";

/// What gpgv 2.2.40 says.
fn status(word: &str, hash: u8) -> String {
    format!(
        "[GNUPG:] NEWSIG alice@example.org\n[GNUPG:] KEY_CONSIDERED {FINGERPRINT} 0\n\
         [GNUPG:] SIG_ID s15UJBFDqxB2XJjz 2026-11-28 1795849107\n\
         [GNUPG:] {word} 3E83B550CAE21228 Alice <alice@example.org>\n\
         [GNUPG:] VALIDSIG {FINGERPRINT} 2026-11-28 1795849107 0 4 0 22 {hash} 00 {FINGERPRINT}\n"
    )
}

#[test]
fn each_word_of_gpgv_has_its_meaning() {
    let signer = verdict(&status("GOODSIG", 8), NOW).unwrap();
    assert_eq!(
        (signer.name.as_str(), signer.key.as_str()),
        ("Alice <alice@example.org>", FINGERPRINT)
    );
    for (word, what) in [
        ("EXPKEYSIG", "whose key has expired"),
        ("EXPSIG", "whose signature has expired"),
        ("REVKEYSIG", "whose key was revoked"),
        ("BADSIG", "it was forged"),
    ] {
        let refusal = verdict(&status(word, 8), NOW).unwrap_err().to_string();
        assert!(refusal.contains(what), "{word}: {refusal}");
    }
    for word in ["EXPKEYSIG", "EXPSIG"] {
        assert!(verdict(&status(word, 8), When::Made).is_ok(), "{word}");
    }
    assert!(verdict(&status("REVKEYSIG", 8), When::Made).is_err());
}

#[test]
fn a_weak_hash_a_second_signature_and_silence_do_not_count() {
    let unreadable = |status: &str| matches!(verdict(status, NOW), Err(Refusal::Unreadable(_)));
    assert!(unreadable(&status("GOODSIG", 2)));
    assert!(unreadable(&format!("{}{}", status("GOODSIG", 8), status("BADSIG", 8))));
    assert!(unreadable("[GNUPG:] NODATA 4\n"));
    assert!(unreadable(""));
    assert_eq!(verdict("[GNUPG:] GOODSIG 3E83 Alice\n", NOW), Err(Refusal::Bad));
}

#[test]
fn an_unknown_key_is_named() {
    let said = format!(
        "[GNUPG:] ERRSIG 3E83B550CAE21228 22 8 00 1795849107 9 {FINGERPRINT}\n[GNUPG:] NO_PUBKEY 3E83B550CAE21228\n"
    );
    let key = FINGERPRINT.to_owned();
    assert_eq!(verdict(&said, NOW), Err(Refusal::UnknownKey { key }));
    let said = "[GNUPG:] ERRSIG 3E83B550CAE21228 22 8 00 1795849107 9 -\n";
    let key = "3E83B550CAE21228".to_owned();
    assert_eq!(verdict(said, NOW), Err(Refusal::UnknownKey { key }));
    let said = "[GNUPG:] ERRSIG 3E83B550CAE21228 99 8 00 1795849107 4 -\n";
    assert!(matches!(verdict(said, NOW), Err(Refusal::Unreadable(_))));
}

#[test]
fn keys_are_taken_with_armour_and_without_and_nothing_else_is() {
    let armoured = "a note\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nmDME\nAAAA\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let bytes = [0x98, 0x33, 0x04, 0, 0, 0];
    assert_eq!(binary(armoured.as_bytes()), Ok(bytes.to_vec()));
    assert_eq!(binary(armoured.replace('\n', "\r\n").as_bytes()), Ok(bytes.to_vec()));
    let two = armoured.repeat(2);
    assert_eq!(binary(two.as_bytes()), Ok(bytes.repeat(2)));
    assert_eq!(binary(&bytes), Ok(bytes.to_vec()));
    assert_eq!(binary(&[0xc6, 0x33]), Ok(vec![0xc6, 0x33]));
    for (text, what) in [
        (&b""[..], "is no OpenPGP public key"),
        (b"ssh-ed25519 AAAA", "is no OpenPGP public key"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "is a private key"),
        (&[0x95, 0x01], "is a private key"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n", "is damaged"),
        (
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n(!)\n-----END PGP PUBLIC KEY BLOCK-----\n",
            "is damaged",
        ),
    ] {
        let reason = binary(text).unwrap_err();
        assert!(reason.contains(what), "{}: {reason}", String::from_utf8_lossy(text));
    }
}
