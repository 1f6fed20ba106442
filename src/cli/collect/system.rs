//! `noctty collect --system`: one engine for the users of this machine. Who may reach its socket is the folder's and the
//! socket's group; who somebody is, is the kernel's word (`SO_PEERCRED`) and the system's user database; what they may do are
//! the `[roles]` of the configuration. Nothing that a console says of itself counts for that.

use std::ffi::CString;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use color_eyre::eyre::{Result, bail, eyre};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::roles::{Account, Roles};
use crate::attach::{self, Admit, Doors, Guest, Peer, Seat, Taken};
use crate::base::options::Problem;
use crate::base::{Clock, Untrusted, text};
use crate::bus::Door;
use crate::cli::keeper::process_words;
use crate::cli::{Globals, complain, run_dir, shown};
use crate::config::roles::Member;
use crate::config::{RoleOptions, load};
use crate::model::Role;
use crate::state::Snapshot;

const STATE: &str = "/var/lib/noctty";
const CONFIGURATION: &str = "/etc/noctty/noctty.toml";
/// Longer names are no names.
const LONGEST_NAME: usize = 64;

/// What the command line says, with the places of a service for what it does not.
pub fn globals(globals: &Globals) -> Globals {
    Globals {
        state: Some(globals.state.clone().unwrap_or_else(|| STATE.into())),
        config: Some(globals.config.clone().unwrap_or_else(|| CONFIGURATION.into())),
        ..globals.clone()
    }
}

/// The lists that are in force.
type Standing = Arc<RwLock<Arc<Roles>>>;

/// The right to serve a machine from a folder, as long as it is held.
#[derive(Debug)]
pub struct Office {
    socket: PathBuf,
    group: Group,
    roles: Standing,
    _seat: Seat,
}

impl Office {
    /// # Errors
    /// In words: what is missing, where, and what makes it right.
    pub fn open(run_dir: Option<&Path>, group: &str, globals: &Globals) -> Result<Self> {
        let folder = run_dir::choose(run_dir);
        let roles = read(globals)?;
        let name = text::clean(group);
        let Some(group) = Group::from_name(group).map_err(|error| eyre!("cannot look up group {name}: {error}"))?
        else {
            bail!("there is no group {name} on this machine, whose members might attach: groupadd --system {name}");
        };
        prepare(&folder, &group)?;
        let seat = match Seat::take(&folder)? {
            Taken::Ours(seat) => seat,
            Taken::Theirs(process) => {
                bail!("{} serves {} already: noctty attach shows it", process_words(process), shown(&folder))
            }
        };
        Ok(Self { socket: attach::system_socket_in(&folder), group, roles: Arc::new(RwLock::new(roles)), _seat: seat })
    }

    /// What reads the lists anew, for those who attach from then on.
    pub fn renewal(&self, globals: &Globals) -> Renewal {
        Renewal { roles: self.roles.clone(), globals: globals.clone() }
    }

    /// # Errors
    /// What the system said.
    pub fn listen(&self) -> Result<UnixListener> {
        let listener = attach::listen(&self.socket, 0o660)?;
        let gid = self.group.gid.as_raw();
        std::os::unix::fs::chown(&self.socket, None, Some(gid)).map_err(|error| {
            let group = text::clean(&self.group.name);
            eyre!("cannot give {} to group {group}: {error}; the service's user has to be in it", shown(&self.socket))
        })?;
        Ok(listener)
    }

    pub fn doors(
        &self,
        door: Door,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        clock: Clock,
        configuration: Option<String>,
    ) -> Doors {
        let user = crate::engine::own_author().line();
        Doors { clock, snapshots, door, admit: admit(self.roles.clone()), user, configuration }
    }
}

/// Reads `[roles]` anew.
#[derive(Debug)]
pub struct Renewal {
    roles: Standing,
    globals: Globals,
}

impl Renewal {
    /// # Errors
    /// What is wrong with the configuration; then the lists stay as they were.
    pub fn run(&self) -> Result<()> {
        let roles = read(&self.globals)?;
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = roles;
        Ok(())
    }
}

/// `[roles]` of the configuration. Groups that nobody is in are told.
fn read(globals: &Globals) -> Result<Arc<Roles>> {
    let roles = match &globals.config {
        Some(path) => load::read(path)?.roles,
        None => RoleOptions::default(),
    };
    for problem in strangers(&roles) {
        complain(problem.render().trim_end());
    }
    Ok(Arc::new(Roles(roles)))
}

impl Drop for Office {
    fn drop(&mut self) {
        // While the lock is still held: whoever takes it next makes a new one.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Groups that the configuration names and the system does not know: nobody is in them.
fn strangers(roles: &RoleOptions) -> Vec<Problem> {
    let unknown = |member: &Member| match member {
        Member::Group(name) => matches!(Group::from_name(name), Ok(None)),
        // Users may come and go, and may live in a directory that does not answer now.
        Member::User(_) => false,
    };
    let strange = roles.members().filter(|(member, _)| unknown(member));
    strange.map(|(member, place)| Problem::warning(place, format!("there is no {member} on this machine"))).collect()
}

/// Makes the folder where it is missing. One that is there is left as it is: it has to be of somebody who is trusted, with
/// no room for another's socket, and open to the group.
fn prepare(folder: &Path, group: &Group) -> Result<()> {
    let place = shown(folder);
    let (name, gid) = (text::clean(&group.name), group.gid.as_raw());
    match std::fs::DirBuilder::new().mode(0o750).create(folder) {
        Ok(()) => {
            let failed = |error| eyre!("cannot give {place} to group {name}: {error}");
            return std::os::unix::fs::chown(folder, None, Some(gid)).map_err(failed);
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => bail!("cannot make {place} for the socket: {error}; --run-dir names another folder"),
    }
    let found = std::fs::symlink_metadata(folder).map_err(|error| eyre!("cannot use {place}: {error}"))?;
    if !found.is_dir() {
        bail!("{place} is no folder");
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own && found.uid() != 0 {
        bail!("{place} belongs to user {}, who could put another socket there: it has to be user {own}'s", found.uid());
    }
    let mode = found.mode() & 0o777;
    if mode & 0o022 != 0 {
        bail!(
            "{place} may be written by others (mode {mode:04o}), who could put another socket there: chmod 0750 {place}"
        );
    }
    if mode & 0o001 == 0 && (found.gid() != gid || mode & 0o010 == 0) {
        bail!(
            "group {name} cannot enter {place} (mode {mode:04o}, group {}): chgrp {name} {place} && chmod 0750 {place}",
            found.gid()
        );
    }
    Ok(())
}

/// Lets in whom the lists name, by the kernel's word.
fn admit(standing: Standing) -> Admit {
    let own = rustix::process::geteuid().as_raw();
    Arc::new(move |peer, said| {
        let roles = standing.read().unwrap_or_else(PoisonError::into_inner).clone();
        let account = account(peer);
        let role = if peer.user == 0 || peer.user == own { Some(Role::Admin) } else { roles.of(&account) };
        let Some(role) = role else {
            let (name, may) = (text::clean(&account.name), roles.holders(Role::View));
            return Err(format!("you are {name}, whom [roles] of this engine's configuration do not name ({may})"));
        };
        let author = author(&account.name, said);
        let asks = roles.is_shared(&account) && author.as_bytes() == account.name.as_bytes();
        Ok(Guest { author, role, holders: Some(Arc::new(roles.all_holders())), asks })
    })
}

/// Who that is by the system's user database, and the group that its process has.
fn account(peer: Peer) -> Account {
    let user = User::from_uid(Uid::from_raw(peer.user)).ok().flatten();
    let mut ids = vec![Gid::from_raw(peer.group)];
    if let Some(user) = &user
        && let Ok(name) = CString::new(user.name.as_bytes())
    {
        ids.extend(getgrouplist(&name, user.gid).unwrap_or_default());
    }
    let name = user.map_or_else(|| format!("uid {}", peer.user), |user| user.name);
    let groups = ids.into_iter().filter_map(|gid| Some(Group::from_gid(gid).ok()??.name)).collect();
    Account { name, groups }
}

/// In whose name is written: the account's, before it the name that its console says where that is another one.
fn author(account: &str, said: &str) -> Untrusted {
    let said: String = text::clean(said).chars().filter(|c| !matches!(c, '(' | ')')).take(LONGEST_NAME).collect();
    match said.trim() {
        "" => Untrusted::from(account),
        said if said == account => Untrusted::from(account),
        said => Untrusted::from(format!("{said} ({account})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_always_named_and_cannot_be_talked_over() {
        for (account, said, want) in [
            ("noc", "noc", "noc"),
            ("noc", "", "noc"),
            ("noc", " ", "noc"),
            ("noc", "anna", "anna (noc)"),
            ("mallory", "anna (root)", "anna root (mallory)"),
            ("uid 4242", "uid 4242", "uid 4242"),
        ] {
            assert_eq!(author(account, said).line(), want);
        }
        assert!(author("noc", &"x".repeat(5_000)).line().len() < 80);
    }

    #[test]
    fn root_has_its_name_and_groups_and_a_number_without_a_name_is_called_by_it() {
        let root = account(Peer { user: 0, group: 0, process: None });
        assert_eq!((root.name.as_str(), root.groups.first().map(String::as_str)), ("root", Some("root")));
        let nobody = account(Peer { user: 4_000_004_242, group: 4_000_004_242, process: None });
        assert_eq!(nobody, Account { name: "uid 4000004242".into(), groups: Vec::new() });
    }
}
