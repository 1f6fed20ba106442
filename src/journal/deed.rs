//! What was done about problems, as entries: the object in `about`, in words, and the deed in `text` as one JSON object.
//! The entries in their order give what stands.
//!
//! ```text
//! claimed   {"target":{"host":"db01","check":"disk"},"owner":"ops2","note":"…","until":1800000000000,"sticky":false,"condition":"critical"}
//! released  {"target":{"host":"sw1","port":"00476931"},"claim":"01M8…","why":"recovered"}
//! maintenance-ordered    {"scope":{"tag":"web"},"from":1800000000000,"until":1800007200000,"note":"…"}
//! maintenance-cancelled  {"maintenance":"01M8…"}
//! paused    {"note":"…"}
//! resumed   {}
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::JournalError;
use super::log::{Text, bytes, text, unhex};
use super::record::{self, Record, TEXT_LIMIT, hex};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::care::LONGEST_CLAIM;
use crate::model::{
    Acknowledgement, AssetId, CareBook, CheckKey, Claim, Condition, Deed, Entry, EntryKind, Maintenance, Order, Pause,
    PortKey, Release, Schedule, Scope, Span, Stickiness, Subject, Target,
};

/// The longest note of a claim: it stands on one line of a screen.
pub const NOTE_LIMIT: usize = 4 * 1024;
/// The longest name of an owner, in bytes.
const OWNER_LIMIT: usize = 256;
/// Entries that a console shows, in words.
const SHOWN: usize = 500;

/// A deed as the columns of an entry.
pub struct Form {
    pub kind: EntryKind,
    pub text: Untrusted,
    pub about: Option<Untrusted>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TargetForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    /// The octets of its key, two digits each; empty for those that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClaimForm {
    target: TargetForm,
    owner: Text,
    note: Text,
    until: i64,
    sticky: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReleaseForm {
    target: TargetForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    why: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct OrderForm {
    scope: ScopeForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasts_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flexible_ms: Option<u64>,
    note: Option<Text>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScopeForm {
    Asset(String),
    Tag(String),
    Group(String),
    Site(String),
    Behind(String),
    #[default]
    Nothing,
}

#[derive(Debug, Serialize, Deserialize)]
struct CancelForm {
    maintenance: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct PauseForm {
    note: Text,
}

#[derive(Debug, Serialize, Deserialize)]
struct ResumeForm {}

/// Refuses what would not be kept whole.
pub fn check(deed: &Deed) -> Result<(), JournalError> {
    match deed {
        Deed::Claimed(claim) => {
            record::check_length("owner", &claim.owner, OWNER_LIMIT)?;
            if claim.note.is_empty() { Ok(()) } else { record::check_length("note", &claim.note, NOTE_LIMIT) }
        }
        Deed::Ordered(Order { note, .. }) | Deed::Paused { note } if note.is_empty() => Ok(()),
        Deed::Ordered(Order { note, .. }) | Deed::Paused { note } => record::check_length("note", note, NOTE_LIMIT),
        Deed::Released { .. } | Deed::Cancelled { .. } | Deed::Resumed => Ok(()),
    }
}

pub fn form(deed: &Deed) -> Form {
    match deed {
        Deed::Claimed(claim) => {
            let form = ClaimForm {
                target: target_form(&claim.target),
                owner: text(&claim.owner),
                note: text(&claim.note),
                until: claim.until.millis(),
                sticky: claim.stickiness == Stickiness::Sticky,
                condition: claim
                    .condition
                    .filter(|condition| condition.is_problem())
                    .map(|condition| condition.as_str().to_owned()),
            };
            Form { kind: EntryKind::Claimed, text: json(&form), about: Some(claim.target.label()) }
        }
        Deed::Released { target, claim, why } => {
            let claim = claim.as_ref().map(ToString::to_string);
            let form = ReleaseForm { target: target_form(target), claim, why: why.as_str().to_owned() };
            Form { kind: EntryKind::Released, text: json(&form), about: Some(target.label()) }
        }
        Deed::Ordered(order) => {
            let about = Some(scope_words(&order.scope));
            Form { kind: EntryKind::MaintenanceOrdered, text: json(&order_form(order)), about }
        }
        Deed::Cancelled { maintenance } => {
            let form = CancelForm { maintenance: maintenance.to_string() };
            Form { kind: EntryKind::MaintenanceCancelled, text: json(&form), about: None }
        }
        Deed::Paused { note } => {
            Form { kind: EntryKind::Paused, text: json(&PauseForm { note: text(note) }), about: None }
        }
        Deed::Resumed => Form { kind: EntryKind::Resumed, text: json(&ResumeForm {}), about: None },
    }
}

/// `None` where the text is not what [`form`] makes.
pub fn read(kind: EntryKind, text: &Untrusted) -> Option<Deed> {
    match kind {
        EntryKind::Claimed => {
            let form: ClaimForm = serde_json::from_slice(text.as_bytes()).ok()?;
            Some(Deed::Claimed(Claim {
                target: target(&form.target)?,
                owner: Untrusted::bounded(&bytes(&form.owner)?, TEXT_LIMIT),
                note: Untrusted::bounded(&bytes(&form.note)?, TEXT_LIMIT),
                until: Timestamp(form.until),
                stickiness: if form.sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening },
                condition: match form.condition {
                    None => None,
                    Some(word) => Some(condition(&word)?),
                },
            }))
        }
        EntryKind::Released => {
            let form: ReleaseForm = serde_json::from_slice(text.as_bytes()).ok()?;
            Some(Deed::Released {
                target: target(&form.target)?,
                claim: form.claim.map(Arc::from),
                why: Release::parse(&form.why)?,
            })
        }
        EntryKind::MaintenanceOrdered => {
            let form: OrderForm = serde_json::from_slice(text.as_bytes()).ok()?;
            Some(Deed::Ordered(order(&form)?))
        }
        EntryKind::MaintenanceCancelled => {
            let form: CancelForm = serde_json::from_slice(text.as_bytes()).ok()?;
            Some(Deed::Cancelled { maintenance: form.maintenance.into() })
        }
        EntryKind::Paused => {
            let form: PauseForm = serde_json::from_slice(text.as_bytes()).ok()?;
            Some(Deed::Paused { note: Untrusted::bounded(&bytes(&form.note)?, TEXT_LIMIT) })
        }
        EntryKind::Resumed => {
            serde_json::from_slice::<ResumeForm>(text.as_bytes()).ok()?;
            Some(Deed::Resumed)
        }
        _ => None,
    }
}

/// What stands after all of them. What cannot be read is said, and changes nothing.
pub fn book(mut deeds: Vec<Record>, damage: &mut Vec<String>) -> CareBook {
    deeds.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
    let mut acks: HashMap<Target, Acknowledgement> = HashMap::new();
    let mut released: HashMap<Target, Timestamp> = HashMap::new();
    let mut maintenance: BTreeMap<Arc<str>, Maintenance> = BTreeMap::new();
    let mut paused: Option<Arc<Pause>> = None;
    // What can be understood, with what a window was of that is taken back.
    let mut entries = Vec::with_capacity(deeds.len());
    for record in &deeds {
        let entry = &record.entry;
        let deed = read(entry.kind, &entry.text);
        if let Some(deed) = &deed {
            let of_order = match deed {
                Deed::Cancelled { maintenance: id } => maintenance.get(id).map(|one| scope_words(&one.order.scope)),
                _ => None,
            };
            entries.push((entry, of_order));
        }
        match deed {
            Some(Deed::Claimed(mut claim)) => {
                // Whatever was written: nothing is owned for ever.
                claim.until = claim.until.min(entry.at.plus(LONGEST_CLAIM));
                let ack = Acknowledgement { id: entry.id.clone(), since: entry.at, claim };
                released.remove(&ack.claim.target);
                acks.insert(ack.claim.target.clone(), ack);
            }
            Some(Deed::Released { target, claim, .. }) => {
                let is_it = |ack: &Acknowledgement| claim.as_ref().is_none_or(|id| *id == ack.id);
                if acks.get(&target).is_some_and(is_it) {
                    acks.remove(&target);
                    released.insert(target, entry.at);
                }
            }
            Some(Deed::Ordered(order)) => {
                let (id, author) = (entry.id.clone(), entry.author.clone());
                maintenance.insert(id.clone(), Maintenance { id, author, order });
            }
            Some(Deed::Cancelled { maintenance: id }) => drop(maintenance.remove(&id)),
            // Who stops what stands still has stopped nothing.
            Some(Deed::Paused { note }) => {
                let (id, by, since) = (entry.id.clone(), entry.author.clone(), entry.at);
                paused.get_or_insert_with(|| Arc::new(Pause { id, by, since, note }));
            }
            Some(Deed::Resumed) => paused = None,
            None => damage.push(format!("entry {} cannot be understood", entry.id)),
        }
    }
    let mut acks: Vec<Arc<Acknowledgement>> = acks.into_values().map(Arc::new).collect();
    acks.sort_by(|a, b| a.id.cmp(&b.id));
    let last = deeds.last().map_or(Timestamp::default(), |record| record.entry.at);
    let shown = |(entry, of_order): (&Entry, Option<Untrusted>)| {
        let deed = read(entry.kind, &entry.text)?;
        let about = if matches!(deed, Deed::Cancelled { .. }) { of_order } else { entry.about.clone() };
        Some(Arc::new(Entry { text: said(&deed, &entry.author), about, ..entry.clone() }))
    };
    let entries = entries.into_iter().rev().take(SHOWN).filter_map(shown).collect();
    // What was over long before the last entry is over for everybody.
    let lives = |order: &Order| match order.span {
        Span::Once { until, .. } => until.plus(LONGEST_CLAIM) > last,
        Span::Recurring { .. } => true,
    };
    let maintenance = maintenance.into_values().filter(|one| lives(&one.order)).map(Arc::new).collect();
    // Longer ago it says nothing of a problem of today.
    let mut released: Vec<(Target, Timestamp)> =
        released.into_iter().filter(|(_, at)| at.plus(LONGEST_CLAIM) > last).collect();
    released.sort_unstable();
    CareBook { acks, maintenance, paused, released, entries }
}

/// The deed in words, for people; who did it is said beside.
fn said(deed: &Deed, author: &Untrusted) -> Untrusted {
    let mut out = Vec::new();
    match deed {
        Deed::Claimed(claim) => {
            if claim.owner != *author {
                out.extend_from_slice(b"for ");
                out.extend_from_slice(claim.owner.as_bytes());
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(format!("until {} UTC", claim.until.utc_minute()).as_bytes());
            if claim.stickiness == Stickiness::EndsOnWorsening {
                out.extend_from_slice(b" or until it gets worse");
            }
            add_note(&mut out, &claim.note);
        }
        Deed::Released { why, .. } => {
            let words: &[u8] = match why {
                Release::ByHand => b"given back",
                Release::Recovered => b"it recovered",
                Release::Worsened => b"it got worse",
                Release::Expired => b"its time was over",
            };
            out.extend_from_slice(words);
        }
        Deed::Ordered(order) => {
            let span = match &order.span {
                Span::Once { from, until } => {
                    format!("from {} UTC until {} UTC", from.utc_minute(), until.utc_minute())
                }
                Span::Recurring { schedule, lasts } => {
                    let lasts = units::config_duration(*lasts);
                    format!("{lasts} each time of \"{}\" in {}", schedule.cron, schedule.timezone)
                }
            };
            out.extend_from_slice(span.as_bytes());
            add_note(&mut out, &order.note);
        }
        Deed::Cancelled { .. } => out.extend_from_slice(b"taken back or ended early"),
        Deed::Paused { note } => {
            out.extend_from_slice(b"all polling is stopped");
            add_note(&mut out, note);
        }
        Deed::Resumed => out.extend_from_slice(b"polling goes on"),
    }
    Untrusted::bounded(&out, TEXT_LIMIT)
}

fn add_note(out: &mut Vec<u8>, note: &Untrusted) {
    if !note.is_empty() {
        out.extend_from_slice(b": ");
        out.extend_from_slice(note.as_bytes());
    }
}

fn scope_words(scope: &Scope) -> Untrusted {
    match scope {
        Scope::Asset(id) => Untrusted::from(id.as_str()),
        Scope::Tag(tag) => Untrusted::from(format!("tag {tag}")),
        Scope::Group(group) => Untrusted::from(format!("group {group}")),
        Scope::Site(site) => Untrusted::from(format!("site {site}")),
        Scope::Behind(id) => Untrusted::from(format!("behind {}", id.as_str())),
    }
}

fn order_form(order: &Order) -> OrderForm {
    let scope = match &order.scope {
        Scope::Asset(id) => ScopeForm::Asset(id.as_str().to_owned()),
        Scope::Tag(tag) => ScopeForm::Tag(tag.to_string()),
        Scope::Group(group) => ScopeForm::Group(group.to_string()),
        Scope::Site(site) => ScopeForm::Site(site.to_string()),
        Scope::Behind(id) => ScopeForm::Behind(id.as_str().to_owned()),
    };
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (flexible_ms, note) = (order.flexible.map(millis), Some(text(&order.note)));
    let form = OrderForm { scope, flexible_ms, note, ..OrderForm::default() };
    match &order.span {
        Span::Once { from, until } => OrderForm { from: Some(from.millis()), until: Some(until.millis()), ..form },
        Span::Recurring { schedule, lasts } => OrderForm {
            cron: Some(schedule.cron.to_string()),
            timezone: Some(schedule.timezone.to_string()),
            lasts_ms: Some(millis(*lasts)),
            ..form
        },
    }
}

fn order(form: &OrderForm) -> Option<Order> {
    let scope = match &form.scope {
        ScopeForm::Asset(id) => Scope::Asset(AssetId::new(id)),
        ScopeForm::Tag(tag) => Scope::Tag(tag.as_str().into()),
        ScopeForm::Group(group) => Scope::Group(group.as_str().into()),
        ScopeForm::Site(site) => Scope::Site(site.as_str().into()),
        ScopeForm::Behind(id) => Scope::Behind(AssetId::new(id)),
        ScopeForm::Nothing => return None,
    };
    let span = match (form.from, form.until, &form.cron, &form.timezone, form.lasts_ms) {
        (Some(from), Some(until), None, None, None) => Span::Once { from: Timestamp(from), until: Timestamp(until) },
        (None, None, Some(cron), Some(zone), Some(lasts)) => {
            let schedule = Schedule { cron: cron.as_str().into(), timezone: zone.as_str().into() };
            Span::Recurring { schedule, lasts: Duration::from_millis(lasts) }
        }
        _ => return None,
    };
    let note = Untrusted::bounded(&bytes(form.note.as_ref()?)?, TEXT_LIMIT);
    Some(Order { scope, span, flexible: form.flexible_ms.map(Duration::from_millis), note })
}

fn target_form(target: &Target) -> TargetForm {
    let asset = target.asset().as_str().to_owned();
    let (mut host, mut device, mut job, mut check, mut port) = (Some(asset), None, None, None, None);
    match target {
        Target::Host(_) => {}
        Target::Check(key) => check = Some(key.name.to_string()),
        Target::Port(_, key) => port = Some(hex(&key.to_bytes())),
        Target::GonePorts(_) => port = Some(String::new()),
        Target::Device(_) => std::mem::swap(&mut host, &mut device),
        Target::Job(_) => std::mem::swap(&mut host, &mut job),
    }
    TargetForm { host, device, job, check, port }
}

fn target(form: &TargetForm) -> Option<Target> {
    let asset = AssetId::new(form.host.as_ref().or(form.device.as_ref()).or(form.job.as_ref())?);
    if form.device.is_some() {
        let alone = form.host.is_none() && form.job.is_none() && form.check.is_none() && form.port.is_none();
        return alone.then_some(Target::Device(asset));
    }
    Some(match (&form.host, &form.job, &form.check, &form.port) {
        (None, Some(_), None, None) => Target::Job(asset),
        (Some(_), None, None, None) => Target::Host(asset),
        (Some(_), None, Some(check), None) => {
            Target::Check(CheckKey { subject: Subject::Host(asset), name: check.as_str().into() })
        }
        (Some(_), None, None, Some(port)) if port.is_empty() => Target::GonePorts(asset),
        (Some(_), None, None, Some(port)) => Target::Port(asset, PortKey::from_bytes(&unhex(port)?)?),
        _ => return None,
    })
}

fn condition(word: &str) -> Option<Condition> {
    [Condition::Critical, Condition::Warning, Condition::Unknown].into_iter().find(|c| c.as_str() == word)
}

fn json(form: &impl Serialize) -> Untrusted {
    // Strings and numbers only: nothing of it can fail to be written.
    let bytes = serde_json::to_vec(form).unwrap_or_default();
    Untrusted::bounded(&bytes, TEXT_LIMIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ToldApart;

    fn any_target() -> impl Strategy<Value = Target> {
        let name = "[a-z/:.]{1,12}";
        prop_oneof![
            name.prop_map(|n| Target::Host(AssetId::new(n))),
            name.prop_map(|n| Target::Job(AssetId::new(n))),
            name.prop_map(|n| Target::GonePorts(AssetId::new(n))),
            name.prop_map(|n| Target::Device(AssetId::new(n))),
            (name, name).prop_map(|(host, check)| Target::Check(CheckKey {
                subject: Subject::Host(AssetId::new(host)),
                name: check.into()
            })),
            (name, prop::collection::vec(any::<u8>(), 0..20), any::<Option<u32>>()).prop_map(|(host, label, index)| {
                let told_apart = index.map_or(ToldApart::ByLabel, ToldApart::ByIndex);
                Target::Port(AssetId::new(host), PortKey { label: Untrusted::new(label), told_apart })
            }),
        ]
    }

    fn any_deed() -> impl Strategy<Value = Deed> {
        let octets = || prop::collection::vec(any::<u8>(), 0..200).prop_map(Untrusted::new);
        let conditions = [Condition::Critical, Condition::Warning, Condition::Unknown];
        let claimed = (
            any_target(),
            octets(),
            octets(),
            any::<i64>(),
            any::<bool>(),
            prop::option::of(prop::sample::select(conditions.to_vec())),
        )
            .prop_map(|(target, owner, note, until, sticky, condition)| {
                let stickiness = if sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening };
                Deed::Claimed(Claim { target, owner, note, until: Timestamp(until), stickiness, condition })
            });
        let released = (any_target(), any::<Option<u64>>(), prop::sample::select(&Release::ALL[..])).prop_map(
            |(target, claim, why)| Deed::Released { target, claim: claim.map(|n| n.to_string().into()), why },
        );
        let scopes = (0..5u8, "[a-z]{1,9}").prop_map(|(kind, name)| match kind {
            0 => Scope::Asset(AssetId::new(name)),
            1 => Scope::Tag(name.into()),
            2 => Scope::Group(name.into()),
            3 => Scope::Site(name.into()),
            _ => Scope::Behind(AssetId::new(name)),
        });
        let spans = (any::<bool>(), any::<i64>(), any::<i64>(), any::<u32>()).prop_map(|(once, from, until, lasts)| {
            if once {
                return Span::Once { from: Timestamp(from), until: Timestamp(until) };
            }
            let schedule = Schedule { cron: "0 2 * * *".into(), timezone: "Europe/Berlin".into() };
            Span::Recurring { schedule, lasts: Duration::from_millis(lasts.into()) }
        });
        let flexible = any::<Option<u32>>().prop_map(|ms| ms.map(|ms| Duration::from_millis(ms.into())));
        let ordered = (scopes, spans, flexible, octets())
            .prop_map(|(scope, span, flexible, note)| Deed::Ordered(Order { scope, span, flexible, note }));
        let cancelled = "[0-9A-Z]{26}".prop_map(|id| Deed::Cancelled { maintenance: id.into() });
        let paused = octets().prop_map(|note| Deed::Paused { note });
        prop_oneof![claimed, released, ordered, cancelled, paused, Just(Deed::Resumed)]
    }

    proptest! {
        #[test]
        fn a_deed_reads_back_from_its_entry(deed in any_deed()) {
            let form = form(&deed);
            prop_assert!(form.kind.is_deed());
            prop_assert_eq!(read(form.kind, &form.text), Some(deed));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..80)) {
            for kind in EntryKind::ALL {
                let _ = read(kind, &Untrusted::new(text.clone()));
            }
        }
    }
}
