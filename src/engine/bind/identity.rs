//! What tells a check from others of its kind on one host: what its owner calls it, and which of the host's addresses it
//! asks. Both become part of its name, which history and acknowledgements follow.

use crate::base::options::{Problem, Reader};
use crate::model::{Host, Wire};
use crate::probe::Kind;
use crate::proto::icmp::Family;

/// Kinds of which a host has one, known by its name alone.
const ONLY_ONE: [&str; 3] = ["snmp", "ports", "local"];
/// Kinds that find their way to the host by themselves, or to none.
const OWN_WAY: [&str; 4] = ["linux", "windows", "local", "plugin"];
/// Characters of a label.
const LONGEST: usize = 64;

#[derive(Debug, Default)]
pub struct Identity {
    pub label: Option<String>,
    pub family: Option<Family>,
}

impl Identity {
    /// Reads `label` and `family`.
    pub fn read(reader: &mut Reader<'_>, kind: &Kind, host: &Host) -> Self {
        let label = reader.string("label").filter(|label| is_label(label, reader, kind));
        let family = reader.one_of("family", &[(Family::V4, "ipv4"), (Family::V6, "ipv6")]);
        let family = family.filter(|family| is_possible(*family, reader, kind, host));
        Self { label, family }
    }

    /// What goes over the wire, with the family where it is one only.
    pub fn wire(&self, wire: Wire) -> Wire {
        match self.family {
            None => wire,
            Some(family) => Wire { protocol: format!("{} by {}", wire.protocol, family.name()).into(), ..wire },
        }
    }

    /// The name of a check of this kind that calls itself `instance`.
    pub fn name(&self, kind: &str, instance: String) -> String {
        let family = self.family.map(|family| family.name().to_lowercase());
        let parts = match &self.label {
            Some(label) => vec![label.clone()],
            None => [Some(instance), family].into_iter().flatten().filter(|part| !part.is_empty()).collect(),
        };
        if parts.is_empty() { kind.to_owned() } else { format!("{kind}:{}", parts.join(" ")) }
    }
}

fn is_label(label: &str, reader: &mut Reader<'_>, kind: &Kind) -> bool {
    let place = reader.place_of("label");
    if ONLY_ONE.contains(&kind.name) {
        let words = format!("{}: a host has one, which needs no `label`", reader.what());
        reader.problem(Problem::error(&place, words));
        return false;
    }
    let fits = !label.trim().is_empty() && label.chars().count() <= LONGEST && !label.chars().any(char::is_control);
    if !fits {
        let words = format!("{}: a `label` is 1 to {LONGEST} characters on one line", reader.what());
        reader.problem(Problem::error(&place, words));
    }
    fits
}

fn is_possible(family: Family, reader: &mut Reader<'_>, kind: &Kind, host: &Host) -> bool {
    let place = reader.place_of("family");
    if OWN_WAY.contains(&kind.name) {
        let words = format!("{} does not choose an address: no `family`", reader.what());
        reader.problem(Problem::error(&place, words));
        return false;
    }
    let literal = host.address.as_deref().and_then(|address| address.parse().ok()).map(Family::of);
    if let Some(literal) = literal.filter(|literal| *literal != family) {
        let words = format!("{}: the host's address is of {}, not of {}", reader.what(), literal.name(), family.name());
        let hint = "`family` chooses among the addresses of a name: give the host a name as its `address`";
        reader.problem(Problem::error(&place, words).hint(hint));
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::base::options::Problem;
    use crate::config::load;
    use crate::engine::bind::bind;

    fn names(address: &str, checks: &str) -> Result<Vec<String>, String> {
        let text = format!("[[host]]\nname = \"a\"\naddress = \"{address}\"\nchecks = [{checks}]\n");
        let config = load::parse("noctty.toml", text).expect("it is TOML");
        let (plan, _) = bind(&config).map_err(|all| all.iter().map(Problem::brief).collect::<String>())?;
        Ok(plan.checks.iter().map(|bound| bound.spec.key.name.to_string()).collect())
    }

    #[test]
    fn checks_of_one_kind_are_told_apart_by_what_they_ask_or_are_called() {
        let checks = "'icmp', { kind = 'icmp', family = 'ipv6' }, { kind = 'tcp', port = 25, family = 'ipv4' }, \
            { kind = 'ssh' }, { kind = 'ssh', port = 2222 }, \
            { kind = 'dns', name = 'lab.test' }, { kind = 'dns', name = 'lab.test', type = 'mx' }, \
            { kind = 'http', contains = 'a', label = 'shop' }, { kind = 'plugin', command = ['sh'] }, \
            { kind = 'plugin', command = ['sh'], label = 'queue' }";
        let all = names("host.lab.test", checks).expect("valid");
        let wanted = [
            "icmp",
            "icmp:ipv6",
            "tcp:25 ipv4",
            "ssh",
            "ssh:2222",
            "dns:lab.test",
            "dns:lab.test MX",
            "http:shop",
            "plugin:sh",
            "plugin:queue",
        ];
        assert_eq!(all, wanted);
    }

    #[test]
    fn what_cannot_be_is_said_with_its_place() {
        for (address, checks, want) in [
            ("h", "'icmp', 'icmp'", "4:19: a has the check \"icmp\" twice; tell them apart: label = \"…\""),
            ("h", "{ kind = 'icmp', family = 'v6' }", "the icmp check of a `family` knows no \"v6\""),
            ("192.0.2.1", "{ kind = 'icmp', family = 'ipv6' }", "the host's address is of IPv4, not of IPv6"),
            ("h", "{ kind = 'linux', family = 'ipv6' }", "the linux check of a does not choose an address"),
            ("h", "{ kind = 'icmp', label = '' }", "a `label` is 1 to 64 characters on one line"),
            ("h", "{ kind = 'local', label = 'x' }", "a host has one, which needs no `label`"),
        ] {
            let all = names(address, checks).expect_err("it is wrong");
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
        assert!(names("192.0.2.1", "{ kind = 'icmp', family = 'ipv4' }").is_ok());
    }
}
