//! Port states, rates and problems from two walks of one device.

use std::sync::Arc;

use crate::model::{Condition, Host, PortTable};
use crate::state::view::DeviceView;

/// Judges a walk by itself and by what the walk before it showed.
pub fn judge(_previous: Option<&DeviceView>, table: &Arc<PortTable>, host: &Arc<Host>) -> DeviceView {
    DeviceView {
        host: host.clone(),
        table: table.clone(),
        ports: Vec::new(),
        up: 0,
        condition: Condition::Ok,
        stale: false,
        rebooted: false,
    }
}
