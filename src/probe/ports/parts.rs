//! Rows of generic tables and rows of a profile's tables in one list, and who wins.
//!
//! ```text
//! before a fold   [generic … | table A … | table B …]  ─take→  [generic …]   A: […]   B: […]
//! after it        [generic'… | A' … | B …]             ←put──  [generic'…]   A': […]  B: […]
//! ```
//! A list loses its generic rows where a table that `replaces` them has rows. Of a UPS and of a port's facts a profile's
//! value wins where there is one. Generic groups never see a profile's rows.

use std::sync::Arc;

use crate::model::Equipment;
use crate::model::device::{Entity, Poe, ProfilePart, ProfileRows, Ups};

/// The lists, in the order of [`ProfilePart::counts`] and [`ProfileRows::replaces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum List {
    Sensors,
    Processors,
    Memory,
    Storage,
    Bgp,
    Optics,
    Poe,
    Entities,
}

/// Takes the profile's rows out of the lists.
pub fn take(equipment: &mut Equipment) {
    let Equipment { sensors, processors, memory, storage, bgp, optics, poe, entities, profile, ports, .. } = equipment;
    for part in profile.tables.iter_mut().rev() {
        let (rows, counts) = (&mut part.rows, &mut part.counts);
        split(sensors, &mut rows.sensors, &mut counts[List::Sensors as usize]);
        split(processors, &mut rows.processors, &mut counts[List::Processors as usize]);
        split(memory, &mut rows.memory, &mut counts[List::Memory as usize]);
        split(storage, &mut rows.storage, &mut counts[List::Storage as usize]);
        split(bgp, &mut rows.bgp, &mut counts[List::Bgp as usize]);
        split(optics, &mut rows.optics, &mut counts[List::Optics as usize]);
        split(poe, &mut rows.poe, &mut counts[List::Poe as usize]);
        if counts[List::Entities as usize] > 0 {
            let mut all = entities.to_vec();
            split(&mut all, &mut rows.entities, &mut counts[List::Entities as usize]);
            *entities = all.into();
        }
        for (index, patch) in &part.rows.ports {
            let Ok(at) = ports.binary_search_by_key(index, |p| p.index) else { continue };
            if patch.err_disabled.is_some() {
                ports[at].err_disabled = None;
            }
            if patch.poe_status.is_some() {
                ports[at].poe = None;
            } else if let Some(poe) = &mut ports[at].poe
                && patch.poe_watts.is_some()
            {
                poe.watts = None;
            }
        }
    }
    if !profile.tables.is_empty() {
        equipment.ups = profile.generic_ups.take();
        equipment.firewall = profile.generic_firewall.take();
    }
}

fn split<T>(list: &mut Vec<T>, rows: &mut Vec<T>, count: &mut usize) {
    *rows = list.split_off(list.len().saturating_sub(std::mem::take(count)));
}

/// What a table brought this time.
pub fn set(equipment: &mut Equipment, table: &Arc<str>, rows: ProfileRows) {
    let parts = &mut equipment.profile.tables;
    match parts.iter_mut().find(|part| part.table == *table) {
        Some(part) => part.rows = rows,
        None => parts.push(ProfilePart { table: table.clone(), rows, ..ProfilePart::default() }),
    }
}

/// Puts the profile's rows behind the generic ones.
pub fn put(equipment: &mut Equipment) {
    let Equipment { sensors, processors, memory, storage, bgp, optics, poe, entities, profile, .. } = equipment;
    let parts = &mut profile.tables;
    join(sensors, parts, List::Sensors, |rows| &mut rows.sensors);
    join(processors, parts, List::Processors, |rows| &mut rows.processors);
    join(memory, parts, List::Memory, |rows| &mut rows.memory);
    join(storage, parts, List::Storage, |rows| &mut rows.storage);
    join(bgp, parts, List::Bgp, |rows| &mut rows.bgp);
    join(optics, parts, List::Optics, |rows| &mut rows.optics);
    join(poe, parts, List::Poe, |rows| &mut rows.poe);
    if parts.iter().any(|part| !part.rows.entities.is_empty()) {
        let mut all = entities.to_vec();
        join(&mut all, parts, List::Entities, |rows| &mut rows.entities);
        let own: usize = parts.iter().map(|part| part.counts[List::Entities as usize]).sum();
        let first = all.len() - own;
        for (number, part) in (Entity::FIRST_OF_PROFILE..).zip(&mut all[first..]) {
            part.index = number;
        }
        *entities = all.into();
    }
    patch_ports(equipment);
    if equipment.profile.tables.is_empty() {
        return;
    }
    equipment.profile.generic_ups.clone_from(&equipment.ups);
    equipment.profile.generic_firewall.clone_from(&equipment.firewall);
    for part in &equipment.profile.tables {
        if let Some(own) = &part.rows.ups {
            equipment.ups = Some(laid_over(&equipment.ups.take().unwrap_or_default(), own));
        }
        if let Some(own) = &part.rows.firewall {
            let all = equipment.firewall.get_or_insert_default();
            all.ha = own.ha.clone().or(all.ha.take());
            all.sessions = own.sessions.or(all.sessions);
            all.session_limit = own.session_limit.or(all.session_limit);
            all.tunnels.extend(own.tunnels.iter().cloned());
        }
    }
}

fn join<T>(list: &mut Vec<T>, parts: &mut [ProfilePart], which: List, rows: fn(&mut ProfileRows) -> &mut Vec<T>) {
    let replaced = parts.iter_mut().any(|part| part.rows.replaces[which as usize] && !rows(&mut part.rows).is_empty());
    if replaced {
        list.clear();
    }
    for part in parts {
        let own = std::mem::take(rows(&mut part.rows));
        part.counts[which as usize] = own.len();
        list.extend(own);
    }
}

fn patch_ports(equipment: &mut Equipment) {
    let patches: Vec<_> = equipment.profile.tables.iter().flat_map(|part| part.rows.ports.iter().cloned()).collect();
    for (index, patch) in patches {
        let port = equipment.port_mut(index);
        if let Some(status) = patch.poe_status {
            let known = port.poe.take();
            port.poe = Some(Poe { status, watts: known.and_then(|p| p.watts), class: known.and_then(|p| p.class) });
        }
        if let Some(poe) = &mut port.poe {
            poe.watts = patch.poe_watts.or(poe.watts);
        }
        if patch.err_disabled.is_some() {
            port.err_disabled = patch.err_disabled;
        }
    }
}

/// Each value of `over` where it has one, else that of `under`.
pub fn laid_over(under: &Ups, over: &Ups) -> Ups {
    Ups {
        source: over.source.or(under.source),
        on_battery_for: over.on_battery_for.or(under.on_battery_for),
        minutes_left: over.minutes_left.or(under.minutes_left),
        charge_percent: over.charge_percent.or(under.charge_percent),
        load_percent: over.load_percent.or(under.load_percent),
        battery: over.battery.or(under.battery),
        alarms: over.alarms.or(under.alarms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Untrusted;
    use crate::model::device::{EntityClass, ErrDisabled, PoeStatus, PortPatch, PowerSource, Processor};

    fn cpu(name: &str) -> Processor {
        Processor { name: name.into(), percent: 1.0 }
    }

    fn names(equipment: &Equipment) -> Vec<String> {
        equipment.processors.iter().map(|p| p.name.line()).collect()
    }

    fn rows(processors: &[&str], replaces: bool) -> ProfileRows {
        let mut rows =
            ProfileRows { processors: processors.iter().map(|n| cpu(n)).collect(), ..ProfileRows::default() };
        rows.replaces[List::Processors as usize] = replaces;
        rows
    }

    #[test]
    fn each_table_replaces_only_its_own_rows() {
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("x:a"), Arc::from("x:b"));
        let mut equipment = Equipment { processors: vec![cpu("generic")], ..Equipment::default() };
        take(&mut equipment);
        set(&mut equipment, &a, rows(&["a1", "a2"], false));
        set(&mut equipment, &b, rows(&["b1"], false));
        put(&mut equipment);
        assert_eq!(names(&equipment), ["generic", "a1", "a2", "b1"]);
        take(&mut equipment);
        assert_eq!(names(&equipment), ["generic"]);
        set(&mut equipment, &a, rows(&["a3"], false));
        put(&mut equipment);
        assert_eq!(names(&equipment), ["generic", "a3", "b1"]);
        take(&mut equipment);
        equipment.processors = vec![cpu("generic2")];
        set(&mut equipment, &a, rows(&[], false));
        put(&mut equipment);
        assert_eq!(names(&equipment), ["generic2", "b1"]);
    }

    #[test]
    fn generic_rows_go_where_a_table_replaces_them_and_has_some() {
        let a: Arc<str> = Arc::from("x:a");
        let mut equipment = Equipment { processors: vec![cpu("generic")], ..Equipment::default() };
        take(&mut equipment);
        set(&mut equipment, &a, rows(&[], true));
        put(&mut equipment);
        assert_eq!(names(&equipment), ["generic"]);
        take(&mut equipment);
        set(&mut equipment, &a, rows(&["a1"], true));
        put(&mut equipment);
        assert_eq!(names(&equipment), ["a1"]);
    }

    #[test]
    fn parts_of_a_profile_stand_behind_those_of_entity_mib_under_numbers_of_their_own() {
        let part = |index: u32, name: &str| Entity { index, ..entity(name) };
        let a: Arc<str> = Arc::from("x:a");
        let mut equipment = Equipment { entities: [part(7, "chassis")].into(), ..Equipment::default() };
        let rows = || ProfileRows { entities: vec![entity("one"), entity("two")], ..ProfileRows::default() };
        for _ in 0..2 {
            take(&mut equipment);
            assert_eq!(equipment.entities.len(), 1);
            set(&mut equipment, &a, rows());
            put(&mut equipment);
            let seen: Vec<_> = equipment.entities.iter().map(|e| (e.index, e.name.line())).collect();
            let want = [(7, "chassis"), (1 << 31, "one"), ((1 << 31) + 1, "two")];
            assert_eq!(seen, want.map(|(index, name)| (index, name.to_owned())));
        }
    }

    fn entity(name: &str) -> Entity {
        Entity {
            index: 0,
            class: EntityClass::Module,
            name: name.into(),
            description: Untrusted::default(),
            model: Untrusted::default(),
            serial: "S".into(),
            version: Untrusted::default(),
            contained_in: 0,
            position: None,
        }
    }

    #[test]
    fn a_ports_patches_and_the_ups_go_with_their_table() {
        let a: Arc<str> = Arc::from("x:a");
        let mut equipment = Equipment {
            ups: Some(Ups { charge_percent: Some(50.0), alarms: Some(1), ..Ups::default() }),
            ..Equipment::default()
        };
        equipment.port_mut(3).poe = Some(Poe { status: PoeStatus::Delivering, watts: None, class: Some(4) });
        let patch = PortPatch {
            poe_watts: Some(4.5),
            err_disabled: Some(ErrDisabled { cause: "loop".into(), recovers_in: None }),
            ..PortPatch::default()
        };
        let own = Ups { source: Some(PowerSource::Battery), charge_percent: Some(60.0), ..Ups::default() };
        let rows = ProfileRows { ports: vec![(3, patch)], ups: Some(own), ..ProfileRows::default() };
        take(&mut equipment);
        set(&mut equipment, &a, rows);
        put(&mut equipment);
        let port = equipment.port(3).expect("it is there");
        assert_eq!(port.poe.map(|p| (p.status, p.watts, p.class)), Some((PoeStatus::Delivering, Some(4.5), Some(4))));
        assert!(port.err_disabled.is_some());
        let ups = equipment.ups.clone().expect("a UPS");
        assert_eq!((ups.source, ups.charge_percent, ups.alarms), (Some(PowerSource::Battery), Some(60.0), Some(1)));
        take(&mut equipment);
        set(&mut equipment, &a, ProfileRows::default());
        put(&mut equipment);
        let port = equipment.port(3).expect("it is there");
        assert_eq!((port.poe.and_then(|p| p.watts), &port.err_disabled), (None, &None));
        assert_eq!(equipment.ups.as_ref().and_then(|u| u.charge_percent), Some(50.0));
    }
}
