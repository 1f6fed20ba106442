//! A user of SNMPv3 as the configuration names it: protocols, and where the passwords are fetched from.

use std::sync::Arc;

use crate::base::options::{Node, Problem, Reader, SecretRef, Table, Value, nearest};
use crate::model::Host;
use crate::net::snmp::Login;
use crate::process::secret::Secrets;
use crate::proto::snmp::usm::{AuthProtocol, EngineId, Level, PrivProtocol};

/// The standard forbids shorter ones.
const SHORTEST_PASSWORD: usize = 8;

/// A user, its secrets by reference. The level follows from what is given.
#[derive(Clone, Debug)]
pub struct UserRef {
    pub name: Arc<str>,
    pub auth: Option<(AuthProtocol, SecretRef)>,
    pub privacy: Option<(PrivProtocol, SecretRef)>,
    pub context: Arc<str>,
    pub engine_id: Option<EngineId>,
}

impl UserRef {
    /// Reads the options of a host's table.
    pub(super) fn read(host: &Host, options: &mut Reader<'_>) -> Option<Self> {
        let context = options.string("context").unwrap_or_default();
        let engine_id = options.node("engine_id").map(|node| read_engine_id(node, options));
        let user = Self::read_login(&format!("the snmp table of {}", host.name), "user", options)?;
        Some(Self { context: context.into(), engine_id: engine_id.map_or(Some(None), |id| id.map(Some))?, ..user })
    }

    /// Reads a user's name (under `key`), `auth` and `priv`.
    pub fn read_login(what: &str, key: &'static str, options: &mut Reader<'_>) -> Option<Self> {
        let name = if let Some(node) = options.node(key) {
            options.string(key).filter(|name| check_name(name, node, options))
        } else {
            let problem = Problem::error(options.place(), format!("{what} has no `{key}`"));
            options.problem(problem.hint(format!("add `{key} = \"noctty\"`")));
            None
        };
        let auth = options.table("auth");
        let privacy = options.table("priv");
        let said = (options.node("auth").is_some(), options.node("priv").is_some());
        let auth = auth.and_then(|table| {
            protection(table, "auth", &AuthProtocol::ALL.map(AuthProtocol::name), AuthProtocol::parse, options)
        });
        let privacy = privacy.and_then(|table| {
            protection(table, "priv", &PrivProtocol::ALL.map(PrivProtocol::name), PrivProtocol::parse, options)
        });
        if let (false, Some(node)) = (said.0, options.node("priv")) {
            let problem =
                Problem::error(&node.place, "`priv` without `auth`: SNMPv3 encrypts only what it authenticates");
            options.problem(problem.hint("add `auth = { protocol = \"SHA-256\", password = { file = \"…\" } }`"));
            return None;
        }
        weak(auth.as_ref(), privacy.as_ref(), options);
        // What was said and is wrong must not turn into a lower level.
        if said.0 != auth.is_some() || said.1 != privacy.is_some() {
            return None;
        }
        Some(Self { name: name?.into(), auth, privacy, context: Arc::from(""), engine_id: None })
    }

    pub fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::NoAuthNoPriv,
            (Some(_), None) => Level::AuthNoPriv,
            (Some(_), Some(_)) => Level::AuthPriv,
        }
    }

    /// Fetches the passwords.
    ///
    /// # Errors
    /// In words, without the secrets.
    pub async fn login(&self, secrets: &Secrets) -> Result<Login, String> {
        let fetch = async |password: &SecretRef, which: &str| {
            let fetched = secrets.fetch(password).await;
            fetched.map_err(|e| format!("the {which} password of SNMPv3 user {}: {e}", self.name))
        };
        let auth = match &self.auth {
            Some((protocol, password)) => Some((*protocol, fetch(password, "authentication").await?)),
            None => None,
        };
        let privacy = match &self.privacy {
            Some((protocol, password)) => Some((*protocol, fetch(password, "privacy").await?)),
            None => None,
        };
        Ok(Login { name: self.name.clone(), auth, privacy })
    }

    /// The agent did not let it in.
    pub(super) fn doubt(&self, secrets: &Secrets) {
        for password in self.auth.iter().map(|(_, p)| p).chain(self.privacy.iter().map(|(_, p)| p)) {
            secrets.doubt(password);
        }
    }
}

fn check_name(name: &str, node: &Node, options: &mut Reader<'_>) -> bool {
    let fits = (1..=32).contains(&name.len());
    if !fits {
        options.problem(Problem::error(&node.place, "an SNMPv3 user name has 1 to 32 octets"));
    }
    fits
}

fn read_engine_id(node: &Node, options: &mut Reader<'_>) -> Option<EngineId> {
    let Value::String(text) = &node.value else {
        options
            .problem(Problem::error(&node.place, format!("`engine_id` must be a string, not {}", node.value.kind())));
        return None;
    };
    let id = EngineId::parse(text);
    if id.is_none() {
        let problem = Problem::error(&node.place, format!("\"{text}\" is no engine id"));
        options.problem(problem.hint("10 to 64 hexadecimal digits, as `show snmp engineID` prints them"));
    }
    id
}

/// Reads `{ protocol = …, password = … }`.
fn protection<P>(
    table: &Table,
    key: &str,
    names: &[&'static str],
    parse: fn(&str) -> Option<P>,
    options: &mut Reader<'_>,
) -> Option<(P, SecretRef)> {
    let what = format!("the `{key}` table");
    let mut reader = table.reader(&what);
    let protocol = reader.required_string("protocol").and_then(|name| {
        let protocol = parse(&name);
        if protocol.is_none() {
            let place = table.find("protocol").map_or(&table.place, |node| &node.place);
            let problem = Problem::error(place, format!("unknown {key} protocol \"{name}\""));
            let upper = name.to_ascii_uppercase();
            reader.problem(match nearest(&upper, names.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint(format!("known: {}", names.join(", "))),
            });
        }
        protocol
    });
    let said = reader.node("password");
    let mut password = reader.secret("password");
    if said.is_none() {
        reader.problem(
            Problem::error(&table.place, format!("{what} has no `password`"))
                .hint("add `password = { file = \"…\" }`, or `{ env = \"…\" }`"),
        );
    }
    if let (Some(SecretRef::Literal(literal)), Some(node)) = (&password, said)
        && literal.expose().len() < SHORTEST_PASSWORD
    {
        let problem = Problem::error(&node.place, "the password has fewer than 8 octets, which SNMPv3 forbids");
        reader.problem(problem);
        password = None;
    }
    for problem in reader.finish() {
        options.problem(problem);
    }
    Some((protocol?, password?))
}

/// What works, and should not be chosen where there is a choice.
fn weak(
    auth: Option<&(AuthProtocol, SecretRef)>,
    privacy: Option<&(PrivProtocol, SecretRef)>,
    options: &mut Reader<'_>,
) {
    let mut warn = |key: &'static str, message: &str, hint: &str| {
        if let Some(node) = options.node(key) {
            let problem = Problem::warning(&node.place, message);
            options.problem(problem.hint(hint));
        }
    };
    if auth.is_some_and(|(protocol, _)| protocol.is_weak()) {
        warn("auth", "SNMPv3 with MD5 is weak", "take SHA-256, or SHA, where the device has it");
    }
    if privacy.is_some_and(|(protocol, _)| protocol.is_weak()) {
        warn("priv", "SNMPv3 with DES can be read by anybody who cares to", "take AES-128 where the device has it");
    }
    let same = match (auth, privacy) {
        (Some((_, SecretRef::Env(a))), Some((_, SecretRef::Env(b)))) => a == b,
        (Some((_, SecretRef::File(a))), Some((_, SecretRef::File(b)))) => a == b,
        (Some((_, SecretRef::Command(a))), Some((_, SecretRef::Command(b)))) => a == b,
        (Some((_, SecretRef::Literal(a))), Some((_, SecretRef::Literal(b)))) => a.expose() == b.expose(),
        _ => false,
    };
    if same {
        warn("priv", "`auth` and `priv` share one password", "whoever learns one of them has both");
    }
}
