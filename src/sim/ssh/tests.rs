use super::*;

#[test]
fn a_key_pair_signs_what_its_public_half_believes() {
    use russh::keys::signature::{Signer as _, Verifier as _};
    let pair = identity::generate("test").expect("random bytes");
    let signature = pair.try_sign(b"text").expect("it signs");
    assert!(pair.public_key().key_data().verify(b"text", &signature).is_ok());
    let other = identity::generate("test").expect("random bytes");
    assert!(other.public_key().key_data().verify(b"text", &signature).is_err());
}
