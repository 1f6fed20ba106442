//! One conversation with one agent: a few scalars, then chosen columns of several tables side by side.
//!
//! ```text
//!           scalars            columns                more columns
//! Ask: GET ─────────▶ GETBULK ─────────▶ Sink::more ─────────────▶ done
//!       │ v1: GETNEXT    │ tooBig, silence: fewer values a request; then GETNEXT
//! ```
//! A column ends where the agent leaves it, says that nothing follows, repeats a row, or a cap is reached. What came
//! is always kept; what is missing is named in [`Walked::incomplete`], and which columns it concerns in
//! [`Walked::unfinished`].

use std::any::Any;
use std::time::Duration;

use super::ber::Writer;
use super::message::Version;
use super::oid::{Index, Oid, RawOid};
use super::pdu::{self, ErrorStatus, Pdu, PduKind, Value};

/// Where the values go.
pub trait Sink: Any + Send {
    /// The value of scalar number `scalar`; absent ones are not told.
    fn scalar(&mut self, scalar: usize, value: Value<'_>);

    /// A cell. False where this cell was there before: then the agent walks in a circle.
    fn cell(&mut self, column: usize, row: Index<'_>, value: Value<'_>) -> bool;

    /// When all columns have ended: more columns to walk, known only now. They are numbered on.
    fn more(&mut self) -> Vec<Oid> {
        Vec::new()
    }
}

/// What to ask and how much of it is enough.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Instances, with their `.0`.
    pub scalars: Vec<Oid>,
    /// Columns of tables, without an index.
    pub columns: Vec<Oid>,
    /// GETBULK's max-repetitions at most.
    pub max_repetitions: u16,
    /// Cells of one column at most.
    pub max_rows: u32,
    /// The same for columns of which more or less is wanted, by column; what is not in it keeps to `max_rows`.
    pub rows_of: Vec<u32>,
    /// Ask each column for one cell before many: for plans of which most devices have little.
    pub touch_first: bool,
    /// Octets of values at most.
    pub max_octets: usize,
    /// From the first request to the last answer.
    pub max_time: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            scalars: Vec::new(),
            columns: Vec::new(),
            max_repetitions: 25,
            max_rows: 50_000,
            rows_of: Vec::new(),
            touch_first: false,
            max_octets: 64 << 20,
            max_time: Duration::from_secs(300),
        }
    }
}

/// So many values fit into one unfragmented datagram on most devices.
const VALUES_A_REQUEST: usize = 64;
/// More names than that in one request overwhelm some agents.
const COLUMNS_A_REQUEST: usize = 32;

/// What a conversation came to.
pub struct Walked {
    pub sink: Box<dyn Sink>,
    pub answered: bool,
    /// Why something is missing, each reason once; empty where nothing is.
    pub incomplete: Vec<String>,
    /// The columns that did not come to their end, each once.
    pub unfinished: Vec<Unfinished>,
    pub requests: u32,
    pub varbinds: u64,
    /// Tries in vain.
    pub lost: u32,
}

/// A column that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub column: usize,
    /// The agent fell silent; asked for less or for something else, it may answer.
    pub silent: bool,
    pub reason: String,
}

impl std::fmt::Debug for Walked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walked")
            .field("answered", &self.answered)
            .field("incomplete", &self.incomplete)
            .field("requests", &self.requests)
            .field("varbinds", &self.varbinds)
            .finish_non_exhaustive()
    }
}

/// What to do after a try in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Send the same request once more.
    Same,
    /// Send another request.
    Changed,
    /// It is over.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Scalars,
    Columns,
    Done,
}

#[derive(Debug)]
struct Column {
    root: Oid,
    /// The last name that came, or the root.
    at: Oid,
    cells: u32,
    /// Cells at most.
    most: u32,
    open: bool,
    touched: bool,
    /// The word that ended it, where the agent gave no row that follows.
    ended_by: Option<&'static str>,
}

/// The state of a conversation.
pub struct Walk {
    plan: Plan,
    version: Version,
    phase: Phase,
    columns: Vec<Column>,
    /// The columns of the request that is out, in its order.
    asked: Vec<usize>,
    /// Scalars that the agent answers with an error; they are not asked for again.
    refused: Vec<usize>,
    /// Values that a request may ask for; halved where that was too much.
    values: usize,
    bulk: bool,
    /// Scalars by GETNEXT: v1, where one missing name would spoil the whole GET, and agents that do as if.
    scalars_by_next: bool,
    octets: usize,
    begun: Option<Duration>,
    result: Walked,
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk").field("phase", &self.phase).field("values", &self.values).finish_non_exhaustive()
    }
}

impl Walk {
    pub fn new(plan: Plan, version: Version, sink: Box<dyn Sink>) -> Self {
        let columns = plan.columns.iter().enumerate().map(|(i, root)| Column::new(root.clone(), &plan, i)).collect();
        let phase = match (plan.scalars.is_empty(), plan.columns.is_empty()) {
            (false, _) => Phase::Scalars,
            (true, false) => Phase::Columns,
            (true, true) => Phase::Done,
        };
        Self {
            bulk: version != Version::V1 && plan.max_repetitions > 1,
            scalars_by_next: version == Version::V1,
            values: VALUES_A_REQUEST,
            asked: Vec::with_capacity(plan.columns.len().min(COLUMNS_A_REQUEST)),
            refused: Vec::new(),
            octets: 0,
            begun: None,
            result: Walked {
                sink,
                answered: false,
                incomplete: Vec::new(),
                unfinished: Vec::new(),
                requests: 0,
                varbinds: 0,
                lost: 0,
            },
            plan,
            version,
            phase,
            columns,
        }
    }

    pub fn version(&self) -> Version {
        self.version
    }

    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    pub fn finish(self) -> Walked {
        self.result
    }

    /// Writes the next request's PDU.
    pub fn request(&mut self, id: i32, now: Duration, writer: &mut Writer) {
        self.begun.get_or_insert(now);
        self.result.requests += 1;
        if self.phase == Phase::Scalars {
            let kind = if self.scalars_by_next { PduKind::GetNext } else { PduKind::Get };
            let (plan, by_next, refused) = (&self.plan, self.scalars_by_next, &self.refused);
            pdu::encode(writer, kind, id, 0, 0, |w| {
                for scalar in plan.scalars.iter().enumerate().filter(|(i, _)| !refused.contains(i)).map(|(_, s)| s) {
                    let name = if by_next { parent(scalar) } else { scalar.as_raw() };
                    pdu::encode_varbind(w, name, Value::Null);
                }
            });
            return;
        }
        let most = COLUMNS_A_REQUEST.min(self.values.max(1));
        let touching = self.plan.touch_first && self.columns.iter().any(|c| c.open && !c.touched);
        let wanted = |column: &Column| column.open && !(touching && column.touched);
        self.asked.clear();
        self.asked.extend(self.columns.iter().enumerate().filter(|(_, c)| wanted(c)).map(|(i, _)| i).take(most));
        let repetitions = if touching { 1 } else { self.repetitions() };
        let (kind, second) = if self.bulk { (PduKind::GetBulk, repetitions) } else { (PduKind::GetNext, 0) };
        let (asked, columns) = (&self.asked, &self.columns);
        pdu::encode(writer, kind, id, 0, second, |w| {
            for column in asked {
                pdu::encode_varbind(w, columns[*column].at.as_raw(), Value::Null);
            }
        });
    }

    fn repetitions(&self) -> i32 {
        let fit = self.values / self.asked.len().max(1);
        i32::try_from(fit.clamp(1, usize::from(self.plan.max_repetitions.max(1)))).unwrap_or(1)
    }

    /// Takes the answer to the request that is out.
    pub fn answer(&mut self, pdu: &Pdu<'_>, now: Duration) {
        self.result.answered = true;
        let in_time = now.saturating_sub(self.begun.unwrap_or(now)) < self.plan.max_time;
        match self.phase {
            Phase::Scalars => self.take_scalars(pdu),
            Phase::Columns => self.take_columns(pdu),
            Phase::Done => {}
        }
        if self.phase == Phase::Columns && !in_time && self.columns.iter().any(|c| c.open) {
            self.cut_all(&format!("stopped after {} s", self.plan.max_time.as_secs()), false);
            self.phase = Phase::Done;
        }
    }

    /// No answer to try number `tried` (from 1) of `tries`.
    pub fn lost(&mut self, tried: u32, tries: u32) -> Again {
        self.result.lost += 1;
        let walking = self.phase == Phase::Columns && self.result.answered;
        if tried < tries {
            // Perhaps the answer was too large to arrive.
            if walking && self.bulk && self.values > 8 {
                self.values /= 2;
                return Again::Changed;
            }
            return Again::Same;
        }
        if walking && self.bulk && self.columns.iter().all(|c| c.cells == 0) {
            self.fall_back();
            return Again::Changed;
        }
        if walking || self.result.answered {
            self.cut_all(&format!("no answer after {tries} tries in the middle of the walk"), true);
        }
        self.phase = Phase::Done;
        Again::No
    }

    /// The agent does not let us in any more. What came is kept.
    pub fn refused(&mut self, reason: String) {
        if self.result.answered {
            self.note(reason);
        }
        self.phase = Phase::Done;
    }

    fn fall_back(&mut self) {
        self.bulk = false;
        self.values = 8;
    }

    fn take_scalars(&mut self, pdu: &Pdu<'_>) {
        if pdu.error_status == ErrorStatus::NO_SUCH_NAME && !self.scalars_by_next {
            self.scalars_by_next = true;
            return;
        }
        if pdu.error_status == ErrorStatus::NO_ERROR {
            // Replies to GET keep the order; by GETNEXT a missing scalar brings its neighbor, so names decide.
            for bind in pdu.varbinds() {
                self.result.varbinds += 1;
                let found = self.plan.scalars.iter().position(|s| s.as_bytes() == bind.name.as_bytes());
                if let Some(scalar) = found
                    && !bind.value.is_absent()
                {
                    self.result.sink.scalar(scalar, bind.value);
                }
            }
        } else if pdu.error_status == ErrorStatus::NO_SUCH_NAME
            && let Some(scalar) = self.blamed_scalar(pdu)
        {
            // By GETNEXT: there is nothing behind this one, so neither behind those that come later.
            let end = &self.plan.scalars[scalar];
            let beyond = |i: &usize| self.plan.scalars[*i].as_raw() >= end.as_raw() && !self.refused.contains(i);
            let beyond: Vec<usize> = (0..self.plan.scalars.len()).filter(beyond).collect();
            self.refused.extend(beyond);
            if self.refused.len() < self.plan.scalars.len() {
                return;
            }
        } else if let Some(scalar) = self.blamed_scalar(pdu) {
            // One that it cannot answer must not cost the others.
            self.note(format!("{}: the agent answered {}", self.plan.scalars[scalar], pdu.error_status.name()));
            self.refused.push(scalar);
            if self.refused.len() < self.plan.scalars.len() {
                return;
            }
        } else {
            let advice = if pdu.error_status == ErrorStatus::AUTHORIZATION_ERROR {
                ": its access rules do not let us read this, or not at this level"
            } else {
                ""
            };
            self.note(format!("the scalars: the agent answered {}{advice}", pdu.error_status.name()));
        }
        self.phase = if self.columns.is_empty() { Phase::Done } else { Phase::Columns };
    }

    /// The scalar that the error points at, where it may be left out. Of too many, the last.
    fn blamed_scalar(&self, pdu: &Pdu<'_>) -> Option<usize> {
        let mut asked = (0..self.plan.scalars.len()).filter(|scalar| !self.refused.contains(scalar));
        if pdu.error_status == ErrorStatus::TOO_BIG {
            return asked.next_back();
        }
        asked.nth(usize::try_from(pdu.error_index).ok()?.checked_sub(1)?)
    }

    fn take_columns(&mut self, pdu: &Pdu<'_>) {
        if pdu.error_status != ErrorStatus::NO_ERROR {
            self.take_error(pdu);
        } else if pdu.varbinds().next().is_none() {
            self.too_much("an empty answer");
        } else {
            self.take_cells(pdu);
        }
        if self.columns.iter().any(|c| c.open) {
            return;
        }
        self.doubt_ends();
        let more = self.result.sink.more();
        if more.is_empty() {
            self.phase = Phase::Done;
        } else {
            let first = self.columns.len();
            let plan = &self.plan;
            self.columns.extend(more.into_iter().enumerate().map(|(i, root)| Column::new(root, plan, first + i)));
        }
    }

    fn take_cells(&mut self, pdu: &Pdu<'_>) {
        let width = self.asked.len().max(1);
        for column in &self.asked {
            self.columns[*column].touched = true;
        }
        // Where each column goes on from, kept when all is read.
        let mut last = [None; COLUMNS_A_REQUEST];
        let mut place = width - 1;
        for bind in pdu.varbinds() {
            place = if place + 1 == width { 0 } else { place + 1 };
            let Some(&number) = self.asked.get(place) else { break };
            self.result.varbinds += 1;
            let column = &mut self.columns[number];
            if !column.open {
                continue;
            }
            let below = bind.name.below(&column.root);
            let Some(index) = below.filter(|_| !bind.value.is_absent()) else {
                // What follows is in another table: that is how columns end.
                if below.is_none() && bind.value != Value::EndOfMibView {
                    column.open = false;
                } else {
                    let before = last[place];
                    self.absent(number, before, bind.name, bind.value);
                }
                continue;
            };
            // Some agents' rows are out of order, so a lower name is no end; the same row twice is.
            let fresh = self.result.sink.cell(number, index, bind.value);
            if !fresh {
                self.cut(number, "the agent repeats itself");
                continue;
            }
            last[place] = Some(bind.name);
            column.cells += 1;
            self.octets += bind.name.as_bytes().len() + bind.value.octets().map_or(8, <[u8]>::len);
            if column.cells >= column.most {
                let reason = format!("stopped after {} rows", column.cells);
                self.cut(number, &reason);
            }
        }
        for (number, name) in self.asked.iter().zip(last) {
            if let Some(name) = name {
                self.columns[*number].at.assign(name);
            }
        }
        if self.octets > self.plan.max_octets {
            self.cut_all(&format!("stopped after {} octets", self.octets), false);
        }
    }

    fn take_error(&mut self, pdu: &Pdu<'_>) {
        let status = pdu.error_status;
        let at = usize::try_from(pdu.error_index).ok().and_then(|i| i.checked_sub(1));
        let blamed = at.and_then(|i| self.asked.get(i).copied());
        if status == ErrorStatus::TOO_BIG {
            self.too_much("tooBig");
        } else if status == ErrorStatus::NO_SUCH_NAME {
            match blamed {
                Some(column) => self.close_beyond(column),
                None => self.close_asked(),
            }
        } else if self.bulk {
            self.fall_back();
        } else {
            match blamed {
                Some(column) => self.cut(column, &format!("the agent answered {}", status.name())),
                None if self.values > 1 => self.values = 1,
                None => self.cut_asked(&format!("the agent answered {}", status.name())),
            }
        }
    }

    /// The answer does not fit: ask for less, and at last give the column up.
    fn too_much(&mut self, why: &str) {
        if self.values > 1 {
            self.values /= 2;
        } else if self.bulk {
            self.fall_back();
            self.values = 1;
        } else {
            self.cut_asked(&format!("a single value is too large for the agent ({why})"));
        }
    }

    /// The end of the MIB in v1: columns that begin behind it are absent.
    fn close_beyond(&mut self, column: usize) {
        let end = self.columns[column].at.clone();
        self.columns[column].open = false;
        for other in &mut self.columns {
            if other.cells == 0 && other.at.as_raw() >= end.as_raw() {
                other.open = false;
            }
        }
    }

    fn close_asked(&mut self) {
        for column in &self.asked {
            self.columns[*column].open = false;
        }
    }

    /// No value in a walk. With the name of a further row it is a hole, which no agent may answer with: what lies behind it is
    /// lost. With the name that was asked for, or at the end of the view, it may be the true end; see [`Self::doubt_ends`].
    fn absent(&mut self, number: usize, before: Option<RawOid<'_>>, name: RawOid<'_>, value: Value<'_>) {
        let word = match value {
            Value::NoSuchObject => "noSuchObject",
            Value::NoSuchInstance => "noSuchInstance",
            _ => "endOfMibView",
        };
        let column = &mut self.columns[number];
        column.open = false;
        if column.cells == 0 {
            return;
        }
        let before = before.unwrap_or_else(|| column.at.as_raw());
        if value != Value::EndOfMibView && name > before {
            self.cut(number, &format!("the agent says {word} in the middle"));
        } else {
            column.ended_by = Some(word);
        }
    }

    /// An end that only the agent's word vouches for is none where it told of a row behind it: in another column of the same
    /// table, or in one of those tables that have the same numbers for the same things.
    fn doubt_ends(&mut self) {
        for number in 0..self.columns.len() {
            let column = &self.columns[number];
            let Some(word) = column.ended_by else { continue };
            let beyond = |other: &Column| {
                let is_behind = word != "endOfMibView" || other.root.as_raw() > column.root.as_raw();
                other.cells > 0 && is_behind && other.goes_beyond(column)
            };
            let is_doubtful = self.columns.iter().any(beyond);
            self.columns[number].ended_by = None;
            if is_doubtful {
                self.cut(number, &format!("the agent says {word} in the middle"));
            }
        }
    }

    /// Ends a column before its end.
    fn cut(&mut self, number: usize, reason: &str) {
        self.columns[number].open = false;
        let text = format!("{}: {reason}", self.columns[number].root);
        self.result.unfinished.push(Unfinished { column: number, silent: false, reason: text.clone() });
        self.note(text);
    }

    fn cut_asked(&mut self, reason: &str) {
        self.note(reason.to_owned());
        for number in std::mem::take(&mut self.asked) {
            self.cut_open(number, reason, false);
        }
    }

    fn cut_all(&mut self, reason: &str, silent: bool) {
        self.note(reason.to_owned());
        for number in 0..self.columns.len() {
            self.cut_open(number, reason, silent);
        }
        self.doubt_ends();
    }

    fn cut_open(&mut self, column: usize, reason: &str, silent: bool) {
        if std::mem::replace(&mut self.columns[column].open, false) {
            self.result.unfinished.push(Unfinished { column, silent, reason: reason.to_owned() });
        }
    }

    /// A reason, once, and no more than a screenful of them.
    fn note(&mut self, reason: String) {
        if self.result.incomplete.len() < 20 && !self.result.incomplete.contains(&reason) {
            self.result.incomplete.push(reason);
        }
    }
}

impl Column {
    fn new(root: Oid, plan: &Plan, number: usize) -> Self {
        let most = plan.rows_of.get(number).copied().unwrap_or(plan.max_rows);
        Self { at: root.clone(), root, cells: 0, most, open: true, touched: false, ended_by: None }
    }

    /// Whether its last row lies behind the other's. Rows of different tables compare only where each is a single number.
    fn goes_beyond(&self, other: &Self) -> bool {
        let arcs = |column: &Self| -> Vec<u32> {
            column.at.as_raw().below(&column.root).map(|index| index.arcs().collect()).unwrap_or_default()
        };
        let (mine, others) = (arcs(self), arcs(other));
        let same_table = table(&self.root) == table(&other.root);
        (same_table || (mine.len() == 1 && others.len() == 1)) && mine > others
    }
}

/// The entry that a column is in.
fn table(column: &Oid) -> Vec<u32> {
    let mut arcs: Vec<u32> = column.as_raw().arcs().collect();
    arcs.pop();
    arcs
}

/// A scalar's object: the instance without its `.0`.
fn parent(scalar: &Oid) -> RawOid<'_> {
    let bytes = scalar.as_bytes();
    let object = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    RawOid::new(object).unwrap_or_else(|_| scalar.as_raw())
}

#[cfg(test)]
mod tests;
