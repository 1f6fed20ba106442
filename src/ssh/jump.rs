//! The chain of hosts to go through. As in OpenSSH, only the first of a `ProxyJump` list is reached by its own
//! `ProxyJump`; a host whose `ProxyJump` is itself is reached directly.

use super::config::{HostSettings, Proxy, SshConfig};
use super::error::SshError;
use super::target::Target;
use crate::base::text::clean;

/// More hops than this are a mistake.
const HOPS: usize = 8;

/// The target last; what is dialled by TCP first.
pub(super) fn chain(config: &SshConfig, target: &Target) -> Result<Vec<HostSettings>, SshError> {
    let mut chain = Vec::new();
    let mut next = Some((target.clone(), true));
    while let Some((target, own_proxy)) = next.take() {
        let settings = config.resolve_with(&target.host, target.user.as_deref(), target.port);
        if chain.len() >= HOPS || !super::target::is_safe_host(&settings.host_name) {
            return Err(SshError::JumpLoop { hop: clean(&target.host) });
        }
        let hops: Vec<Target> = match &settings.proxy {
            Proxy::Jump(hops) if own_proxy => hops.iter().filter_map(|hop| Target::parse(hop)).collect(),
            Proxy::Command(_) if own_proxy => return Err(SshError::ProxyCommand { hop: clean(&target.host) }),
            Proxy::Direct | Proxy::Jump(_) | Proxy::Command(_) => Vec::new(),
        };
        let is_itself = |hop: &Target| {
            let jump = config.resolve_with(&hop.host, hop.user.as_deref(), hop.port);
            (jump.host_name, jump.port) == (settings.host_name.clone(), settings.port)
        };
        let hops = if hops.iter().any(is_itself) { Vec::new() } else { hops };
        chain.push(settings);
        // From the target backwards; the first of the list may have a jump of its own.
        let mut hops = hops.into_iter();
        let first = hops.next();
        for hop in hops.rev() {
            chain.push(config.resolve_with(&hop.host, hop.user.as_deref(), hop.port));
        }
        next = first.map(|hop| (hop, true));
    }
    chain.reverse();
    Ok(chain)
}

/// The hop as the operator calls it: the alias, with the port where it is not the usual one.
pub(super) fn label(hop: &HostSettings) -> String {
    let alias = clean(&hop.alias);
    match (hop.port, alias.contains(':')) {
        (22, _) => alias,
        (port, false) => format!("{alias}:{port}"),
        (port, true) => format!("[{alias}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::config::Surroundings;

    fn chained(text: &str, target: &str) -> Result<Vec<String>, SshError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        let config = SshConfig::from_file(&file, Surroundings::with_home(folder.path()));
        let chain = chain(&config, &Target::parse(target).unwrap())?;
        Ok(chain.iter().map(|hop| format!("{}@{}", hop.user, label(hop))).collect())
    }

    #[test]
    fn a_list_is_gone_through_in_order_and_its_first_host_may_jump_too() {
        let text = "Host db\n User d\n ProxyJump b,x@c:2200\nHost b\n User bb\n ProxyJump a\nHost c\n ProxyJump never\n\
            Host a\n User aa\n";
        assert_eq!(chained(text, "db").unwrap(), ["aa@a", "bb@b", "x@c:2200", "d@db"]);
        assert_eq!(chained(text, "me@b:2222").unwrap(), ["aa@a", "me@b:2222"]);
    }

    #[test]
    fn a_host_that_jumps_through_itself_is_reached_directly_and_a_loop_is_an_error() {
        assert_eq!(chained("Host *\n User u\n ProxyJump jump\n", "db").unwrap(), ["u@jump", "u@db"]);
        let circle = "Host a\n ProxyJump b\nHost b\n ProxyJump a\n";
        assert!(matches!(chained(circle, "a"), Err(SshError::JumpLoop { .. })));
    }

    #[test]
    fn a_proxy_command_is_refused_in_words_and_the_systems_ssh_offered() {
        let error = chained("Host a\n ProxyCommand nc %h %p\n", "a").unwrap_err();
        assert!(error.offers_system_ssh() && error.to_string().contains(":ssh!"), "{error}");
    }
}
