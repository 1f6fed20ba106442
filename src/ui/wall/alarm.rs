//! What is critical and was not a moment ago. Something that comes and goes does not stop the wall each time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Condition, Target};
use crate::state::Problem;

/// What began earlier is no news, even if it is seen for the first time: the wall was started, or its engine.
const NEWS: Duration = Duration::from_secs(10 * 60);
/// The same thing is news again after this.
const AGAIN: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Default)]
pub struct Alarm {
    critical: HashSet<Target>,
    /// When it was news; forgotten when it may be news again.
    told: HashMap<Target, Timestamp>,
    held: HashSet<Target>,
}

impl Alarm {
    /// What is news now, worst first.
    pub fn take(&mut self, problems: &[Problem], now: Timestamp) -> Vec<Target> {
        let is_open = |p: &&Problem| p.condition == Condition::Critical && !p.care.is_handled();
        let open: Vec<&Problem> = problems.iter().filter(is_open).collect();
        self.told.retain(|_, at| now.since(*at) < AGAIN);
        let is_news = |p: &&&Problem| {
            let known = self.critical.contains(&p.target) || self.told.contains_key(&p.target);
            !known && now.since(p.since) < NEWS
        };
        let news: Vec<Target> = open.iter().filter(is_news).map(|p| p.target.clone()).collect();
        self.critical = open.into_iter().map(|p| p.target.clone()).collect();
        let critical = &self.critical;
        self.held.retain(|target| critical.contains(target));
        self.told.extend(news.iter().map(|target| (target.clone(), now)));
        self.held.extend(news.iter().cloned());
        news
    }

    /// All that was news is better, or somebody's.
    pub fn is_handled(&self) -> bool {
        self.held.is_empty()
    }

    /// It was news, and began a short while ago.
    pub fn is_new(&self, problem: &Problem, now: Timestamp) -> bool {
        self.held.contains(&problem.target) && now.since(problem.since) < NEWS
    }
}
