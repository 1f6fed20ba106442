//! How to speak with one agent: the options of a host's `snmp` table, and from them a target with its secrets fetched.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{KIND, UserRef};
use crate::base::Secret;
use crate::base::options::{OptionDoc, Problem, Reader, SecretRef};
use crate::model::device::PoolLimits;
use crate::model::{Host, Wire};
use crate::net::snmp::{SnmpError, Target};
use crate::probe::Cx;
use crate::probe::turns::{Told, Turns};
use crate::probe::vitals::limits;
use crate::process::secret::Secrets;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Credentials, Oid, Plan, Security, Sink, Value, Version};

/// The options of `snmp = { … }`, for every probe that speaks it.
pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "version", form: "string", default: "2c", help: "\"1\", \"2c\" or \"3\"" },
    OptionDoc {
        name: "community",
        form: "secret",
        default: "",
        help: "versions 1 and 2c: by env, file or command; it is never guessed",
    },
    OptionDoc { name: "user", form: "string", default: "", help: "version 3: who asks" },
    OptionDoc {
        name: "auth",
        form: "table",
        default: "",
        help: "version 3: { protocol = \"SHA-256\", password = secret }; MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512",
    },
    OptionDoc {
        name: "priv",
        form: "table",
        default: "",
        help: "version 3: { protocol = \"AES-128\", password = secret }; DES, AES-128, AES-192, AES-256, and for Cisco AES-192-C, AES-256-C",
    },
    OptionDoc { name: "context", form: "string", default: "", help: "version 3: the context's name (`vlan-10`)" },
    OptionDoc {
        name: "engine_id",
        form: "string",
        default: "",
        help: "version 3: hexadecimal; without it the agent is asked, with it no other engine is believed",
    },
    OptionDoc { name: "port", form: "integer", default: "161", help: "the agent's UDP port" },
    OptionDoc { name: "timeout", form: "duration", default: "2s", help: "the longest wait of one try" },
    OptionDoc { name: "retries", form: "integer", default: "2", help: "further tries after the first" },
    OptionDoc {
        name: "max_repetitions",
        form: "integer",
        default: "25",
        help: "rows asked for at once at most; 1 asks with GETNEXT",
    },
    OptionDoc {
        name: "in_flight",
        form: "integer",
        default: "1",
        help: "requests that may be under way to the agent at a time, 1 to 8",
    },
    limits::OPTIONS[0],
    limits::OPTIONS[1],
    limits::OPTIONS[4],
    limits::OPTIONS[5],
    OptionDoc {
        name: "ignore",
        form: "array of strings",
        default: "",
        help: "pools of memory and storage that are never a problem; `*` stands for anything",
    },
];

/// Who the agent shall think we are.
#[derive(Clone, Debug)]
pub enum Identity {
    Community { version: Version, community: SecretRef },
    User(UserRef),
}

/// How to speak with one agent.
#[derive(Clone, Debug)]
pub struct Access {
    pub address: Arc<str>,
    pub port: u16,
    pub identity: Identity,
    pub timeout: Duration,
    pub retries: u32,
    pub max_repetitions: u16,
    /// Requests that may be out to it at a time.
    pub in_flight: u8,
    /// From where on what it says of memory and storage is a problem.
    pub pools: PoolLimits,
    /// What fetches the secrets; shared with other hosts.
    pub secrets: Arc<Secrets>,
    told: Arc<AtomicBool>,
    turns: Arc<Turns>,
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoTarget {
    /// Nothing is known of the agent: a name, a secret.
    #[error("{0}")]
    Ours(String),
    /// What came of an agent with several addresses.
    #[error(transparent)]
    Theirs(SnmpError),
}

/// For an answer of which only is asked that it comes.
#[derive(Debug)]
struct Knock;

impl Sink for Knock {
    fn scalar(&mut self, _: usize, _: Value<'_>) {}

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        false
    }
}

impl Access {
    /// With the usual patience.
    pub fn new(address: &str, port: u16, identity: Identity) -> Self {
        Self {
            address: Arc::from(address),
            port,
            identity,
            timeout: KIND.pace.timeout,
            retries: 2,
            max_repetitions: 25,
            in_flight: 1,
            pools: PoolLimits::default(),
            secrets: Arc::default(),
            told: Arc::default(),
            turns: Arc::default(),
        }
    }

    /// Reads the shared options; `None` where something that is needed is missing or wrong.
    pub fn read(host: &Host, options: &mut Reader<'_>) -> Option<Self> {
        let identity = read_identity(host, options);
        let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(161);
        let timeout = options.duration("timeout").unwrap_or(KIND.pace.timeout).max(Duration::from_millis(10));
        let retries = options.integer("retries", 0..=10).and_then(|n| u32::try_from(n).ok()).unwrap_or(2);
        let max_repetitions =
            options.integer("max_repetitions", 1..=50).and_then(|n| u16::try_from(n).ok()).unwrap_or(25);
        let in_flight = options.integer("in_flight", 1..=8).and_then(|n| u8::try_from(n).ok()).unwrap_or(1);
        let pools = limits::read_of_agent(options);
        Some(Self {
            timeout,
            retries,
            max_repetitions,
            in_flight,
            pools,
            ..Self::new(host.address.as_deref()?, port, identity?)
        })
    }

    /// Resolves the name, fetches the secrets, and of several addresses finds the one that answers; what is said of the others.
    ///
    /// # Errors
    /// In words, without the secrets.
    pub async fn target(&self, cx: &Cx) -> Result<(Target, Told), NoTarget> {
        let credentials = self.credentials(cx).await.map_err(NoTarget::Ours)?;
        let addresses = cx.addresses(&self.address, cx.timeout).await.map_err(|e| NoTarget::Ours(e.to_string()))?;
        let target = |address: IpAddr| Target {
            address: SocketAddr::new(address, self.port),
            version: self.version(),
            credentials: credentials.clone(),
            timeout: self.timeout,
            retries: self.retries,
            in_flight: self.in_flight,
        };
        let knock = |address, left| knock(cx, target(address), left);
        match self.turns.choose(cx, &addresses, self.timeout, self.patience(), knock).await {
            Ok((address, told)) => Ok((target(address), told)),
            Err(failed) => Err(NoTarget::Theirs(SnmpError::of(failed))),
        }
    }

    async fn credentials(&self, cx: &Cx) -> Result<Credentials, String> {
        Ok(match &self.identity {
            Identity::Community { community, .. } => {
                let community = self.secrets.fetch(community).await.map_err(|e| format!("the community: {e}"))?;
                Credentials::Community(Secret::new(community.expose().clone().into_bytes()))
            }
            Identity::User(user) => Credentials::User(Security {
                user: cx.net.snmp.user(user.login(&self.secrets).await?).await.map_err(|e| e.to_string())?,
                context: Arc::from(user.context.as_bytes()),
                engine_id: user.engine_id,
                pardon: self.told.swap(false, Ordering::Relaxed),
                trial: false,
            }),
        })
    }

    pub fn version(&self) -> Version {
        match self.identity {
            Identity::Community { version, .. } => version,
            Identity::User(_) => Version::V3,
        }
    }

    /// The agent did not let us in, or did not answer, which with a wrong community is the same.
    pub fn doubt(&self, error: &SnmpError) {
        if matches!(error, SnmpError::NoAnswer { .. }) {
            self.turns.forget();
        }
        match &self.identity {
            Identity::Community { community, .. } => self.secrets.doubt(community),
            Identity::User(user) => user.doubt(&self.secrets),
        }
    }

    /// The operator wants it tried, whatever was refused before.
    pub fn told(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    pub fn wire(&self, what: &str) -> Wire {
        let level = match &self.identity {
            Identity::Community { .. } => String::new(),
            Identity::User(user) => format!(" {}", user.level().as_str()),
        };
        let protocol = format!("SNMP {}{level} {what}", self.version().as_str());
        Wire { protocol: protocol.into(), destination: format!("{}:{}", self.address, self.port).into() }
    }

    /// As long as all tries of one request take, and then some; with version 3 a discovery comes before it.
    pub fn patience(&self) -> Duration {
        let exchanges = match self.identity {
            Identity::Community { .. } => 1,
            Identity::User(_) => 2,
        };
        self.timeout.saturating_mul((self.retries + 1) * exchanges) + Duration::from_millis(500)
    }
}

/// Whether somebody answers: one who refuses is there.
async fn knock(cx: &Cx, target: Target, left: Duration) -> Result<(), SnmpError> {
    // sysUpTime.0 (RFC 3418)
    let plan = Plan { scalars: vec![Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0])], ..Plan::default() };
    match tokio::time::timeout(left, cx.net.snmp.ask(&target, plan, Knock)).await {
        Ok(Ok(_) | Err(SnmpError::Refused { .. })) => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let Target { address, version, retries, .. } = target;
            Err(SnmpError::NoAnswer { from: vec![address], version, retries })
        }
    }
}

fn read_identity(host: &Host, options: &mut Reader<'_>) -> Option<Identity> {
    let version = match options.string("version").as_deref() {
        None | Some("2c" | "v2c" | "2") => Some(Version::V2c),
        Some("1" | "v1") => Some(Version::V1),
        Some("3" | "v3") => Some(Version::V3),
        Some(other) => {
            let place = options.node("version").map_or_else(|| options.place().clone(), |n| n.place.clone());
            let problem = Problem::error(&place, format!("SNMP version \"{other}\" is not spoken"));
            options.problem(problem.hint("write \"2c\", \"3\" or \"1\""));
            None
        }
    };
    if version == Some(Version::V3) {
        no_effect(options, &["community"], "version 3 knows users, not communities");
        return UserRef::read(host, options).map(Identity::User);
    }
    no_effect(
        options,
        &["user", "auth", "priv", "context", "engine_id"],
        "users are of version 3: add `version = \"3\"`",
    );
    let said = options.node("community").is_some();
    let community = options.secret("community");
    if !said {
        let place = options.place().clone();
        options.problem(
            Problem::error(&place, format!("the snmp table of {} has no `community`", host.name))
                .hint("add `community = { env = \"NOCTTY_COMMUNITY\" }`; none is ever guessed"),
        );
    }
    Some(Identity::Community { version: version?, community: community? })
}

/// What belongs to another version is a mistake, and perhaps a password that was meant to protect something.
fn no_effect(options: &mut Reader<'_>, keys: &[&'static str], why: &str) {
    for key in keys {
        if let Some(node) = options.node(key) {
            let problem = Problem::error(&node.place, format!("`{key}` has no effect here"));
            options.problem(problem.hint(why));
        }
    }
}
