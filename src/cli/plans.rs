//! Where an engine's plans come from, and what is wrong with the configuration that they were made of.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, watch};

use crate::base::options::{Problem, Weight};
use crate::config::{Config, salvage};
use crate::engine::supervise::panic_words;
use crate::engine::{Plan, bind, discover};
use crate::ssh::{SshConfig, Surroundings};
use crate::state::Event;

/// Sends plans, one replacing the other, until there is nothing more to find.
pub type Plans = Box<dyn FnOnce(mpsc::Sender<Plan>, mpsc::Sender<Event>, Receiver<()>) + Send>;

/// Where the engine's plans come from.
pub enum Source {
    Configured(Box<Plan>),
    /// To be read beside the first frame.
    File(PathBuf, Findings),
    Discovered,
}

pub fn source_plans(source: Source, ssh: Surroundings) -> Plans {
    match source {
        Source::Configured(plan) => Box::new(move |plans, _, _| send_plan(*plan, ssh, &plans)),
        Source::File(path, findings) => Box::new(move |plans, _, _| {
            let (plan, _, problems) = salvaged(&path);
            findings.are(problems);
            send_plan(plan, ssh, &plans);
        }),
        Source::Discovered => Box::new(|plans, events, confirmed| {
            let places = discover::Places::system();
            let look = |all: bool| {
                let _ = events.blocking_send(Event::Discovering(true));
                discover::discover(&places, all, |plan| {
                    let _ = plans.blocking_send(plan);
                });
                let _ = events.blocking_send(Event::Discovering(false));
            };
            look(false);
            // The engine drops its end when it has asked, or when it ends.
            if confirmed.recv().is_ok() {
                look(true);
            }
        }),
    }
}

/// The plans of one console, for each engine that it has one after the other.
pub struct Supply {
    /// What has not begun to look yet.
    first: Option<(Plans, Receiver<()>)>,
    confirm: std::sync::mpsc::Sender<()>,
    newest: watch::Sender<Option<Plan>>,
}

impl std::fmt::Debug for Supply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supply").field("begun", &self.first.is_none()).finish_non_exhaustive()
    }
}

impl Supply {
    pub fn new(plans: Plans) -> Self {
        let (confirm, confirmed) = std::sync::mpsc::channel();
        Self { first: Some((plans, confirmed)), confirm, newest: watch::Sender::new(None) }
    }

    /// Has all looked for that was held back.
    pub fn confirm(&self) -> std::sync::mpsc::Sender<()> {
        self.confirm.clone()
    }

    /// What there is, and each plan that comes after it. The first time a thread begins to look, and tells `events` of it.
    pub fn begin(&mut self, events: mpsc::Sender<Event>) -> mpsc::Receiver<Plan> {
        if let Some((plans, confirmed)) = self.first.take() {
            let (sender, mut given) = mpsc::channel(4);
            let told = events.clone();
            let look = move || {
                let reading = AssertUnwindSafe(|| plans(sender, events, confirmed));
                if let Err(panic) = std::panic::catch_unwind(reading) {
                    let words = panic_words(panic.as_ref());
                    let words = format!("internal error while it was read what to watch: {words}");
                    let _ = told.blocking_send(Event::Fault(words.into()));
                }
            };
            if let Err(error) = std::thread::Builder::new().name("inventory".to_owned()).spawn(look) {
                tracing::error!(%error, "no thread: nothing will be watched");
            }
            let newest = self.newest.clone();
            tokio::spawn(async move {
                while let Some(plan) = given.recv().await {
                    newest.send_replace(Some(plan));
                }
            });
        }
        let (engine, taken) = mpsc::channel(4);
        tokio::spawn(feed(self.newest.subscribe(), engine));
        taken
    }
}

/// The newest plan, and each that comes after it.
async fn feed(mut newest: watch::Receiver<Option<Plan>>, engine: mpsc::Sender<Plan>) {
    loop {
        let plan = newest.borrow_and_update().clone();
        if let Some(plan) = plan
            && engine.send(plan).await.is_err()
        {
            return;
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return },
            () = engine.closed() => return,
        }
    }
}

/// The plan at once, and again with what ssh_config calls its hosts and what they hang on by it: reading that may take long on a slow home.
pub fn send_plan(plan: Plan, ssh: Surroundings, plans: &mpsc::Sender<Plan>) {
    // The engine has not ended: it is about to start.
    let _ = plans.blocking_send(plan.clone());
    let config = SshConfig::load(ssh);
    let names = config.hosts().into_iter().map(|named| named.alias).collect();
    let named = plan.clone().with_ssh_names(&names);
    let hung = named.clone().unwrap_or(plan).with_inferred_parents(Some(&config), Path::new("/"));
    if let Some(better) = hung.or(named) {
        let _ = plans.blocking_send(better);
    }
}

/// What is wrong with a configuration, once it has been read.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    problems: Arc<OnceLock<Vec<Problem>>>,
    /// What stands above the panes.
    pub trouble: Arc<OnceLock<String>>,
}

impl Findings {
    pub fn are(&self, problems: Vec<Problem>) {
        if let Some(trouble) = trouble(&problems) {
            // It is read once.
            let _ = self.trouble.set(trouble);
        }
        let _ = self.problems.set(problems);
    }

    pub fn all(&self) -> &[Problem] {
        self.problems.get().map(Vec::as_slice).unwrap_or_default()
    }
}

/// What can be watched of a configuration, errors or not: at night a console with a hole is better than none, if it says
/// so.
pub fn salvaged(path: &Path) -> (Plan, Config, Vec<Problem>) {
    let (config, mut problems) = salvage::read(path);
    let (profiles, wrong_profiles) = super::profiles::own(config.folder.as_deref());
    let (mut plan, more) = bind::bind_what_can_be(&config, profiles.as_ref());
    let wrong_profiles = wrong_profiles.iter().map(|problem| Arc::from(format!("device profile: {}", problem.message)));
    let remarks = problems.iter().map(|problem| Arc::from(problem.brief())).chain(wrong_profiles);
    Arc::make_mut(&mut plan.inventory).remarks.extend(remarks);
    problems.extend(more);
    (plan, config, problems)
}

/// What stands above the panes while the configuration has errors.
pub fn trouble(problems: &[Problem]) -> Option<String> {
    let mut errors = problems.iter().filter(|problem| problem.weight == Weight::Error);
    let first = errors.next()?;
    let what = match errors.count() {
        0 => "1 error, what it touches is not watched".to_owned(),
        more => format!("{} errors, what they touch is not watched; the log (:log) has them all", more + 1),
    };
    Some(format!("CONFIGURATION: {what}: {}", first.brief()))
}
