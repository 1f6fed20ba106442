//! Where the panes of a screen stand: layouts are data, the shipped ones too. A layout has an arrangement for some screens; the
//! others are as in `standard`. Where the terminal is too small for an arrangement, its panes stand one above the other.

use std::sync::{Arc, OnceLock};

use ratatui::layout::Rect;

use super::panes::{PaneKind, ScreenId, no_such};
use super::views::misnamed;
use crate::base::options::{Problem, nearest};
use crate::config::layouts::{self, Detail, Height, LayoutOptions, RowOptions};
use crate::config::views::Word;

/// Between two columns.
const GAP: u16 = 2;
/// A column that is narrower is no use.
const NARROWEST: u16 = 20;
/// What a column that has nothing to show gets beside one that has, and in percent the same where it tells something else.
const BARE: u16 = 38;
const TELLING: u16 = 40;
/// The most that a row that has the rest takes for what stands below its lists: what changed, or how to go on.
pub const CALM: u16 = 30;
/// Below this height only the pane that has the focus is shown.
const LOWEST: u16 = 6;

/// What a pane would take of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Lines of its rule, its heads and its rows.
    pub lines: u16,
    /// Lines of what else it tells below them, where nobody else needs the room.
    pub below: u16,
    /// There is nothing at all that it could show.
    pub is_bare: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    /// Beside each other: the panes of each, and its share of the width.
    columns: Vec<(Vec<PaneKind>, u16)>,
    height: Height,
    least: u16,
    most: u16,
}

impl Row {
    /// Lines that the fullest of its columns would take.
    fn fullest(&self, lines: impl Fn(PaneKind) -> u16) -> u16 {
        let column = |panes: &[PaneKind]| panes.iter().fold(0, |sum: u16, kind| sum.saturating_add(lines(*kind)));
        self.columns.iter().map(|(panes, _)| column(panes)).max().unwrap_or(0)
    }

    /// The widths of the columns, by their shares. Those without anything to show leave what they need not to the others.
    fn widths(&self, mut width: u16, wants: &impl Fn(PaneKind) -> Wants) -> Vec<u16> {
        let is_bare = |panes: &[PaneKind]| panes.iter().all(|kind| wants(*kind).is_bare);
        let any_full = self.columns.iter().any(|(panes, _)| !is_bare(panes));
        let telling = (u32::from(width) * u32::from(TELLING) / 100) as u16;
        let enough = |panes: &[PaneKind]| {
            if panes.iter().any(|kind| wants(*kind).below > 0) { telling.max(BARE) } else { BARE }
        };
        let mut shares: u16 = self.columns.iter().map(|(_, share)| share).sum();
        let mut out = vec![0; self.columns.len()];
        // First those that give way, then the others share what is left.
        let order = |wanted: bool| {
            let columns = self.columns.iter().enumerate();
            columns
                .filter(move |(_, (panes, _))| (any_full && is_bare(panes)) == wanted)
                .map(|(at, (_, share))| (at, *share))
        };
        for (at, share) in order(true).chain(order(false)) {
            let own = (u32::from(width) * u32::from(share) / u32::from(shares)) as u16;
            let panes = &self.columns[at].0;
            out[at] = if any_full && is_bare(panes) { own.min(enough(panes)) } else { own };
            width -= out[at];
            shares -= share;
        }
        out
    }
}

/// The panes of one screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    rows: Vec<Row>,
    /// In the order of reading, which is that of Tab.
    pub panes: Vec<PaneKind>,
    from: (u16, u16),
    pub detail: Detail,
}

impl Arrangement {
    /// Whether a pane has more room than its rows ask for, as far as there is any.
    pub fn has_rest(&self, kind: PaneKind) -> bool {
        let is_there = |row: &Row| row.columns.iter().any(|(panes, _)| panes.contains(&kind));
        self.rows.iter().any(|row| row.height == Height::Rest && is_there(row))
    }

    /// The panes and their places.
    pub fn place(&self, area: Rect, focus: PaneKind, wants: impl Fn(PaneKind) -> Wants) -> Vec<(PaneKind, Rect)> {
        if area.height == 0 || area.width == 0 {
            return Vec::new();
        }
        if self.panes.len() == 1 || area.height < LOWEST {
            return vec![(focus, area)];
        }
        // Each is asked once: some answers cost a walk over what is watched.
        let wanted: Vec<(PaneKind, Wants)> = self.panes.iter().map(|kind| (*kind, wants(*kind))).collect();
        let wants = |kind| wanted.iter().find(|(of, _)| *of == kind).map_or_else(Wants::default, |(_, wants)| *wants);
        let roomy = area.width >= self.from.0 && area.height >= self.from.1;
        let placed = roomy.then(|| self.arranged(area, &wants)).flatten();
        placed.unwrap_or_else(|| {
            let stacked = stack(&self.panes, area, &wants);
            // Where not all of them have room, the one that is worked in has it all.
            if stacked.iter().any(|(kind, _)| *kind == focus) { stacked } else { vec![(focus, area)] }
        })
    }

    /// As it is meant; `None` where a pane would have no room.
    fn arranged(&self, area: Rect, wants: &impl Fn(PaneKind) -> Wants) -> Option<Vec<(PaneKind, Rect)>> {
        let lines = |kind| wants(kind).lines;
        let all = |kind| wants(kind).lines.saturating_add(wants(kind).below);
        let mut heights = vec![0; self.rows.len()];
        let mut left = area.height;
        for (row, height) in self.rows.iter().zip(&mut heights) {
            *height = match row.height {
                Height::Fit => {
                    let most = (u32::from(left) * u32::from(row.most) / 100) as u16;
                    row.fullest(lines).clamp(row.least, most.max(row.least))
                }
                Height::Lines(lines) => lines,
                Height::Share(share) => (u32::from(area.height) * u32::from(share) / 100) as u16,
                Height::Rest => 0,
            };
            left = left.checked_sub(*height)?;
        }
        let rest: Vec<usize> =
            self.rows.iter().enumerate().filter(|(_, row)| row.height == Height::Rest).map(|(at, _)| at).collect();
        // Nothing is left over: without a row that takes the rest, the last one does.
        let rest = if rest.is_empty() { vec![self.rows.len().checked_sub(1)?] } else { rest };
        let ends_fit = self.rows.last().is_some_and(|row| row.height == Height::Fit) && rest != [self.rows.len() - 1];
        for (n, at) in rest.iter().enumerate() {
            let share = left / (rest.len() - n) as u16;
            // What its lists do not fill is no hole in the middle of the screen: a last row that is as high as it needs has it.
            let row = &self.rows[*at];
            let most = row.fullest(lines).max(row.fullest(all).min(CALM)).saturating_add(1);
            let share = if ends_fit { share.min(most) } else { share };
            heights[*at] += share;
            left -= share;
        }
        if let Some(last) = heights.last_mut() {
            *last += left;
        }
        let mut placed = Vec::new();
        let mut y = area.y;
        for (row, height) in self.rows.iter().zip(heights) {
            let mut x = area.x;
            let gaps = GAP * (row.columns.len() as u16 - 1);
            let width = area.width.checked_sub(gaps)?;
            let widths = row.widths(width, wants);
            for ((panes, _), own) in row.columns.iter().zip(widths) {
                let column = Rect::new(x, y, own, height);
                if own < NARROWEST || height < 3 * panes.len() as u16 {
                    return None;
                }
                placed.extend(stack(panes, column, wants));
                x += own + GAP;
            }
            y += height;
        }
        Some(placed)
    }
}

/// One above the other; each gets what it needs as far as there is room, the first two first.
fn stack(panes: &[PaneKind], area: Rect, wants: &impl Fn(PaneKind) -> Wants) -> Vec<(PaneKind, Rect)> {
    let shown = panes.len().min(usize::from(area.height / 2).max(1));
    let mut heights = vec![2u16; shown];
    let mut used = 2 * shown as u16;
    while used < area.height {
        let before = used;
        // One row each in turn until there is no room or no need; the first two take two.
        for (at, kind) in panes.iter().take(shown).enumerate() {
            for _ in 0..if at < 2 { 2 } else { 1 } {
                if used < area.height && heights[at] < wants(*kind).lines {
                    heights[at] += 1;
                    used += 1;
                }
            }
        }
        if used == before {
            heights[1.min(shown - 1)] += area.height - used;
            break;
        }
    }
    let mut y = area.y;
    let mut out = Vec::new();
    for (kind, height) in panes.iter().zip(heights) {
        let height = height.min(area.bottom() - y);
        out.push((*kind, Rect { y, height, ..area }));
        y += height;
    }
    out
}

#[derive(Clone, Debug)]
pub struct Layout {
    name: String,
    screens: Vec<(ScreenId, Arc<Arrangement>)>,
}

impl Layout {
    fn at(&self, screen: ScreenId) -> Option<&Arc<Arrangement>> {
        self.screens.iter().find(|(id, _)| *id == screen).map(|(_, arrangement)| arrangement)
    }
}

/// All layouts, and the one that is shown.
#[derive(Clone, Debug)]
pub struct Layouts {
    all: Vec<Layout>,
    chosen: usize,
    /// Of a screen that no layout may have.
    sessions: Arc<Arrangement>,
}

impl Default for Layouts {
    fn default() -> Self {
        static SHIPPED: OnceLock<Vec<Layout>> = OnceLock::new();
        let shipped = SHIPPED.get_or_init(|| {
            let mut all = Vec::new();
            let (options, mut problems) = layouts::read_file("layouts.toml", layouts::SHIPPED.to_owned());
            for options in &options {
                if let Some((screen, arrangement)) = arrangement(options, &mut problems) {
                    add(&mut all, &options.name.0, screen, arrangement);
                }
            }
            debug_assert!(problems.is_empty(), "the shipped layouts have problems: {problems:?}");
            all
        });
        let sessions = Arrangement {
            rows: Vec::new(),
            panes: vec![PaneKind::Sessions],
            from: (1, 1),
            detail: Detail { share: 40, from: 180 },
        };
        Self { all: shipped.clone(), chosen: 0, sessions: Arc::new(sessions) }
    }
}

impl Layouts {
    /// The shipped ones with those of a configuration laid over them, `first` chosen; and what is wrong with these.
    pub fn new(options: &[LayoutOptions], first: Option<&Word>) -> (Self, Vec<Problem>) {
        let mut layouts = Self::default();
        let mut problems = Vec::new();
        let mut seen: Vec<(&str, ScreenId)> = Vec::new();
        for options in options {
            let Some((screen, arrangement)) = arrangement(options, &mut problems) else { continue };
            let name = options.name.0.as_str();
            if seen.contains(&(name, screen)) {
                let words = format!("the layout {name:?} has the screen {} already", screen.word());
                problems.push(Problem::error(&options.name.1, words));
                continue;
            }
            seen.push((name, screen));
            add(&mut layouts.all, name, screen, arrangement);
        }
        if let Some((name, place)) = first
            && let Err(words) = layouts.choose(name)
        {
            problems.push(Problem::error(place, words));
        }
        (layouts, problems)
    }

    pub fn at(&self, screen: ScreenId) -> &Arc<Arrangement> {
        if screen == ScreenId::Sessions {
            return &self.sessions;
        }
        let standard = || self.all.iter().find_map(|layout| layout.at(screen));
        self.all[self.chosen].at(screen).or_else(standard).unwrap_or(&self.sessions)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|layout| layout.name.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    pub fn name(&self) -> &str {
        &self.all[self.chosen].name
    }

    /// Which one that is.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// # Errors
    /// What to say where there is none of that name.
    pub fn choose(&mut self, name: &str) -> Result<(), String> {
        match self.all.iter().position(|layout| layout.name == name) {
            Some(at) => self.chosen = at,
            None => return Err(self.unknown(name)),
        }
        Ok(())
    }

    /// What to say where there is none of that name.
    pub fn unknown(&self, name: &str) -> String {
        match nearest(name, self.names()) {
            Some(near) => format!("there is no layout \"{name}\"; did you mean \"{near}\"?"),
            None => format!("there is no layout \"{name}\"; there are {}", self.names().collect::<Vec<_>>().join(", ")),
        }
    }

    /// Chooses the next one that has another arrangement for this screen; false where there is none.
    pub fn choose_next(&mut self, screen: ScreenId) -> bool {
        let (count, shown) = (self.all.len(), self.at(screen).clone());
        let is_other = |at: &usize| self.all[*at].at(screen).is_some_and(|other| !Arc::ptr_eq(other, &shown));
        let next = (1..count).map(|n| (self.chosen + n) % count).find(is_other);
        self.chosen = next.unwrap_or(self.chosen);
        next.is_some()
    }
}

fn add(all: &mut Vec<Layout>, name: &str, screen: ScreenId, arrangement: Arrangement) {
    let at = all.iter().position(|layout| layout.name == name).unwrap_or_else(|| {
        all.push(Layout { name: name.to_owned(), screens: Vec::new() });
        all.len() - 1
    });
    let screens = &mut all[at].screens;
    screens.retain(|(known, _)| *known != screen);
    screens.push((screen, Arc::new(arrangement)));
}

/// What a screen cannot do without: what leads there shows it.
pub fn needed(screen: ScreenId) -> &'static [PaneKind] {
    match screen {
        ScreenId::Overview => &[],
        ScreenId::Hosts => &[PaneKind::Hosts],
        ScreenId::Ports => &[PaneKind::Devices, PaneKind::Ports],
        ScreenId::Backups => &[PaneKind::Backups],
        ScreenId::Incident => &[PaneKind::Incident],
        ScreenId::Sessions => &[PaneKind::Sessions],
        ScreenId::Log => &[PaneKind::Log],
    }
}

/// What a file says; `None` where something of it means nothing, which `problems` say.
fn arrangement(options: &LayoutOptions, problems: &mut Vec<Problem>) -> Option<(ScreenId, Arrangement)> {
    let before = problems.len();
    if let Some(why) = misnamed("layout", &options.name.0, &[]) {
        problems.push(Problem::error(&options.name.1, why));
    }
    let screen = options.screen.as_ref().map_or(ScreenId::Overview, |word| ScreenId::of_word(word, problems));
    let mut panes = Vec::new();
    let rows: Vec<Row> = options.rows.iter().map(|row| read_row(row, &mut panes, problems)).collect();
    for kind in needed(screen) {
        if !panes.contains(kind) {
            let words = format!("the screen {} needs the pane `{}`", screen.word(), kind.word());
            problems.push(Problem::error(&options.name.1, words));
        }
    }
    if panes.contains(&PaneKind::Ports) && !panes.contains(&PaneKind::Devices) && screen != ScreenId::Ports {
        let words = "the pane `ports` shows those of the device that is selected in `devices`, which this layout lacks";
        problems.push(Problem::error(&options.name.1, words));
    }
    (problems.len() == before)
        .then_some((screen, Arrangement { rows, panes, from: options.from, detail: options.detail }))
}

fn read_row(row: &RowOptions, panes: &mut Vec<PaneKind>, problems: &mut Vec<Problem>) -> Row {
    let mut pane = |word: &Word| {
        let known = PaneKind::placeable().find(|kind| kind.word() == word.0);
        match known {
            Some(kind) if panes.contains(&kind) => {
                problems.push(Problem::error(&word.1, format!("the pane `{}` stands here twice", word.0)));
            }
            Some(kind) => panes.push(kind),
            None => {
                let names: Vec<&str> = PaneKind::placeable().map(PaneKind::word).collect();
                problems.push(no_such("pane", word, &names));
            }
        }
        known
    };
    let columns = row.columns.iter().zip(&row.widths);
    let columns = columns.map(|(words, share)| (words.iter().filter_map(&mut pane).collect(), *share)).collect();
    Row { columns, height: row.height, least: row.least, most: row.most }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts(text: &str) -> (Layouts, String) {
        let (options, problems) = layouts::read_file("l.toml", text.to_owned());
        let (layouts, more) = Layouts::new(&options, None);
        (layouts, problems.iter().chain(&more).map(Problem::brief).collect::<Vec<_>>().join("\n"))
    }

    fn lines(lines: u16) -> Wants {
        Wants { lines, ..Wants::default() }
    }

    /// `problems 0,0 80x5`, a line each.
    fn places(arrangement: &Arrangement, width: u16, height: u16, need: u16) -> Vec<String> {
        let placed = arrangement.place(Rect::new(0, 0, width, height), arrangement.panes[0], |_| lines(need));
        placed.iter().map(|(k, r)| format!("{} {},{} {}x{}", k.word(), r.x, r.y, r.width, r.height)).collect()
    }

    #[test]
    fn rows_and_columns_take_what_they_are_given() {
        let (own, problems) = layouts(
            "[[layout]]\nname = \"mine\"\nfrom = \"60x12\"\nrow = [\n{ panes = [\"problems\"], height = \"fit\", least = 4, most = \"50%\" },\n\
             { panes = [\"devices\", [\"hosts\", \"log\"]], widths = [1, 2] },\n{ panes = [\"backups\"], height = 5 },\n]\n",
        );
        assert_eq!(problems, "");
        let mut own = own;
        own.choose("mine").expect("it is there");
        let mine = own.at(ScreenId::Overview);
        assert_eq!(
            places(mine, 92, 40, 8),
            ["problems 0,0 92x8", "devices 0,8 30x27", "hosts 32,8 60x8", "log 32,16 60x19", "backups 0,35 92x5"]
        );
        // What fits takes half of what is there at most, and what it must have at least.
        assert_eq!(places(mine, 92, 40, 90)[0], "problems 0,0 92x20");
        assert_eq!(places(mine, 92, 40, 1)[0], "problems 0,0 92x4");
        // Smaller than it needs: one above the other, all of them.
        let stacked = places(mine, 59, 30, 4);
        assert_eq!(stacked.len(), 5);
        assert!(stacked.iter().all(|place| place.contains(" 0,") && place.contains(" 59x")), "{stacked:?}");
    }

    #[test]
    fn every_layout_covers_the_screen_at_every_size() {
        let shipped = Layouts::default();
        for layout in &shipped.all {
            for (screen, arrangement) in &layout.screens {
                for (width, height) in (1..=320).step_by(7).flat_map(|w| (1..=90).step_by(3).map(move |h| (w, h))) {
                    for need in [2, 9, 400] {
                        let area = Rect::new(0, 3, width, height);
                        for focus in &arrangement.panes {
                            let placed = arrangement.place(area, *focus, |_| lines(need));
                            let what = format!("{} {} {width}x{height} {need}", layout.name, screen.word());
                            assert!(placed.iter().any(|(kind, _)| kind == focus), "{what}: the focus is not shown");
                            assert!(placed.iter().all(|(_, r)| area.union(*r) == area && !r.is_empty()), "{what}");
                            for (at, (_, one)) in placed.iter().enumerate() {
                                assert!(placed[at + 1..].iter().all(|(_, r)| !r.intersects(*one)), "{what}: overlap");
                            }
                            assert!(placed.iter().any(|(_, r)| r.bottom() == area.bottom()), "{what}: rows unused");
                            assert!(placed.iter().any(|(_, r)| r.right() == area.right()), "{what}: columns unused");
                        }
                    }
                }
            }
        }
    }

    /// What is left of a tall screen is below the last row, and not a hole in the middle.
    #[test]
    fn a_screen_that_is_taller_than_its_lists_has_no_hole_in_the_middle() {
        let shipped = Layouts::default();
        let overview = shipped.at(ScreenId::Overview);
        let tall = |wants: &dyn Fn(PaneKind) -> Wants| {
            let placed = overview.place(Rect::new(0, 0, 300, 76), PaneKind::Hosts, wants);
            let kinds = [PaneKind::Problems, PaneKind::Hosts, PaneKind::Backups];
            kinds.map(|kind| placed.iter().find(|(of, _)| *of == kind).map_or((0, 0), |(_, r)| (r.y, r.height)))
        };
        assert_eq!(tall(&|_| lines(9)), [(0, 9), (9, 10), (19, 57)]);
        // What is told below the lists has room, up to a point.
        let told = |kind, below| Wants { below: if kind == PaneKind::Devices { below } else { 0 }, ..lines(9) };
        assert_eq!(tall(&|_| lines(3))[1], (4, 4), "two hosts and nothing else");
        assert_eq!(tall(&|kind| told(kind, 8))[1], (9, 18));
        assert_eq!(tall(&|kind| told(kind, 80))[1], (9, 31));
        assert_eq!(tall(&|kind| lines(if kind == PaneKind::Hosts { 40 } else { 6 })), [(0, 6), (6, 41), (47, 29)]);
        // A last row whose height was asked for keeps it.
        let (own, _) = layouts(
            "[[layout]]\nname = \"mine\"\nfrom = \"60x12\"\nrow = [{ panes = [\"hosts\"] }, { panes = [\"backups\"], height = 5 }]\n",
        );
        let mut own = own;
        own.choose("mine").expect("it is there");
        assert_eq!(places(own.at(ScreenId::Overview), 92, 76, 4), ["hosts 0,0 92x71", "backups 0,71 92x5"]);
        // Where the lists are long, what fits has what it may, and they have all that is left.
        assert_eq!(tall(&|_| lines(400)), [(0, 30), (30, 28), (58, 18)]);
    }

    #[test]
    fn a_column_that_has_nothing_to_show_leaves_its_room_to_the_others() {
        let layouts = Layouts::default();
        let arrangement = layouts.at(ScreenId::Overview);
        let widths_with = |bare: &[PaneKind], below| {
            let area = Rect::new(0, 0, 160, 50);
            let below = |kind| if kind == PaneKind::Devices { below } else { 0 };
            let wants = |kind| Wants { is_bare: bare.contains(&kind), below: below(kind), ..lines(6) };
            let placed = arrangement.place(area, PaneKind::Problems, wants);
            [PaneKind::Hosts, PaneKind::Devices, PaneKind::Backups, PaneKind::Incident]
                .map(|kind| placed.iter().find(|(of, _)| *of == kind).map_or(0, |(_, area)| area.width))
        };
        let widths = |bare| widths_with(bare, 0);
        assert_eq!(widths(&[]), [79, 79, 79, 79]);
        assert_eq!(widths_with(&[PaneKind::Devices], 4)[..2], [95, 63], "it tells what changed");
        assert_eq!(widths(&[PaneKind::Devices, PaneKind::Backups]), [120, 38, 38, 120]);
        assert_eq!(widths(&[PaneKind::Hosts, PaneKind::Devices]), [79, 79, 79, 79], "none has anything");
    }

    #[test]
    fn names_and_panes_that_mean_nothing_are_told_with_their_place() {
        for (text, want) in [
            ("name = \"a b\"\nrow = [{ panes = [\"log\"] }]", "l.toml:2:8: a layout's name is one word"),
            (
                "name = \"a\"\nscreen = \"moon\"\nrow = [{ panes = [\"log\"] }]",
                "l.toml:3:10: no screen is called \"moon\"",
            ),
            ("name = \"a\"\nscreen = \"sessions\"\nrow = [{ panes = [\"log\"] }]", "no screen is called \"sessions\""),
            (
                "name = \"a\"\nrow = [{ panes = [\"host\"] }]",
                "l.toml:3:19: no pane is called \"host\"; did you mean `hosts`?",
            ),
            ("name = \"a\"\nrow = [{ panes = [\"log\", \"log\"] }]", "l.toml:3:26: the pane `log` stands here twice"),
            (
                "name = \"a\"\nscreen = \"hosts\"\nrow = [{ panes = [\"log\"] }]",
                "the screen hosts needs the pane `hosts`",
            ),
            ("name = \"a\"\nrow = [{ panes = [\"ports\"] }]", "l.toml:2:8: the pane `ports` shows those of the device"),
        ] {
            let (own, problems) = layouts(&format!("[[layout]]\n{text}\n"));
            assert!(problems.contains(want), "{text}: {problems}");
            assert_eq!(own.all.len(), Layouts::default().all.len(), "{text}");
        }
        let twice = "[[layout]]\nname = \"a\"\nrow = [{ panes = [\"log\"] }]\n".repeat(2);
        let (own, problems) = layouts(&twice);
        assert!(problems.contains("l.toml:5:8: the layout \"a\" has the screen overview already"), "{problems}");
        assert!(own.names().any(|name| name == "a"));
    }

    #[test]
    fn the_standard_can_be_replaced_and_a_screen_without_an_arrangement_has_the_standard_one() {
        let (mut own, problems) = layouts(
            "[[layout]]\nname = \"standard\"\nscreen = \"ports\"\nrow = [{ panes = [\"devices\", \"ports\"] }]\n\
             [[layout]]\nname = \"mine\"\nrow = [{ panes = [\"log\"] }]\n",
        );
        assert_eq!(problems, "");
        assert_ne!(own.at(ScreenId::Ports), Layouts::default().at(ScreenId::Ports));
        own.choose("mine").expect("it is there");
        assert_eq!(own.at(ScreenId::Overview).panes, [PaneKind::Log]);
        assert_eq!(own.at(ScreenId::Ports).panes, [PaneKind::Devices, PaneKind::Ports]);
        assert_eq!(own.at(ScreenId::Sessions).panes, [PaneKind::Sessions]);
        let said = own.choose("mien").expect_err("there is none");
        assert_eq!(said, "there is no layout \"mien\"; did you mean \"mine\"?");
        assert_eq!(own.name(), "mine");
    }

    #[test]
    fn the_next_layout_is_one_that_changes_this_screen() {
        let mut shipped = Layouts::default();
        let mut turn = |screen| shipped.choose_next(screen).then(|| shipped.name().to_owned());
        let names = ["triage", "network", "lead", "wide", "standard"].map(|name| Some(name.to_owned()));
        assert_eq!([(); 5].map(|()| turn(ScreenId::Overview)), names);
        assert_eq!(turn(ScreenId::Hosts), None);
        assert_eq!(turn(ScreenId::Ports).as_deref(), Some("network"));
        assert_eq!(turn(ScreenId::Hosts), None, "the others have no hosts of their own");
        assert_eq!(turn(ScreenId::Overview).as_deref(), Some("lead"));
        assert_eq!(turn(ScreenId::Ports).as_deref(), Some("network"), "that of lead is the standard one");
        assert_eq!(turn(ScreenId::Ports).as_deref(), Some("standard"));
    }
}
