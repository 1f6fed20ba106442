//! Hosts: everything that has an address and is looked at, switches and routers included.

use std::fmt;
use std::sync::Arc;

use super::port_rules::PortRules;

/// The key of an inventory object: its `id`, by default its name. History, acknowledgements and
/// notes follow it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssetId(Arc<str>);

impl AssetId {
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(Arc::from(id.as_ref()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Arc<str>> for AssetId {
    fn from(id: Arc<str>) -> Self {
        Self(id)
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetId({})", crate::base::text::clean(&self.0))
    }
}

/// Where the inventory has an object from; shown, so that nobody wonders why something is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The configuration file.
    Config,
    /// The machine that noctty runs on.
    Local,
    /// The default route.
    Gateway,
    /// `/etc/resolv.conf`.
    Resolver,
    /// `~/.ssh/config`.
    SshConfig,
    /// `RESTIC_REPOSITORY`, `BORG_REPO` and their like.
    Environment,
    /// Named on the command line or in the palette, not in the inventory.
    OneOff,
}

impl Origin {
    pub fn label(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Local => "this machine",
            Self::Gateway => "default gateway",
            Self::Resolver => "resolver",
            Self::SshConfig => "ssh config",
            Self::Environment => "environment",
            Self::OneOff => "one-off",
        }
    }
}

/// By what it is known that one host hangs on another, where nobody has configured it; the surer, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Inference {
    /// The routing table of this machine.
    Gateway,
    /// A switch that names it as its neighbor (LLDP, CDP).
    Neighbor,
    /// `ssh_config`.
    ProxyJump,
}

impl Inference {
    /// As the end of a sentence about `parent`.
    pub fn words(self, parent: &str) -> String {
        match self {
            Self::Gateway => format!("inferred: {parent} is its gateway"),
            Self::Neighbor => format!("inferred: {parent} names it as its neighbor"),
            Self::ProxyJump => format!("inferred from ProxyJump: it is reached through {parent}"),
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Gateway => "the routing table",
            Self::Neighbor => "LLDP or CDP",
            Self::ProxyJump => "ProxyJump",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    pub id: AssetId,
    /// As shown; already cleaned text from the user's own files.
    pub name: Arc<str>,
    /// A name or an IP address without port. `None` only where nothing is dialled (this machine).
    pub address: Option<Arc<str>>,
    pub tags: Vec<Arc<str>>,
    pub group: Option<Arc<str>>,
    /// Where it stands, in one word.
    pub site: Option<Arc<str>>,
    /// What this host hangs on: it is UNREACHABLE, not DOWN, when all of one redundancy group are down.
    pub parents: Vec<AssetId>,
    /// How many of the parents, in a row, are redundant to each other, group after group; empty where all of them are one.
    pub redundancy: Vec<usize>,
    pub origin: Origin,
    /// The alias to give to SSH where it differs from the address (`Host` in `ssh_config`).
    pub ssh_alias: Option<Arc<str>>,
    /// Why nothing is polled, in words ("behind jump1, not probed").
    pub not_probed: Option<Arc<str>>,
    /// What to do when something is wrong with it: a link, or the path of a file.
    pub runbook: Option<Arc<str>>,
    /// Which of its ports matter how much.
    pub ports: Arc<PortRules>,
}

impl Host {
    /// A host with nothing but a name, an address and an origin.
    pub fn new(name: &str, address: Option<&str>, origin: Origin) -> Self {
        Self {
            id: AssetId::new(name),
            name: Arc::from(name),
            address: address.map(Arc::from),
            tags: Vec::new(),
            group: None,
            site: None,
            parents: Vec::new(),
            redundancy: Vec::new(),
            origin,
            ssh_alias: None,
            not_probed: None,
            runbook: None,
            ports: PortRules::none(),
        }
    }

    /// The parents by redundancy group: of each group one has to answer.
    pub fn parent_groups(&self) -> impl Iterator<Item = &[AssetId]> {
        redundancy_groups(&self.parents, &self.redundancy)
    }

    /// Leaves out parents that do not exist.
    pub fn retain_parents(&mut self, keep: impl Fn(&AssetId) -> bool) {
        let kept = |group: &[AssetId]| group.iter().filter(|parent| keep(parent)).count();
        let sizes: Vec<usize> = self.parent_groups().map(kept).filter(|size| *size > 0).collect();
        self.redundancy = if sizes.len() > 1 { sizes } else { Vec::new() };
        self.parents.retain(keep);
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| &**t == tag)
    }
}

/// The parts of a list whose sizes are given in their order; what is left behind the last size is one more.
pub fn redundancy_groups<'a, T>(parents: &'a [T], sizes: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let mut rest = parents;
    let mut sizes = sizes.iter();
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(rest.len(), |size| (*size).min(rest.len()));
        let (group, more) = rest.split_at(size);
        rest = more;
        (!group.is_empty()).then_some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_one_group_unless_they_are_told_apart() {
        let mut host = Host::new("a", None, Origin::Config);
        let groups = |host: &Host| -> Vec<usize> { host.parent_groups().map(<[AssetId]>::len).collect() };
        assert!(groups(&host).is_empty());
        host.parents = ["edge", "core-a", "core-b", "pdu"].map(AssetId::new).to_vec();
        assert_eq!(groups(&host), [4]);
        host.redundancy = vec![1, 2, 1];
        assert_eq!(groups(&host), [1, 2, 1]);
        host.retain_parents(|parent| !["edge", "core-b"].contains(&parent.as_str()));
        assert_eq!((groups(&host), host.parents.len()), (vec![1, 1], 2));
        host.retain_parents(|parent| parent.as_str() == "pdu");
        assert_eq!((groups(&host), host.redundancy.len()), (vec![1], 0));
    }
}
