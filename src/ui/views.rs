//! Views: a place on the screen under a name. Those of the configuration are everybody's and are changed there; a console's own
//! are saved by `:view save NAME`.

use super::app::App;
use super::columns::{Choice, Column, Sort};
use super::filter::Filter;
use super::grouping::GroupBy;
use super::overlays::Overlay;
use super::panes::{PaneKind, ScreenId, no_such};
use super::sorting::{By, Order, unway, way};
use crate::base::options::{Problem, nearest};
use crate::bus::MessageWeight;
use crate::config::views::{ViewOptions, Word};

/// What a list is sorted by, as far as the view's screen has a list that can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sorted {
    Rows(PaneKind, Order),
    Ports(Sort),
}

#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub name: String,
    screen: ScreenId,
    filter: String,
    problems_only: bool,
    sorted: Option<Sorted>,
    /// The list of devices beside it; `None` leaves it as it is.
    devices: Option<Order>,
    group: GroupBy,
    /// `None` leaves the panes where they are.
    layout: Option<String>,
    hidden: Vec<Column>,
    /// Where the configuration has it; `None` for one of the console's own.
    pub place: Option<String>,
}

/// The words of a view as a file has them; empty ones are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub name: String,
    pub screen: String,
    pub filter: String,
    pub problems_only: bool,
    pub sort: String,
    pub sort_devices: String,
    pub group: String,
    pub layout: String,
    pub hide: Vec<String>,
}

/// Puts one of the console's own views on disk, or takes the one of that name away: what another console has kept there stays.
/// What has to be said of it besides, where something has.
pub type Keep = Box<dyn Fn(&str, Option<&Words>) -> Result<Option<String>, String> + Send>;

/// All that are known, those of the configuration first.
#[derive(Default)]
pub struct Views {
    all: Vec<View>,
    keep: Option<Keep>,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}

impl Views {
    /// Where two have one name, the first counts.
    pub fn new(all: Vec<View>, keep: Option<Keep>) -> Self {
        let mut views = Self { all: Vec::new(), keep };
        for view in all {
            if views.named(&view.name).is_none() {
                views.all.push(view);
            }
        }
        views
    }

    pub fn all(&self) -> &[View] {
        &self.all
    }

    pub fn named(&self, name: &str) -> Option<&View> {
        self.all.iter().find(|view| view.name == name)
    }

    fn keep(&self, name: &str, view: Option<&View>) -> Result<Option<String>, String> {
        let Some(keep) = &self.keep else { return Err("this console has no state directory".to_owned()) };
        keep(name, view.map(View::to_words).as_ref())
    }
}

/// Why a thing of the screen cannot be called so.
pub fn misnamed(what: &str, name: &str, taken: &[&str]) -> Option<String> {
    let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.');
    let but = if taken.is_empty() { String::new() } else { format!(", none of {}", taken.join(", ")) };
    (name.is_empty() || name.len() > 40 || name.contains(odd) || taken.contains(&name))
        .then(|| format!("a {what}'s name is one word of letters, digits, `-`, `_` and `.`, 40 octets at most{but}"))
}

/// What `:view` takes for a deed.
const DEEDS: [&str; 3] = ["save", "save!", "delete"];

impl View {
    /// What a file says; `None` where something of it means nothing, which `problems` say.
    pub fn of(options: &ViewOptions, is_shared: bool, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        if let Some(why) = misnamed("view", &options.name.0, &DEEDS) {
            problems.push(Problem::error(&options.name.1, why));
        }
        let screen = options.screen.as_ref().map_or(ScreenId::Overview, |word| ScreenId::of_word(word, problems));
        let said = options.sort.as_ref().and_then(|word| sorted(screen, word, problems));
        let sorted = said.or_else(|| as_shipped(screen));
        let shipped = || (screen == ScreenId::Ports).then(|| Order::shipped(PaneKind::Devices));
        let devices = options.sort_devices.as_ref().and_then(|word| ordered(PaneKind::Devices, word, problems));
        let devices = devices.or_else(shipped);
        let group = options.group.as_ref().map_or(GroupBy::Nothing, |word| {
            GroupBy::named(&word.0).unwrap_or_else(|| {
                problems.push(no_such("grouping", word, &GroupBy::NAMES.map(|(name, _)| name)));
                GroupBy::Nothing
            })
        });
        let mut hidden = Vec::new();
        for word in &options.hide {
            match Column::named(&word.0) {
                Some(column) if column.is_fixed() => {
                    problems.push(Problem::error(&word.1, format!("the column `{}` is always shown", word.0)));
                }
                Some(column) => hidden.push(column),
                None => {
                    let names: Vec<&str> = Column::names().collect();
                    problems.push(no_such("column of the port table", word, &names));
                }
            }
        }
        let filter = options.filter.as_ref().map_or("", |word| word.0.as_str());
        if let (Some(word), Some(why)) = (&options.filter, Filter::parse(filter).mistake()) {
            problems.push(Problem::error(&word.1, why.said()));
        }
        let place = is_shared.then(|| {
            let at = &options.name.1;
            format!("{}:{}", at.source.name, at.line_and_column().0)
        });
        let view = Self {
            name: options.name.0.clone(),
            screen,
            filter: filter.to_owned(),
            problems_only: options.problems_only,
            sorted,
            devices,
            group,
            layout: options.layout.as_ref().map(|word| word.0.clone()),
            hidden,
            place,
        };
        (problems.len() == before).then_some(view)
    }

    /// What is on the screen now.
    fn of_screen(app: &App, name: &str) -> Self {
        let sorted = match list_of(app.screen) {
            Some(kind) => Some(Sorted::Rows(kind, app.order_of(kind))),
            None => (app.screen == ScreenId::Ports).then_some(Sorted::Ports(app.columns.sort)),
        };
        let on = |screen| app.screen == screen;
        Self {
            name: name.to_owned(),
            screen: app.screen,
            filter: app.filter.text.clone(),
            problems_only: app.problems_only,
            sorted,
            devices: app.shows(PaneKind::Devices).then(|| app.order_of(PaneKind::Devices)),
            group: if on(ScreenId::Hosts) { app.grouping.by() } else { GroupBy::Nothing },
            layout: Some(app.layouts.name().to_owned()).filter(|_| app.layouts.chosen() > 0),
            hidden: if on(ScreenId::Ports) { app.columns.hidden.clone() } else { Vec::new() },
            place: None,
        }
    }

    /// As a file has it.
    pub fn to_words(&self) -> Words {
        let rows = |kind, order: Order| {
            if order == Order::shipped(kind) { String::new() } else { way(order.by.name(), order.reversed) }
        };
        let sort = match self.sorted {
            Some(Sorted::Rows(kind, order)) => rows(kind, order),
            Some(Sorted::Ports(sort)) if sort != Sort::default() => way(sort.column.name(), sort.reversed),
            _ => String::new(),
        };
        let group = if self.group == GroupBy::Nothing { "" } else { self.group.name() };
        Words {
            name: self.name.clone(),
            screen: self.screen.word(),
            filter: self.filter.clone(),
            problems_only: self.problems_only,
            sort,
            sort_devices: self.devices.map(|order| rows(PaneKind::Devices, order)).unwrap_or_default(),
            group: group.to_owned(),
            layout: self.layout.clone().unwrap_or_default(),
            hide: self.hidden.iter().map(|column| column.name().to_owned()).collect(),
        }
    }

    /// What it holds, in one line: `hosts · /tag:core · problems only · by site · sorted by -rtt`.
    pub fn words(&self, separator: &str) -> String {
        let Words { screen, filter, problems_only, sort, sort_devices, group, layout, hide, name: _ } = self.to_words();
        let mut parts = vec![screen];
        let mut add = |is_so: bool, words: String| {
            if is_so {
                parts.push(words);
            }
        };
        add(!filter.is_empty(), format!("/{filter}"));
        add(problems_only, "problems only".to_owned());
        add(!group.is_empty(), format!("by {group}"));
        add(!sort.is_empty(), format!("sorted by {sort}"));
        add(!sort_devices.is_empty(), format!("devices by {sort_devices}"));
        add(!layout.is_empty(), format!("layout {layout}"));
        add(!hide.is_empty(), format!("without {}", hide.join(", ")));
        parts.join(separator)
    }
}

/// The list of a screen that a view's order is of; the port table has columns instead.
fn list_of(screen: ScreenId) -> Option<PaneKind> {
    match screen {
        ScreenId::Overview => Some(PaneKind::Problems),
        ScreenId::Hosts => Some(PaneKind::Hosts),
        ScreenId::Backups => Some(PaneKind::Backups),
        ScreenId::Incident => Some(PaneKind::Incident),
        ScreenId::Log => Some(PaneKind::Log),
        ScreenId::Ports | ScreenId::Sessions => None,
    }
}

/// Where nothing is said of it; `None` on a screen that has one order only.
fn as_shipped(screen: ScreenId) -> Option<Sorted> {
    match list_of(screen) {
        Some(kind) => Some(Sorted::Rows(kind, Order::shipped(kind))),
        None => (screen == ScreenId::Ports).then(|| Sorted::Ports(Sort::default())),
    }
}

fn sorted(screen: ScreenId, word: &Word, problems: &mut Vec<Problem>) -> Option<Sorted> {
    let Some(kind) = list_of(screen) else {
        let (name, reversed) = unway(&word.0);
        // Sessions are on no screen of a view.
        let Some(column) = Column::named(name) else {
            let names: Vec<&str> = Column::names().collect();
            problems.push(no_such("column of the port table", word, &names));
            return None;
        };
        return Some(Sorted::Ports(Sort { column, reversed }));
    };
    Some(Sorted::Rows(kind, ordered(kind, word, problems)?))
}

fn ordered(kind: PaneKind, word: &Word, problems: &mut Vec<Problem>) -> Option<Order> {
    let (name, reversed) = unway(&word.0);
    let Some(by) = By::of(kind).iter().find(|by| by.name() == name) else {
        let names: Vec<&str> = By::of(kind).iter().map(|by| by.name()).collect();
        problems.push(no_such("order of this list", word, &names));
        return None;
    };
    Some(Order { by: *by, reversed })
}

impl App {
    /// `:view` with what stands behind it.
    pub(super) fn view_command(&mut self, rest: &str) {
        let (word, name) = rest.split_once(' ').map_or((rest, ""), |(word, name)| (word, name.trim()));
        match word {
            "" if self.views.all().is_empty() => {
                self.say(MessageWeight::Note, "there is no view yet: :view save NAME keeps what the screen shows");
            }
            "" => self.overlays.push(Overlay::views()),
            "save" => self.save_view(name, false),
            "save!" => self.save_view(name, true),
            "delete" => self.delete_view(name),
            _ => self.open_view(rest.trim()),
        }
    }

    pub fn open_view(&mut self, name: &str) {
        let Some(view) = self.views.named(name).cloned() else {
            let near = nearest(name, self.views.all().iter().map(|view| view.name.as_str()));
            let hint = near.map_or_else(|| ":view lists them".to_owned(), |near| format!("did you mean {near}?"));
            self.say(MessageWeight::Warning, format!("no view is called \"{name}\"; {hint}"));
            return;
        };
        self.leave_view();
        let unknown = view.layout.and_then(|layout| self.layouts.choose(&layout).err());
        self.go(view.screen);
        self.focus = self.first_pane();
        self.problems_only = view.problems_only;
        self.set_filter(Filter::parse(&view.filter));
        match view.sorted {
            Some(Sorted::Rows(kind, order)) => self.order_list(kind, order),
            Some(Sorted::Ports(sort)) => self.columns = Choice { hidden: view.hidden, sort },
            None => {}
        }
        if let Some(order) = view.devices {
            self.order_list(PaneKind::Devices, order);
        }
        if view.screen == ScreenId::Hosts {
            self.group_hosts(view.group);
        }
        match unknown {
            Some(why) => self.say(MessageWeight::Warning, format!("view {name}: {why}")),
            None => self.say(MessageWeight::Note, format!("view {name}")),
        }
    }

    fn save_view(&mut self, name: &str, replaces: bool) {
        if let Some(why) = misnamed("view", name, &DEEDS) {
            self.say(MessageWeight::Warning, why);
            return;
        }
        if self.screen == ScreenId::Sessions {
            self.say(MessageWeight::Warning, "sessions end with their console: a view cannot be of them");
            return;
        }
        match self.views.named(name) {
            Some(View { place: Some(place), .. }) => {
                let words = format!("{name} is in {place} and is changed there; save yours under another name");
                self.say(MessageWeight::Warning, words);
                return;
            }
            Some(_) if !replaces => {
                let words = format!("there is a view {name} already: :view save! {name} replaces it");
                self.say(MessageWeight::Warning, words);
                return;
            }
            _ => {}
        }
        let view = View::of_screen(self, name);
        let words = view.words(self.look.separator());
        let kept = self.views.keep(name, Some(&view));
        self.views.all.retain(|known| known.name != name);
        self.views.all.push(view);
        match kept {
            Ok(None) => self.say(MessageWeight::Note, format!("saved the view {name}: {words}")),
            Ok(Some(besides)) => self.say(MessageWeight::Warning, format!("saved the view {name}; {besides}")),
            Err(why) => self.say(MessageWeight::Error, format!("the view {name} ends with this console: {why}")),
        }
    }

    pub(in crate::ui) fn delete_view(&mut self, name: &str) {
        let words = match self.views.named(name) {
            None => format!("no view is called \"{name}\"; :view lists them"),
            Some(View { place: Some(place), .. }) => format!("{name} is in {place} and is taken out there"),
            Some(_) => {
                self.views.all.retain(|known| known.name != name);
                match self.views.keep(name, None) {
                    Ok(None) => {
                        self.say(MessageWeight::Note, format!("the view {name} is gone"));
                        return;
                    }
                    Ok(Some(besides)) => format!("the view {name} is gone; {besides}"),
                    Err(why) => format!("the view {name} comes back with the next console: {why}"),
                }
            }
        };
        self.say(MessageWeight::Warning, words);
    }
}
