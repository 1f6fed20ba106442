//! A snapshot as the difference to the one that the other side has. What is shared with it costs nothing: hosts, devices,
//! jobs, problems, incidents and notifications are told by what stays, what differs and what is new.
//!
//! ```text
//! revision, at, totals, engine, remarks, then eleven lists, each:  number of steps, steps
//! step     number * 4 + 0, from      so many stay, from there on in the list before
//!          number * 4 + 1            the one there in the list before, changed
//!          2                         a new one, told by the one that stands before it in the list
//! ```
//!
//! Devices are the bulk of it. Those for which there is no room in one message stay as they were, or are not there yet,
//! and come with the next one: the sender knows what the receiver has ([`Sent`]). Sessions are not told: each console has
//! its own.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::wire::{Malformed, Reader, Wire, copied_list, put_number};
use crate::model::{Acknowledgement, Target};
use crate::state::{EngineView, Link, Snapshot};

/// The most that is given to devices in one message: they are added until it is so long.
pub const DEVICES_ROOM: usize = 1024 * 1024;
/// No list has more.
const MOST: usize = 1_000_000;

/// What the other side has after a message.
#[derive(Debug)]
pub struct Sent {
    pub has: Snapshot,
    /// Nothing was left out.
    pub whole: bool,
}

/// Appends what makes `now` of `before`, with about so many bytes of devices.
pub fn put(now: &Snapshot, before: &Snapshot, room: usize, out: &mut Vec<u8>) -> Sent {
    let Snapshot {
        revision,
        at,
        hosts,
        devices,
        jobs,
        problems,
        consequences,
        incidents,
        sessions: _,
        totals,
        engine,
        remarks,
        notifications,
        maintenance,
        acks,
        deeds,
        transitions,
        changes,
        faults,
    } = now;
    revision.put(Some(&before.revision), out);
    // The one before may be no moment at all.
    at.put(None, out);
    totals.put(Some(&before.totals), out);
    put_engine(engine, &before.engine, out);
    remarks.put(Some(&before.remarks), out);
    put_all(hosts, &before.hosts, |host| &host.host.id, out);
    put_all(jobs, &before.jobs, |job| &job.job.id, out);
    put_all(problems, &before.problems, |p| (p.kind, &p.target), out);
    put_all(consequences, &before.consequences, |p| (p.kind, &p.target), out);
    put_all(incidents, &before.incidents, |incident| incident.id, out);
    put_all(notifications, &before.notifications, Arc::as_ptr, out);
    put_all(maintenance, &before.maintenance, |order| &order.id, out);
    put_all(&in_order(acks), &in_order(&before.acks), |(target, _)| target, out);
    put_all(deeds, &before.deeds, |entry| &entry.id, out);
    put_all(transitions, &before.transitions, Arc::as_ptr, out);
    put_all(changes, &before.changes, Arc::as_ptr, out);
    put_all(faults, &before.faults, Arc::as_ptr, out);
    let devices_sent = put_list(devices, &before.devices, |device| &device.host.id, room, out);
    let whole = devices_sent.is_none();
    let has = Snapshot { devices: devices_sent.unwrap_or_else(|| devices.clone()), ..now.clone() };
    Sent { has, whole }
}

/// The inverse of [`put`]: the next snapshot.
///
/// # Errors
/// [`Malformed`].
pub fn take(before: &Snapshot, from: &mut Reader<'_>) -> Result<Snapshot, Malformed> {
    Ok(Snapshot {
        revision: Wire::take(Some(&before.revision), from)?,
        at: Wire::take(None, from)?,
        totals: Wire::take(Some(&before.totals), from)?,
        engine: take_engine(&before.engine, from)?,
        remarks: Wire::take(Some(&before.remarks), from)?,
        hosts: take_list(&before.hosts, from)?,
        jobs: take_list(&before.jobs, from)?,
        problems: take_list(&before.problems, from)?.into(),
        consequences: take_list(&before.consequences, from)?.into(),
        incidents: take_list(&before.incidents, from)?.into(),
        notifications: take_list(&before.notifications, from)?.into(),
        maintenance: take_list(&before.maintenance, from)?.into(),
        acks: Arc::new(take_list(&in_order(&before.acks), from)?.into_iter().collect()),
        deeds: take_list(&before.deeds, from)?.into(),
        transitions: take_list(&before.transitions, from)?.into(),
        changes: take_list(&before.changes, from)?.into(),
        faults: take_list(&before.faults, from)?.into(),
        devices: take_list(&before.devices, from)?,
        sessions: Arc::from([]),
    })
}

/// The claims, in the same order on both sides.
fn in_order(acks: &HashMap<Target, Arc<Acknowledgement>>) -> Vec<(Target, Arc<Acknowledgement>)> {
    let mut list: Vec<_> = acks.iter().map(|(target, ack)| (target.clone(), ack.clone())).collect();
    list.sort_by(|(a, _), (b, _)| a.cmp(b));
    list
}

/// Where it stands with the receiver is the receiver's own affair.
fn put_engine(engine: &EngineView, before: &EngineView, out: &mut Vec<u8>) {
    let EngineView {
        mode,
        pause,
        storage,
        running,
        waiting,
        late,
        runs,
        faults,
        discovering,
        traps,
        watch,
        hosts_watched,
        channels,
        blind,
        link: _,
    } = engine;
    mode.put(None, out);
    pause.put(Some(&before.pause), out);
    storage.put(None, out);
    running.put(Some(&before.running), out);
    waiting.put(Some(&before.waiting), out);
    late.put(Some(&before.late), out);
    runs.put(Some(&before.runs), out);
    faults.put(Some(&before.faults), out);
    discovering.put(None, out);
    traps.put(Some(&before.traps), out);
    watch.put(Some(&before.watch), out);
    hosts_watched.put(Some(&before.hosts_watched), out);
    channels.put(Some(&before.channels), out);
    blind.put(Some(&before.blind), out);
}

fn take_engine(before: &EngineView, from: &mut Reader<'_>) -> Result<EngineView, Malformed> {
    Ok(EngineView {
        mode: Wire::take(None, from)?,
        pause: Wire::take(Some(&before.pause), from)?,
        storage: Wire::take(None, from)?,
        running: Wire::take(Some(&before.running), from)?,
        waiting: Wire::take(Some(&before.waiting), from)?,
        late: Wire::take(Some(&before.late), from)?,
        runs: Wire::take(Some(&before.runs), from)?,
        faults: Wire::take(Some(&before.faults), from)?,
        discovering: Wire::take(None, from)?,
        traps: Wire::take(Some(&before.traps), from)?,
        watch: Wire::take(Some(&before.watch), from)?,
        hosts_watched: Wire::take(Some(&before.hosts_watched), from)?,
        channels: Wire::take(Some(&before.channels), from)?,
        blind: Wire::take(Some(&before.blind), from)?,
        link: Link::default(),
    })
}

fn put_all<'a, T: Wire + Clone, K: Eq + Hash>(
    now: &'a [T],
    before: &'a [T],
    key: impl Fn(&'a T) -> K,
    out: &mut Vec<u8>,
) {
    put_list(now, before, key, usize::MAX, out);
}

/// One step, not yet written.
enum Step {
    Stay(usize),
    Change(usize),
    New,
}

/// Appends a list; what the other side has then, where that is not all of it.
fn put_list<'a, T: Wire + Clone, K: Eq + Hash>(
    now: &'a [T],
    before: &'a [T],
    key: impl Fn(&'a T) -> K,
    room: usize,
    out: &mut Vec<u8>,
) -> Option<Vec<T>> {
    let mut places: Option<HashMap<K, usize>> = None;
    let mut has: Option<Vec<T>> = None;
    let mut body = Vec::new();
    let (mut steps, mut next, mut run) = (0u64, 0, (0, 0));
    let flush = |run: &mut (usize, usize), body: &mut Vec<u8>, steps: &mut u64| {
        if run.1 > 0 {
            put_number((run.1 as u64) << 2, body);
            put_number(run.0 as u64, body);
            *steps += 1;
            run.1 = 0;
        }
    };
    for (at, one) in now.iter().enumerate() {
        // Mostly it stands where it stood, behind the one that stood before it.
        let place = match before.get(next) {
            Some(old) if one.same(old) || key(old) == key(one) => Some(next),
            _ => {
                let all = || before.iter().enumerate().map(|(at, old)| (key(old), at)).collect();
                places.get_or_insert_with(all).get(&key(one)).copied()
            }
        };
        let full = body.len() >= room;
        let step = match place {
            Some(place) if full || one.same(&before[place]) => Step::Stay(place),
            Some(place) => Step::Change(place),
            None => Step::New,
        };
        let left_out = full && !place.is_some_and(|place| one.same(&before[place]));
        if left_out {
            has.get_or_insert_with(|| now[..at].to_vec());
        }
        match step {
            Step::Stay(place) => {
                if run.0 + run.1 != place {
                    flush(&mut run, &mut body, &mut steps);
                    run.0 = place;
                }
                run.1 += 1;
                next = place + 1;
            }
            Step::Change(place) => {
                flush(&mut run, &mut body, &mut steps);
                put_number(((place as u64) << 2) | 1, &mut body);
                one.put(Some(&before[place]), &mut body);
                steps += 1;
                next = place + 1;
            }
            Step::New if full => {}
            Step::New => {
                flush(&mut run, &mut body, &mut steps);
                put_number(2, &mut body);
                one.put(at.checked_sub(1).map(|before| &now[before]), &mut body);
                steps += 1;
            }
        }
        if let Some(has) = &mut has {
            match place {
                Some(place) if left_out => has.push(before[place].clone()),
                None if left_out => {}
                _ => has.push(one.clone()),
            }
        }
    }
    flush(&mut run, &mut body, &mut steps);
    put_number(steps, out);
    out.extend(body);
    has
}

fn take_list<T: Wire + Clone>(before: &[T], from: &mut Reader<'_>) -> Result<Vec<T>, Malformed> {
    let steps = from.count(0)?;
    let mut list: Vec<T> = Vec::with_capacity(steps.min(before.len()));
    for _ in 0..steps {
        let word = from.number()?;
        from.reserve(size_of::<T>())?;
        let number = usize::try_from(word >> 2).map_err(|_| Malformed("a number is too large"))?;
        match word & 3 {
            0 => {
                let start = from.count(0)?;
                let run = start.checked_add(number).and_then(|end| before.get(start..end));
                let run = run.ok_or(Malformed("a list has no such part"))?;
                if list.len() + run.len() > MOST {
                    return Err(Malformed("a list is too long"));
                }
                from.reserve(copied_list(run))?;
                list.extend_from_slice(run);
            }
            1 => {
                let old = before.get(number).ok_or(Malformed("a list has no such part"))?;
                list.push(T::take(Some(old), from)?);
            }
            2 => list.push(T::take(list.last(), from)?),
            _ => return Err(Malformed("a step is of no kind")),
        }
        if list.len() > MOST {
            return Err(Malformed("a list is too long"));
        }
    }
    Ok(list)
}
