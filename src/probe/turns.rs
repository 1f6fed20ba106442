//! Which address of a name is asked by what asks one at a time and holds no connection. A name with one address, and an address,
//! cost nothing here.
//!
//! ```text
//!            ┌── one answers ──────────────► it alone is asked
//!   all are asked, one after the other              │
//!            └◄───────── it gives no answer ────────┘   that run fails: its next try asks all again, this one with them
//! ```
//!
//! So the address that answers has every try that a host with one address has, and a host with one that is dead and one that
//! answers is alive; which is which is in the log of every run.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Cx;
use crate::model::Reading;
use crate::net::race::{self, First, NoAnswer};

/// Of one check.
#[derive(Debug, Default)]
pub struct Turns(Mutex<Option<Turn>>);

/// What a name with several addresses came to.
#[derive(Clone, Debug)]
struct Turn {
    answers: IpAddr,
    told: Told,
}

/// Which addresses were passed over, for the log.
#[derive(Clone, Debug, Default)]
pub struct Told(Vec<String>);

impl Told {
    /// The reading with it.
    pub fn on(&self, reading: Reading) -> Reading {
        self.0.iter().fold(reading, |reading, line| reading.log(line.as_str()))
    }
}

/// What came of asking.
#[derive(Debug)]
pub struct Asked<T, E> {
    /// The answer, or why each that was asked gave none: at least one.
    pub answer: Result<T, Vec<E>>,
    pub told: Told,
}

impl Turns {
    /// Asks the address whose turn it is, or all of them until one answers. `ask` is told the time that is left, and keeps to it.
    pub async fn ask<T, E, F>(
        &self,
        cx: &Cx,
        addresses: &[IpAddr],
        timeout: Duration,
        ask: impl Fn(IpAddr, Duration) -> F,
    ) -> Asked<T, E>
    where
        E: NoAnswer,
        F: Future<Output = Result<T, E>>,
    {
        let alone = match addresses {
            [only] => Some((*only, Told::default())),
            _ => self.turn(addresses),
        };
        let Some((address, told)) = alone else {
            // One that is passed over stays so: it shall not be for a short delay.
            return self.ask_all(cx, addresses, race::share(addresses, timeout), timeout, ask).await;
        };
        match ask(address, timeout).await {
            Ok(answer) => Asked { answer: Ok(answer), told },
            Err(error) => {
                let others: Vec<String> =
                    addresses.iter().filter(|other| **other != address).map(ToString::to_string).collect();
                let next = format!("{error}; the next try asks {} too", others.join(" and "));
                self.forget();
                Asked { answer: Err(vec![error]), told: Told(if others.is_empty() { Vec::new() } else { vec![next] }) }
            }
        }
    }

    /// The address to speak with at length. Where it is not known which answers, `knock` finds out, each `delay` at one more of them.
    ///
    /// # Errors
    /// None answers: why each did not, at least one.
    pub async fn choose<E, F>(
        &self,
        cx: &Cx,
        addresses: &[IpAddr],
        delay: Duration,
        timeout: Duration,
        knock: impl Fn(IpAddr, Duration) -> F,
    ) -> Result<(IpAddr, Told), Vec<E>>
    where
        E: NoAnswer,
        F: Future<Output = Result<(), E>>,
    {
        if let [only] = addresses {
            return Ok((*only, Told::default()));
        }
        if let Some(known) = self.turn(addresses) {
            return Ok(known);
        }
        let knock = |address, left| {
            let knocked = knock(address, left);
            async move { knocked.await.map(|()| address) }
        };
        let Asked { answer, told } = self.ask_all(cx, addresses, delay, timeout, knock).await;
        answer.map(|address| (address, told))
    }

    /// The one that was spoken with fell silent.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whose turn it is, where that is still an address of the name.
    fn turn(&self, addresses: &[IpAddr]) -> Option<(IpAddr, Told)> {
        let turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Turn { answers, told } = turn.as_ref().filter(|turn| addresses.contains(&turn.answers))?;
        Some((*answers, told.clone()))
    }

    async fn ask_all<T, E, F>(
        &self,
        cx: &Cx,
        addresses: &[IpAddr],
        delay: Duration,
        timeout: Duration,
        ask: impl Fn(IpAddr, Duration) -> F,
    ) -> Asked<T, E>
    where
        E: NoAnswer,
        F: Future<Output = Result<T, E>>,
    {
        match race::first(addresses, delay, timeout, ask).await {
            Ok(First { address: answers, answer, passed_over }) => {
                let when = cx.net.clock.wall().utc_minute();
                let told = passed_over.iter().map(|passed| format!("{passed} ({when} UTC)")).collect();
                let turn = Turn { answers, told: Told(told) };
                let told = turn.told.clone();
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
                Asked { answer: Ok(answer), told }
            }
            Err(failed) => Asked { answer: Err(failed), told: Told::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::base::Clock;
    use crate::net::Net;

    const SECOND: Duration = Duration::from_secs(1);

    #[derive(Debug, thiserror::Error)]
    #[error("no answer from {0}")]
    struct Silent(IpAddr);

    impl NoAnswer for Silent {
        fn is_no_route(&self) -> bool {
            false
        }
    }

    /// A check of a name with these addresses, of which some are dead.
    #[derive(Default)]
    struct Check {
        turns: Turns,
        dead: HashSet<IpAddr>,
        asked: Mutex<Vec<u8>>,
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    impl Check {
        fn answer(&self, asked: IpAddr) -> Result<IpAddr, Silent> {
            let IpAddr::V4(v4) = asked else { panic!("{asked}") };
            self.asked.lock().expect("whole").push(v4.octets()[3]);
            if self.dead.contains(&asked) { Err(Silent(asked)) } else { Ok(asked) }
        }

        /// Who was asked, which answered or why none did, and the log without its times.
        async fn run(&self, addresses: &[u8]) -> (Vec<u8>, Result<IpAddr, String>, Vec<String>) {
            let cx = Cx { net: Net::new(Clock::start()), family: None, timeout: SECOND };
            let addresses: Vec<IpAddr> = addresses.iter().copied().map(address).collect();
            let asked =
                self.turns.ask(&cx, &addresses, SECOND, |address, _| std::future::ready(self.answer(address))).await;
            let said = asked.answer.map_err(|failed| race::words(&failed));
            let log = asked.told.0.iter().map(|line| line.split(" (").next().unwrap_or(line).to_owned());
            (std::mem::take(&mut *self.asked.lock().expect("whole")), said, log.collect())
        }
    }

    #[tokio::test]
    async fn the_one_that_answers_is_kept_and_where_it_falls_silent_the_next_try_asks_all() {
        let mut check = Check { dead: HashSet::from([address(1)]), ..Check::default() };
        let told = ["no answer from 192.0.2.1; the name has another address, which answers: 192.0.2.2".to_owned()];
        assert_eq!(check.run(&[1, 2, 3]).await, (vec![1, 2], Ok(address(2)), told.to_vec()));
        assert_eq!(
            check.run(&[3, 1, 2]).await,
            (vec![2], Ok(address(2)), told.to_vec()),
            "in whatever order they come"
        );
        check.dead = HashSet::from([address(2)]);
        let (asked, said, log) = check.run(&[1, 2, 3]).await;
        assert_eq!((asked, said), (vec![2], Err("no answer from 192.0.2.2".to_owned())));
        assert_eq!(log, ["no answer from 192.0.2.2; the next try asks 192.0.2.1 and 192.0.2.3 too"]);
        assert_eq!(check.run(&[1, 2, 3]).await, (vec![1], Ok(address(1)), Vec::new()));
        check.dead = [1, 2].map(address).into();
        check.run(&[1, 2]).await.1.expect_err("the one that was kept");
        let none = Err("no answer from 192.0.2.1; no answer from 192.0.2.2".to_owned());
        for _ in 0..2 {
            assert_eq!(check.run(&[1, 2]).await, (vec![1, 2], none.clone(), Vec::new()));
        }
    }

    #[tokio::test]
    async fn one_address_and_one_that_the_name_has_no_more_leave_no_trace() {
        let mut check = Check::default();
        assert_eq!(check.run(&[1]).await, (vec![1], Ok(address(1)), Vec::new()));
        check.dead = HashSet::from([address(1)]);
        let silent = Err("no answer from 192.0.2.1".to_owned());
        assert_eq!(check.run(&[1]).await, (vec![1], silent, Vec::new()), "there is no other to speak of");
        assert_eq!(check.run(&[1, 2]).await.1, Ok(address(2)));
        assert_eq!(check.run(&[3, 4]).await, (vec![3], Ok(address(3)), Vec::new()), "the name has moved");
    }
}
