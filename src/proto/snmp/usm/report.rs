//! What an engine says in a report instead of an answer: the counter that it has just increased (RFC 3414 §5, RFC 3412 §5,
//! RFC 3413 §4.1.2).

use super::super::oid::{Oid, RawOid};

/// A reason for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportKind {
    UnsupportedLevel,
    NotInTimeWindow,
    UnknownUser,
    UnknownEngine,
    WrongDigest,
    DecryptionError,
    UnknownSecurityModel,
    InvalidMessage,
    UnknownPduHandler,
    UnavailableContext,
    UnknownContext,
}

impl ReportKind {
    pub const ALL: [Self; 11] = [
        Self::UnsupportedLevel,
        Self::NotInTimeWindow,
        Self::UnknownUser,
        Self::UnknownEngine,
        Self::WrongDigest,
        Self::DecryptionError,
        Self::UnknownSecurityModel,
        Self::InvalidMessage,
        Self::UnknownPduHandler,
        Self::UnavailableContext,
        Self::UnknownContext,
    ];

    /// The counter's name in its MIB.
    pub fn counter(self) -> &'static str {
        match self {
            Self::UnsupportedLevel => "usmStatsUnsupportedSecLevels",
            Self::NotInTimeWindow => "usmStatsNotInTimeWindows",
            Self::UnknownUser => "usmStatsUnknownUserNames",
            Self::UnknownEngine => "usmStatsUnknownEngineIDs",
            Self::WrongDigest => "usmStatsWrongDigests",
            Self::DecryptionError => "usmStatsDecryptionErrors",
            Self::UnknownSecurityModel => "snmpUnknownSecurityModels",
            Self::InvalidMessage => "snmpInvalidMsgs",
            Self::UnknownPduHandler => "snmpUnknownPDUHandlers",
            Self::UnavailableContext => "snmpUnavailableContexts",
            Self::UnknownContext => "snmpUnknownContexts",
        }
    }

    /// The counter, with its `.0`.
    pub fn oid(self) -> Oid {
        Oid::from_arcs(self.arcs())
    }

    fn arcs(self) -> &'static [u32] {
        match self {
            Self::UnsupportedLevel => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0],
            Self::NotInTimeWindow => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0],
            Self::UnknownUser => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0],
            Self::UnknownEngine => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0],
            Self::WrongDigest => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0],
            Self::DecryptionError => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0],
            Self::UnknownSecurityModel => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 1, 0],
            Self::InvalidMessage => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 2, 0],
            Self::UnknownPduHandler => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0],
            Self::UnavailableContext => &[1, 3, 6, 1, 6, 3, 12, 1, 4, 0],
            Self::UnknownContext => &[1, 3, 6, 1, 6, 3, 12, 1, 5, 0],
        }
    }

    /// Which counter a name is; some agents leave the `.0` away.
    pub fn from_oid(name: RawOid<'_>) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let arcs = kind.arcs();
            name.arcs().eq(arcs.iter().copied()) || name.arcs().eq(arcs[..arcs.len() - 1].iter().copied())
        })
    }

    /// Somebody has to change a password, a user or a level, here or on the agent. Asking again is no use, and may lock an
    /// account or fill a log.
    pub fn is_authentication_failure(self) -> bool {
        match self {
            Self::UnsupportedLevel | Self::UnknownUser | Self::WrongDigest | Self::DecryptionError => true,
            Self::NotInTimeWindow
            | Self::UnknownEngine
            | Self::UnknownSecurityModel
            | Self::InvalidMessage
            | Self::UnknownPduHandler
            | Self::UnavailableContext
            | Self::UnknownContext => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_known_by_its_name_with_and_without_its_instance() {
        for kind in ReportKind::ALL {
            assert_eq!(ReportKind::from_oid(kind.oid().as_raw()), Some(kind));
            let column = kind.oid().as_bytes().strip_suffix(&[0]).map(<[u8]>::to_vec).expect("it ends in .0");
            assert_eq!(ReportKind::from_oid(RawOid::new(&column).expect("valid")), Some(kind));
        }
        assert_eq!(ReportKind::from_oid(Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 7, 0]).as_raw()), None);
    }
}
