//! Fits a faceplate into so many columns and lines.

use super::{Cell, Faceplate, Group, Unit};
use crate::base::text;

/// What a faceplate became for want of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Two rows a unit, as on the device.
    TwoRows,
    /// One row a unit.
    OneRow,
    /// All ports one after the other.
    Grid,
    /// One row a unit without some of its access ports: [`Laid::left_out`].
    Short,
    /// No ports, only how many are in which state: [`Laid::counts`].
    Counts,
}

/// Where everything goes. Places are columns and lines from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    pub form: Form,
    pub height: u16,
    /// Ports: where, and which row of the device's table.
    pub cells: Vec<(u16, u16, usize)>,
    /// Numbers of units and columns.
    pub labels: Vec<(u16, u16, String)>,
    /// The line that has the numbers of the columns.
    pub header: Option<u16>,
    /// For [`Form::Short`]: where the mark of those ports stands that are left out, and their rows of the table.
    pub left_out: Vec<(u16, u16, Vec<usize>)>,
    /// For [`Form::Counts`]: what is counted together, a line each.
    pub counts: Vec<(String, Vec<usize>)>,
}

/// Ports of two rows between two gaps.
const BLOCK: u16 = 6;
/// A row that shows less than this part of a unit's ports says less than their counts.
const LEAST: usize = 3;
/// Between two groups.
const GROUP_GAP: u16 = 3;

/// How wide a port is, and whether blocks stand apart.
#[derive(Clone, Copy)]
struct Pitch {
    cell: u16,
    blocks: bool,
}

const PITCHES: [Pitch; 4] = [
    Pitch { cell: 3, blocks: true },
    Pitch { cell: 2, blocks: true },
    Pitch { cell: 1, blocks: true },
    Pitch { cell: 1, blocks: false },
];

impl Pitch {
    /// Where a column begins, from the beginning of its group.
    fn x(self, column: u16) -> u16 {
        let gaps = if self.blocks { column / BLOCK } else { 0 };
        column.saturating_mul(self.cell).saturating_add(gaps)
    }

    fn width(self, group: &Group) -> u16 {
        group.columns().checked_sub(1).map_or(0, |last| self.x(last).saturating_add(self.cell))
    }

    fn unit_width(self, unit: &Unit) -> u16 {
        let groups = unit.groups.iter().map(|g| self.width(g)).fold(0u16, u16::saturating_add);
        groups.saturating_add(GROUP_GAP.saturating_mul(unit.groups.len().saturating_sub(1) as u16))
    }
}

impl Faceplate {
    /// The fullest form that fits into `width` columns and `height` lines; `most` lines where that keeps ports from becoming
    /// counts. Where some have to be left out, those that matter (by their row of the table) and the uplinks stay longest.
    pub fn lay(&self, width: u16, height: u16, most: u16, matters: &dyn Fn(usize) -> bool) -> Laid {
        let margin = self.margin();
        let room = width.saturating_sub(margin);
        let fits = |pitch: &&Pitch| self.units.iter().all(|unit| pitch.unit_width(unit) <= room);
        if let Some(pitch) = PITCHES.iter().find(fits) {
            let headed = self.two_rows(*pitch, margin, true);
            if headed.height <= height {
                return headed;
            }
            let bare = self.two_rows(*pitch, margin, false);
            if bare.height <= height {
                return bare;
            }
        }
        if self.units.len() > 1
            && let Some(rows) = self.one_row(margin, room).filter(|rows| rows.height <= most)
        {
            return rows;
        }
        let grid = self.grid(margin, room);
        if grid.height <= most && room > 0 {
            return grid;
        }
        self.short(margin, room, matters).filter(|short| short.height <= most).unwrap_or_else(|| self.counts(height))
    }

    /// Room for the numbers of the units, at the left.
    fn margin(&self) -> u16 {
        let widest = self.units.iter().map(|u| text::width(&u.label)).max().unwrap_or(0) as u16;
        if widest == 0 { 0 } else { widest + 2 }
    }

    fn two_rows(&self, pitch: Pitch, margin: u16, headed: bool) -> Laid {
        let mut laid = Laid::empty(Form::TwoRows);
        if headed {
            laid.header = Some(0);
            laid.height = 1;
            // Numbers of all units stand at the same places, or the first unit's are said.
            if let Some(unit) = self.units.first() {
                column_labels(unit, pitch, margin, self.units.len() == 1, &mut laid.labels);
            }
        }
        for unit in &self.units {
            laid.unit_label(unit);
            let mut x = margin;
            for group in &unit.groups {
                for cell in &group.cells {
                    // In the middle of three columns.
                    let inset = u16::from(pitch.cell == 3);
                    let y = laid.height + u16::from(cell.lower);
                    laid.cells.push((x + pitch.x(cell.column) + inset, y, cell.row));
                }
                x += pitch.width(group) + GROUP_GAP;
            }
            laid.height += 2;
        }
        laid
    }

    /// One row a unit, with gaps after each dozen as far as there is room; `None` where a unit is too wide.
    fn one_row(&self, margin: u16, room: u16) -> Option<Laid> {
        let mut laid = Laid::empty(Form::OneRow);
        for unit in &self.units {
            laid.unit_label(unit);
            let ports: usize = unit.groups.iter().map(|g| g.cells.len()).sum();
            let gaps = unit.groups.len().saturating_sub(1);
            let dozens: usize = unit.groups.iter().map(|g| g.cells.len().saturating_sub(1) / 12).sum();
            let room = usize::from(room);
            if ports + gaps > room {
                return None;
            }
            let dozens = ports + gaps + dozens <= room;
            let mut x = margin;
            for group in &unit.groups {
                for (at, cell) in group.cells.iter().enumerate() {
                    x += u16::from(dozens && at > 0 && at % 12 == 0);
                    laid.cells.push((x, laid.height, cell.row));
                    x += 1;
                }
                x += 1;
            }
            laid.height += 1;
        }
        Some(laid)
    }

    /// One row a unit; `None` where that would leave out most of the ports ([`LEAST`]).
    fn short(&self, margin: u16, room: u16, matters: &dyn Fn(usize) -> bool) -> Option<Laid> {
        let mut laid = Laid::empty(Form::Short);
        for unit in &self.units {
            laid.unit_label(unit);
            let ports: Vec<Rank> = unit.ranked(matters).map(|(_, rank)| rank).collect();
            let gaps = unit.groups.len().saturating_sub(1);
            let all = ports.len() + gaps <= usize::from(room);
            let taken = if all { gaps } else { gaps + mark(ports.len()).len() + 2 };
            let kept = keep(&ports, usize::from(room).saturating_sub(taken));
            if kept.iter().filter(|kept| **kept).count() * LEAST < ports.len() {
                return None;
            }
            let rows = unit.ranked(matters).map(|(cell, _)| cell.row);
            let out: Vec<usize> = rows.zip(&kept).filter(|(_, kept)| !**kept).map(|(row, _)| row).collect();
            let (mut x, mut at, mut marked) = (margin, 0, out.is_empty());
            for group in &unit.groups {
                for cell in &group.cells {
                    if kept[at] {
                        laid.cells.push((x, laid.height, cell.row));
                        x += 1;
                    } else if !marked {
                        marked = true;
                        laid.left_out.push((x + 1, laid.height, out.clone()));
                        x += mark(out.len()).len() as u16 + 2;
                    }
                    at += 1;
                }
                x += 1;
            }
            laid.height = laid.height.saturating_add(1);
        }
        Some(laid)
    }

    fn grid(&self, margin: u16, room: u16) -> Laid {
        let mut laid = Laid::empty(Form::Grid);
        for unit in &self.units {
            laid.unit_label(unit);
            let cells: Vec<&Cell> = unit.groups.iter().flat_map(|g| &g.cells).collect();
            for line in cells.chunks(usize::from(room.max(1))) {
                for (x, cell) in (margin..).zip(line) {
                    laid.cells.push((x, laid.height, cell.row));
                }
                laid.height = laid.height.saturating_add(1);
            }
        }
        laid
    }

    /// A line a unit, or a group where there is one unit; what does not fit is counted in the last line.
    fn counts(&self, height: u16) -> Laid {
        let mut laid = Laid::empty(Form::Counts);
        let by_group = self.units.len() == 1;
        for unit in &self.units {
            if by_group {
                for group in &unit.groups {
                    let rows: Vec<usize> = group.cells.iter().map(|c| c.row).collect();
                    match laid.counts.iter_mut().find(|(stem, _)| *stem == group.stem) {
                        Some((_, known)) => known.extend(rows),
                        None => laid.counts.push((group.stem.clone(), rows)),
                    }
                }
            } else {
                let rows = unit.groups.iter().flat_map(|g| &g.cells).map(|c| c.row).collect();
                laid.counts.push((unit.label.clone(), rows));
            }
        }
        let most = usize::from(height.max(1));
        if laid.counts.len() > most {
            let rest: Vec<(String, Vec<usize>)> = laid.counts.drain(most - 1..).collect();
            let count = rest.len();
            laid.counts.push((format!("+{count}"), rest.into_iter().flat_map(|(_, rows)| rows).collect()));
        }
        laid.height = laid.counts.len() as u16;
        laid
    }
}

/// Which ports are left out last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It has a problem.
    Matters,
    Uplink,
    Access,
}

/// Those that stay where there is room for so many: by their ranks, the first of equals.
pub fn keep(ranks: &[Rank], room: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by_key(|at| ranks[*at]);
    let mut kept = vec![false; ranks.len()];
    order.into_iter().take(room).for_each(|at| kept[at] = true);
    kept
}

/// Stands for ports that are left out.
pub fn mark(count: usize) -> String {
    format!("+{count}")
}

impl Unit {
    /// Its ports in the order of the front. The largest group are those for whoever comes, the others lead on.
    fn ranked(&self, matters: &dyn Fn(usize) -> bool) -> impl Iterator<Item = (&Cell, Rank)> {
        let access = self.groups.iter().map(|group| group.cells.len()).max().unwrap_or(0);
        let access = self.groups.iter().position(|group| group.cells.len() == access);
        self.groups.iter().enumerate().flat_map(move |(at, group)| {
            group.cells.iter().map(move |cell| {
                let rank = if Some(at) == access { Rank::Access } else { Rank::Uplink };
                (cell, if matters(cell.row) { Rank::Matters } else { rank })
            })
        })
    }
}

impl Faceplate {
    /// All ports in the order of the front, and which of them are left out last.
    pub fn ranked(&self, matters: &dyn Fn(usize) -> bool) -> Vec<(usize, Rank)> {
        self.units.iter().flat_map(|unit| unit.ranked(matters)).map(|(cell, rank)| (cell.row, rank)).collect()
    }
}

impl Laid {
    fn empty(form: Form) -> Self {
        let (cells, labels, left_out, counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { form, height: 0, cells, labels, header: None, left_out, counts }
    }

    fn unit_label(&mut self, unit: &Unit) {
        if !unit.label.is_empty() {
            self.labels.push((0, self.height, unit.label.clone()));
        }
    }
}

/// The number over the first column of each block. A group of its own says its whole name where there is room before the next.
fn column_labels(unit: &Unit, pitch: Pitch, margin: u16, names: bool, labels: &mut Vec<(u16, u16, String)>) {
    let mut wanted: Vec<(u16, String, String)> = Vec::new();
    let mut x = margin;
    for group in &unit.groups {
        let step = if pitch.blocks { BLOCK } else { BLOCK * 2 };
        for cell in group.cells.iter().filter(|c| !c.lower && c.column % step == 0) {
            let short = cell.number.map(|n| n.to_string()).unwrap_or_default();
            let first = cell.column == 0;
            let whole = if first && names { format!("{}{short}", group.stem) } else { short.clone() };
            let inset = u16::from(pitch.cell == 3);
            wanted.push((x + pitch.x(cell.column) + inset, whole, short));
        }
        x += pitch.width(group) + GROUP_GAP;
    }
    let mut free = margin;
    for (at, (x, whole, short)) in wanted.iter().enumerate() {
        let next = wanted.get(at + 1).map_or(x.saturating_add(12), |(next, _, _)| *next);
        let room = usize::from(next.saturating_sub(*x)).saturating_sub(1);
        let label = [whole, short].into_iter().find(|l| !l.is_empty() && text::width(l) <= room);
        if let Some(label) = label.filter(|_| *x >= free) {
            free = x + text::width(label) as u16 + 1;
            labels.push((*x, 0, label.clone()));
        }
    }
}
