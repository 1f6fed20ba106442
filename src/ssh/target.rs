//! `[user@]host[:port]`, `[user@][v6]:port` and `ssh://…`: where somebody wants to go.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

impl Target {
    /// `None` where it is no such thing, or where the host is a name that nobody may dial
    /// (`-oProxyCommand=…`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("ssh://").map_or(text, |rest| rest.trim_end_matches('/'));
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, after) = bracketed.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        } else {
            match rest.split_once(':') {
                // More than one colon is an IPv6 address without a port.
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            }
        };
        let port = match port {
            Some(text) => Some(text.parse::<u16>().ok().filter(|p| *p > 0)?),
            None => None,
        };
        let user_is_safe = user.is_none_or(|u| {
            !u.is_empty() && !u.starts_with('-') && !u.chars().any(|c| c.is_control() || "'`\"$;&<>|(){}".contains(c))
        });
        (is_safe_host(host) && user_is_safe).then(|| Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
        })
    }
}

/// Whether a host name may be dialled or passed on at all: nothing that a shell, an option parser or a
/// terminal would take for something else.
pub fn is_safe_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('-')
        && !name.chars().any(|c| c.is_control() || c.is_whitespace() || "'`\"$\\;&<>|(){}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let target = |user: Option<&str>, host: &str, port| {
            Some(Target { user: user.map(str::to_owned), host: host.to_owned(), port })
        };
        assert_eq!(Target::parse("db1"), target(None, "db1", None));
        assert_eq!(Target::parse("ops@db1:2222"), target(Some("ops"), "db1", Some(2222)));
        assert_eq!(Target::parse("a@b@c"), target(Some("a@b"), "c", None));
        assert_eq!(Target::parse("[::1]:22"), target(None, "::1", Some(22)));
        assert_eq!(Target::parse("fe80::1"), target(None, "fe80::1", None));
        assert_eq!(Target::parse("ssh://ops@db1:22/"), target(Some("ops"), "db1", Some(22)));
    }

    #[test]
    fn what_a_shell_or_an_option_parser_would_act_on_is_no_target() {
        for bad in ["-oProxyCommand=x", "", "a b", "$(id)", "x;y", "db1:0", "db1:99999", "@db1", "-l@db1", "[::1]x"] {
            assert_eq!(Target::parse(bad), None, "{bad}");
        }
    }
}
