//! What a router says of those it exchanges routes with: BGP peers and OSPF neighbors.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// `bgpPeerState` (RFC 4273).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BgpState {
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
}

impl BgpState {
    pub fn from_mib(value: u64) -> Option<Self> {
        Some(match value {
            1 => Self::Idle,
            2 => Self::Connect,
            3 => Self::Active,
            4 => Self::OpenSent,
            5 => Self::OpenConfirm,
            6 => Self::Established,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connect => "connect",
            Self::Active => "active",
            Self::OpenSent => "opensent",
            Self::OpenConfirm => "openconfirm",
            Self::Established => "established",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct BgpPeer {
    pub peer: IpAddr,
    pub remote_as: Option<u32>,
    pub state: Option<BgpState>,
    /// `bgpPeerAdminStatus` is start(2); false: somebody stopped it.
    pub started: Option<bool>,
    /// Since it was established, or since it was lost.
    pub in_state_for: Option<Duration>,
    /// `bgpPeerFsmEstablishedTransitions`.
    pub transitions: Option<u64>,
    /// `bgpPeerLastError`: code and subcode (RFC 4271 §4.5).
    pub last_error: Option<[u8; 2]>,
    pub prefixes: Option<u64>,
    pub prefix_limit: Option<u64>,
}

impl BgpPeer {
    /// What the last error was, in words; `None` where there was none. Codes of RFC 4271, subcodes of Cease of RFC 4486, 8538 and
    /// 9384.
    pub fn error_words(&self) -> Option<&'static str> {
        Some(match self.last_error? {
            [0, 0] => return None,
            [1, _] => "a message header was wrong",
            [2, _] => "the opening message was refused",
            [3, _] => "an update was malformed",
            [4, _] => "the hold timer expired",
            [5, _] => "a message came out of turn",
            [6, 1] => "too many prefixes",
            [6, 2] => "shut down by an operator",
            [6, 3] => "the peer was taken out of the configuration",
            [6, 4] => "reset by an operator",
            [6, 5] => "the connection was refused",
            [6, 6] => "the configuration was changed",
            [6, 7] => "two connections collided",
            [6, 8] => "out of resources",
            [6, 9] => "a hard reset",
            [6, 10] => "BFD lost the peer",
            [6, _] => "the session was ended",
            [7, _] => "a route refresh was malformed",
            _ => "of a kind that is not known",
        })
    }
}

/// `ospfNbrState` (RFC 4750).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OspfState {
    Down,
    Attempt,
    Init,
    TwoWay,
    ExchangeStart,
    Exchange,
    Loading,
    Full,
}

impl OspfState {
    pub fn from_mib(value: u64) -> Option<Self> {
        Some(match value {
            1 => Self::Down,
            2 => Self::Attempt,
            3 => Self::Init,
            4 => Self::TwoWay,
            5 => Self::ExchangeStart,
            6 => Self::Exchange,
            7 => Self::Loading,
            8 => Self::Full,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Attempt => "attempt",
            Self::Init => "init",
            Self::TwoWay => "two-way",
            Self::ExchangeStart => "exchange-start",
            Self::Exchange => "exchange",
            Self::Loading => "loading",
            Self::Full => "full",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OspfNeighbor {
    pub neighbor: Ipv4Addr,
    /// The ifIndex of the interface, where that has no address of its own (`ospfNbrAddressLessIndex`).
    pub interface: Option<u32>,
    pub router_id: Option<Ipv4Addr>,
    pub state: Option<OspfState>,
    /// `ospfNbrEvents`: grows when the adjacency flaps.
    pub events: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_last_error_is_told_in_words_and_none_where_there_was_none() {
        let peer = |last_error| BgpPeer {
            peer: IpAddr::from([192, 0, 2, 1]),
            remote_as: None,
            state: None,
            started: None,
            in_state_for: None,
            transitions: None,
            last_error,
            prefixes: None,
            prefix_limit: None,
        };
        assert_eq!((peer(None).error_words(), peer(Some([0, 0])).error_words()), (None, None));
        assert_eq!(peer(Some([4, 0])).error_words(), Some("the hold timer expired"));
        assert_eq!(peer(Some([6, 1])).error_words(), Some("too many prefixes"));
        assert_eq!(peer(Some([6, 77])).error_words(), Some("the session was ended"));
        assert_eq!(peer(Some([99, 1])).error_words(), Some("of a kind that is not known"));
    }
}
