//! What a router says of those it exchanges routes with: BGP peers and OSPF neighbours.

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
