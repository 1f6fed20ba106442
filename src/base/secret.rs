//! `Secret<T>`: something that unlocks something. Its `Debug` prints nothing of it, it has no
//! `Display`, no serialisation and no equality, and it is wiped when dropped.

use std::fmt;

use zeroize::Zeroize;

/// A value that must never be shown, logged, stored or compared by accident.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every call is a place where it can leak: keep them few.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_does_not_contain_the_value() {
        let secret = Secret::new("canary-7f3a".to_owned());
        assert!(!format!("{secret:?}").contains("canary"));
        assert_eq!(secret.expose(), "canary-7f3a");
    }
}
