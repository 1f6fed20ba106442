//! How often a check runs, how long it may take and when it looks again, as the configuration has it. What would ask without
//! end is refused; what cannot keep its own pace is said.

use std::time::Duration;

use crate::base::options::{Place, Problem, Reader};
use crate::base::units;
use crate::model::CheckSpec;
use crate::probe::{Kind, Pace};

/// The shortest interval, and the shortest time to the next look at a soft problem.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The same for [`QUICK`].
const QUICKEST: Duration = Duration::from_millis(100);
/// Checks that cost a few packets: a soft problem of theirs may be looked at again within the second.
const QUICK: [&str; 7] = ["icmp", "tcp", "ssh", "dns", "ntp", "snmp", "ports"];
/// What a run needs at the least.
const SHORTEST_RUN: Duration = Duration::from_millis(10);
/// Checks that may be late and are told one by one; of more, these many are named.
const NAMED: usize = 3;

/// What a check says of its own pace.
#[derive(Debug)]
pub struct Written {
    pub pace: Pace,
    pub volatile: bool,
    /// Where `timeout` is, else `interval`; `None` where both are the kind's.
    pub place: Option<Place>,
}

/// Checks that may take longer than the time to their next look.
#[derive(Debug, Default)]
pub struct Late(Vec<Look>);

#[derive(Debug)]
struct Look {
    what: String,
    place: Place,
    longest: Duration,
    every: Duration,
}

impl Late {
    /// Notes a check whose pace somebody wrote, if it may be late at the pace that it has got.
    pub fn note(&mut self, what: String, place: Place, written: Duration, spec: &CheckSpec) {
        // What a probe takes for all its tries is not what is written.
        let longest = written.min(spec.timeout);
        if longest > spec.interval {
            self.0.push(Look { what, place, longest, every: spec.interval });
        }
    }

    /// One warning for all of them, at the first.
    pub fn tell(self, problems: &mut Vec<Problem>) {
        let Some(first) = self.0.first() else { return };
        let pair = |look: &Look| [look.longest, look.every].map(units::config_duration);
        let [longest, every] = pair(first);
        let problem = if self.0.len() == 1 {
            let words = format!(
                "{}: a look may take {longest} (`timeout`), and one is due every {every} (`interval`)",
                first.what
            );
            let hint = format!("what is late is skipped; write timeout = \"{every}\" or less, or a longer interval");
            Problem::warning(&first.place, words).hint(hint)
        } else {
            let named = self.0.iter().take(NAMED).map(|look| {
                let [longest, every] = pair(look);
                let line = look.place.line_and_column().0;
                format!("{} ({longest}, due every {every}, line {line})", look.what)
            });
            let named = named.collect::<Vec<_>>().join(", ");
            let more = match self.0.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let words = format!(
                "a look of {} may take longer (`timeout`) than the time to the next (`interval`): {named}{more}",
                units::counted(self.0.len(), "check")
            );
            Problem::warning(&first.place, words)
                .hint("what is late is skipped; write a timeout of the interval or less, or a longer interval")
        };
        problems.push(problem);
    }
}

/// Reads what every check takes, and whether it is volatile.
pub fn read(reader: &mut Reader<'_>, kind: &Kind) -> Written {
    reader.node("kind");
    let again = if QUICK.contains(&kind.name) { QUICKEST } else { SHORTEST };
    let (interval, timeout) =
        (reader.duration_from("interval", SHORTEST), reader.duration_from("timeout", SHORTEST_RUN));
    let retry_interval = reader.duration_from("retry_interval", again);
    let attempts = reader.integer("attempts", 1..=20).and_then(|n| u8::try_from(n).ok());
    let volatile = reader.bool("volatile").unwrap_or(false);
    if volatile && attempts.is_some_and(|attempts| attempts > 1) {
        let place = reader.place_of("attempts");
        let words =
            format!("{}: what is volatile counts at the first bad result, whatever `attempts` is", reader.what());
        reader.problem(Problem::warning(&place, words).hint("take out `attempts`, or `volatile`"));
    }
    let usual = kind.pace;
    let pace = Pace {
        interval: interval.unwrap_or(usual.interval),
        timeout: timeout.unwrap_or(usual.timeout),
        retry_interval: retry_interval.unwrap_or(usual.retry_interval),
        attempts: if volatile { 1 } else { attempts.unwrap_or(usual.attempts) },
        decides_reachability: usual.decides_reachability,
    };
    let place = timeout.map(|_| "timeout").or(interval.map(|_| "interval")).map(|key| reader.place_of(key));
    Written { pace, volatile, place }
}

#[cfg(test)]
mod tests {
    use crate::base::options::{Problem, Weight};
    use crate::config::load;
    use crate::engine::bind::bind_what_can_be;

    /// What is told of a check, without its place, and its pace, where it is asked.
    fn told(check: &str) -> (Vec<String>, Option<[u128; 3]>) {
        let text = format!("[[host]]\nname = \"a\"\nchecks = [{{ {check} }}]\n");
        let config = load::parse("noctty.toml", text).expect("it is TOML");
        let (plan, problems) = bind_what_can_be(&config, None);
        let words = |p: &Problem| {
            let line = p.place.as_ref().map_or(0, |at| at.line_and_column().0);
            format!("{line}: {}; {}", p.message, p.hint.as_deref().unwrap_or_default())
        };
        let pace = plan
            .checks
            .first()
            .map(|bound| [bound.spec.interval, bound.spec.timeout, bound.spec.retry_interval].map(|d| d.as_millis()));
        (problems.iter().map(words).collect(), pace)
    }

    #[test]
    fn what_would_ask_without_end_is_refused() {
        for (option, shown, least) in [
            ("interval = '0s'", "`interval` is 0s", "interval = \"1s\""),
            ("interval = '999ms'", "`interval` is 999ms", "interval = \"1s\""),
            ("retry_interval = '0s'", "`retry_interval` is 0s", "retry_interval = \"100ms\""),
            ("timeout = '0s'", "`timeout` is 0s", "timeout = \"10ms\""),
        ] {
            let (problems, pace) = told(&format!("kind = 'tcp', port = 80, {option}"));
            assert_eq!(problems.len(), 1, "{problems:?}");
            let all = &problems[0];
            assert!(all.starts_with(&format!("3: the tcp check of a {shown}, shorter than ")), "{all}");
            assert!(all.ends_with(&format!("write {least} or longer")), "{all}");
            assert_eq!(pace, None, "it is not asked at another pace");
        }
        assert_eq!(told("kind = 'tcp', port = 80, interval = '5s', retry_interval = '300ms'").0, Vec::<String>::new());
        let (problems, _) = told("kind = 'http', retry_interval = '300ms'");
        assert!(problems[0].contains("`retry_interval` is 300ms, shorter than 1s"), "{problems:?}");
    }

    #[test]
    fn what_is_volatile_counts_at_once() {
        let plan = |check: &str| {
            let text = format!("[[host]]\nname = \"a\"\nchecks = [{{ {check} }}]\n");
            let config = load::parse("noctty.toml", text).expect("it is TOML");
            let (plan, problems) = bind_what_can_be(&config, None);
            let spec = &plan.checks[0].spec;
            (spec.volatile, spec.attempts, problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>())
        };
        assert_eq!(plan("kind = 'tcp', port = 80, volatile = true"), (true, 1, Vec::new()));
        assert_eq!(plan("kind = 'tcp', port = 80, volatile = false, attempts = 4"), (false, 4, Vec::new()));
        let (volatile, attempts, told) = plan("kind = 'tcp', port = 80, volatile = true, attempts = 4");
        assert_eq!((volatile, attempts), (true, 1));
        assert_eq!(
            told,
            ["the tcp check of a: what is volatile counts at the first bad result, whatever `attempts` is"]
        );
    }

    #[test]
    fn a_look_that_may_outlast_its_interval_is_told_and_runs() {
        let (problems, pace) = told("kind = 'http', interval = '5s'");
        let words = "3: the http check of a: a look may take 10s (`timeout`), and one is due every 5s (`interval`); \
                     what is late is skipped; write timeout = \"5s\" or less, or a longer interval";
        assert_eq!((problems, pace), (vec![words.to_owned()], Some([5_000, 10_000, 10_000])));
        assert_eq!(told("kind = 'http', timeout = '61s'").0.len(), 1);
        assert_eq!(told("kind = 'http', interval = '5s', timeout = '5s'").0, Vec::<String>::new());
        let text = "[[host]]\nname = \"a\"\nchecks = [{ kind = 'http', interval = '5s' }]\n";
        let config = load::parse("noctty.toml", text.to_owned()).expect("it is TOML");
        let (_, problems) = bind_what_can_be(&config, None);
        assert!(problems.iter().all(|problem| problem.weight == Weight::Warning));
    }

    #[test]
    fn many_that_may_be_late_are_one_warning() {
        let host = |n| format!("[[host]]\nname = \"h{n}\"\nchecks = [{{ kind = 'http', interval = '{n}s' }}]\n");
        let hosts = [1, 2, 3, 4, 5].map(host).concat();
        let config = load::parse("noctty.toml", hosts).expect("it is TOML");
        let (plan, problems) = bind_what_can_be(&config, None);
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert_eq!(
            problem.message,
            "a look of 5 checks may take longer (`timeout`) than the time to the next (`interval`): \
             the http check of h1 (10s, due every 1s, line 3), the http check of h2 (10s, due every 2s, line 6), \
             the http check of h3 (10s, due every 3s, line 9), and 2 more"
        );
        assert_eq!(problem.place.as_ref().map(|at| at.line_and_column().0), Some(3));
        assert_eq!((plan.checks.len(), plan.inventory.remarks.len()), (5, 1));
    }

    #[test]
    fn what_is_tagged_core_is_held_to_the_pace_that_it_has_got() {
        let told = |checks: &str| {
            let text = format!("[[host]]\nname = \"a\"\ntags = [\"core\"]\nchecks = [{checks}]\n");
            let config = load::parse("noctty.toml", text).expect("it is TOML");
            bind_what_can_be(&config, None).1.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
        };
        // A second is all that an echo of theirs has, whatever others have.
        assert_eq!(told("{ kind = 'icmp', interval = '1s' }"), Vec::<String>::new());
        assert_eq!(told("{ kind = 'tcp', port = 80, interval = '2s' }"), Vec::<String>::new());
        // Looked at each four seconds, whatever is written.
        let late = "the icmp check of a: a look may take 5s (`timeout`), and one is due every 4s (`interval`)";
        assert!(told("{ kind = 'icmp', interval = '30s', timeout = '5s' }").contains(&late.to_owned()));
    }
}
