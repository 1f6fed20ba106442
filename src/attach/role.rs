//! What a console may have the engine do. On one's own machine everything; on a shared engine what the configuration says
//! of its user.

use crate::bus::Command;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look; side by side too, for which two hosts are asked what is installed.
    #[default]
    View,
    /// Look at once, watch, write notes, open incidents, take problems on, order maintenance, have stopped polling go on.
    Operate,
    /// Stop polling, and have it poll what it did not.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// The least role that may have this done.
    pub fn needed(command: &Command) -> Self {
        match command {
            Command::Focus(_) | Command::ComparePackages { .. } => Self::View,
            Command::Recheck(_)
            | Command::Watch(_)
            | Command::WatchHost { .. }
            | Command::OpenIncident { .. }
            | Command::AddEntry { .. }
            | Command::Claim { .. }
            | Command::Release { .. }
            | Command::Maintain { .. }
            | Command::CancelMaintenance { .. }
            // Whoever is awake may end what somebody has left standing.
            | Command::Resume { .. }
            // These stay in the console's own process.
            | Command::OpenSession { .. }
            | Command::Answer { .. }
            | Command::CloseSession(_) => Self::Operate,
            Command::Pause { .. }
            | Command::Confirm(_)
            | Command::ConfirmDiscovery
            | Command::OneOff { .. }
            | Command::Shutdown => Self::Admin,
        }
    }

    /// # Errors
    /// In words, for whoever asked.
    pub fn permits(self, command: &Command) -> Result<(), String> {
        let needed = Self::needed(command);
        if self >= needed {
            return Ok(());
        }
        Err(format!("your role here is {}: that needs {}", self.as_str(), needed.as_str()))
    }
}

/// Who has a role or a greater one, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    pub operate: String,
    pub admin: String,
}

impl Holders {
    /// Looking is refused to nobody who was let in.
    pub fn of(&self, role: Role) -> &str {
        match role {
            Role::View | Role::Operate => &self.operate,
            Role::Admin => &self.admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Ticket;
    use crate::model::AssetId;

    #[test]
    fn who_may_only_look_changes_nothing_and_is_told_what_it_would_take() {
        let recheck = Command::Recheck(AssetId::new("a"));
        assert_eq!(Role::View.permits(&Command::Focus(None)), Ok(()));
        let compare = Command::ComparePackages { ticket: Ticket(3), pair: ["a", "b"].map(AssetId::new) };
        assert_eq!(Role::View.permits(&compare), Ok(()));
        assert_eq!(Role::View.permits(&recheck), Err("your role here is view: that needs operate".to_owned()));
        assert_eq!(Role::Operate.permits(&recheck), Ok(()));
        let (pause, resume) =
            (Command::Pause { ticket: Ticket(1), note: String::new() }, Command::Resume { ticket: Ticket(2) });
        assert!(Role::Operate.permits(&pause).is_err() && Role::View.permits(&resume).is_err());
        assert_eq!(Role::Admin.permits(&pause), Ok(()));
        assert_eq!(Role::Operate.permits(&resume), Ok(()), "whoever stopped it");
    }
}
