//! `[ui] mouse`.

use crate::base::options::Reader;

/// Whether the console takes the mouse, and with it the terminal's own way of marking text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseChoice {
    /// Where the terminal stands on this machine.
    #[default]
    Auto,
    On,
    Off,
}

impl MouseChoice {
    const WORDS: [(Self, &'static str); 3] = [(Self::Auto, "auto"), (Self::On, "on"), (Self::Off, "off")];

    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        r.one_of("mouse", &Self::WORDS).unwrap_or_default()
    }

    /// `var` reads the environment: what sshd sets there says that the terminal stands elsewhere.
    pub fn is_on(self, var: impl Fn(&str) -> Option<String>) -> bool {
        let far =
            ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| var(name).is_some_and(|v| !v.is_empty()));
        self == Self::On || self == Self::Auto && !far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_ssh_the_mouse_stays_the_terminals_unless_it_is_asked_for() {
        let near = |_: &str| None;
        let far = |name: &str| (name == "SSH_CONNECTION").then(|| "192.0.2.7 50022 192.0.2.1 22".to_owned());
        assert!(MouseChoice::Auto.is_on(near) && !MouseChoice::Auto.is_on(far));
        assert!(MouseChoice::On.is_on(far) && !MouseChoice::Off.is_on(near));
    }
}
