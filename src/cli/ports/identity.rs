//! Who asks, from the command line and the environment: a community, or a user of SNMPv3. Passwords come by file or by
//! environment and never in argv, which every user of the machine can read.

use std::path::PathBuf;
use std::sync::Arc;

use color_eyre::eyre::{Result, bail, eyre};

use crate::base::Secret;
use crate::base::options::SecretRef;
use crate::cli::complain;
use crate::probe::snmp::{Identity, UserRef};
use crate::proto::snmp::Version;
use crate::proto::snmp::usm::{AuthProtocol, PrivProtocol};

/// The environment's community, for what is not in the configuration.
const COMMUNITY: &str = "NOCTTY_COMMUNITY";
/// And its passwords, where no file is named.
const AUTH_PASSWORD: &str = "NOCTTY_V3_AUTH_PASSWORD";
const PRIV_PASSWORD: &str = "NOCTTY_V3_PRIV_PASSWORD";

#[derive(Debug, clap::Args)]
pub struct IdentityArgs {
    /// The SNMP community; every user of this machine can see it here: better set NOCTTY_COMMUNITY
    #[arg(long, value_name = "COMMUNITY", conflicts_with = "v3_user")]
    community: Option<String>,
    /// Ask with SNMP version 1, for devices that know no other
    #[arg(long, conflicts_with = "v3_user")]
    v1: bool,
    /// Ask with SNMPv3, as this user
    #[arg(long, value_name = "USER")]
    v3_user: Option<String>,
    /// The user's authentication protocol: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512
    #[arg(long, value_name = "PROTO", requires = "v3_user", value_parser = auth_protocol)]
    v3_auth: Option<AuthProtocol>,
    /// A file whose first line is the authentication password; else NOCTTY_V3_AUTH_PASSWORD
    #[arg(long, value_name = "FILE", requires = "v3_auth")]
    v3_auth_file: Option<PathBuf>,
    /// The user's privacy protocol: DES, AES-128, AES-192, AES-256, or AES-192-C, AES-256-C as Cisco has it
    #[arg(long, value_name = "PROTO", requires = "v3_auth", value_parser = priv_protocol)]
    v3_priv: Option<PrivProtocol>,
    /// A file whose first line is the privacy password; else NOCTTY_V3_PRIV_PASSWORD
    #[arg(long, value_name = "FILE", requires = "v3_priv")]
    v3_priv_file: Option<PathBuf>,
    /// The SNMPv3 context, such as vlan-10
    #[arg(long, value_name = "CONTEXT", requires = "v3_user")]
    v3_context: Option<String>,
}

impl IdentityArgs {
    /// Of a community.
    pub fn version(&self) -> Version {
        if self.v1 { Version::V1 } else { Version::V2c }
    }

    /// What the configuration says, asked with version 1 where the command line wants it.
    pub fn applied_to(&self, known: Identity) -> Result<Identity> {
        match known {
            Identity::Community { community, .. } if self.v1 => {
                Ok(Identity::Community { version: Version::V1, community })
            }
            Identity::User(user) if self.v1 => {
                bail!("--v1: version 1 knows communities, and the configuration names the SNMPv3 user {}", user.name)
            }
            known => Ok(known),
        }
    }

    /// What the command line says; `None` where it says nothing.
    pub fn given(&self) -> Result<Option<Identity>> {
        if let Some(community) = &self.community {
            complain("warning: --community can be seen by every user of this machine; set NOCTTY_COMMUNITY");
            let community = SecretRef::Literal(Secret::new(community.clone()));
            return Ok(Some(Identity::Community { version: self.version(), community }));
        }
        let Some(name) = &self.v3_user else { return Ok(None) };
        if name.is_empty() || name.len() > 32 {
            bail!("--v3-user: a user name has 1 to 32 octets");
        }
        let auth = match self.v3_auth {
            Some(protocol) => Some((protocol, password(self.v3_auth_file.as_ref(), "--v3-auth", AUTH_PASSWORD)?)),
            None => None,
        };
        let privacy = match self.v3_priv {
            Some(protocol) => Some((protocol, password(self.v3_priv_file.as_ref(), "--v3-priv", PRIV_PASSWORD)?)),
            None => None,
        };
        Ok(Some(Identity::User(UserRef {
            name: Arc::from(name.as_str()),
            auth,
            privacy,
            context: Arc::from(self.v3_context.as_deref().unwrap_or_default()),
            engine_id: None,
        })))
    }
}

/// The community of the environment, for a device of which nothing else is known.
pub fn from_environment(device: &str, version: Version) -> Result<Identity> {
    if std::env::var_os(COMMUNITY).is_some() {
        return Ok(Identity::Community { version, community: SecretRef::Env(COMMUNITY.to_owned()) });
    }
    bail!(
        "{device}: no SNMP community is known and none is guessed: set {COMMUNITY}, name a user with --v3-user, or give the host an `snmp` table in the configuration"
    )
}

fn password(file: Option<&PathBuf>, option: &str, variable: &str) -> Result<SecretRef> {
    match file {
        Some(path) => Ok(SecretRef::File(path.clone())),
        None if std::env::var_os(variable).is_some() => Ok(SecretRef::Env(variable.to_owned())),
        None => Err(eyre!("{option} needs a password: name a file with {option}-file, or set {variable}")),
    }
}

fn auth_protocol(text: &str) -> Result<AuthProtocol, String> {
    AuthProtocol::parse(text).ok_or_else(|| AuthProtocol::ALL.map(AuthProtocol::name).join(", "))
}

fn priv_protocol(text: &str) -> Result<PrivProtocol, String> {
    PrivProtocol::parse(text).ok_or_else(|| PrivProtocol::ALL.map(PrivProtocol::name).join(", "))
}
