//! Several addresses of one name: each is asked when the one before has failed, or has not answered for a while, and who answers
//! first is taken (RFC 8305, 5). Knows no protocol: what asking means, and how long a while is, is the caller's business.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

/// Why an address gave no answer.
pub trait NoAnswer: Display {
    /// This machine has no way there, which says nothing of the other addresses.
    fn is_no_route(&self) -> bool;
}

/// An address that was asked before the one that answered.
#[derive(Debug)]
pub struct PassedOver<E> {
    why: Why<E>,
    answers: IpAddr,
}

#[derive(Debug)]
enum Why<E> {
    Failed(E),
    /// It had not answered by then.
    Waiting(IpAddr, Duration),
}

impl<E: Display> Display for PassedOver<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Failed(error) => write!(f, "{error}")?,
            Why::Waiting(address, after) => write!(f, "no answer from {address} within {:.1} s", after.as_secs_f32())?,
        }
        write!(f, "; the name has another address, which answers: {}", self.answers)
    }
}

/// The first answer.
#[derive(Debug)]
pub struct First<T, E> {
    pub address: IpAddr,
    pub answer: T,
    pub passed_over: Vec<PassedOver<E>>,
}

/// Asks them until one answers, the next one beside those before it after each `delay`. `ask` is told the time that is left, and keeps
/// to it.
///
/// # Errors
/// None of them answered: why each did not, but for those to which there is no way where there is one to another.
pub async fn first<T, E, F>(
    addresses: &[IpAddr],
    delay: Duration,
    timeout: Duration,
    ask: impl Fn(IpAddr, Duration) -> F,
) -> Result<First<T, E>, Vec<E>>
where
    E: NoAnswer,
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    let mut rest = addresses.iter().copied();
    // When each was asked, and why it gave no answer where that is known.
    let mut tried: Vec<(IpAddr, Instant, Option<E>)> = Vec::new();
    let mut asked = FuturesUnordered::new();
    loop {
        if let Some(address) = rest.next() {
            let (turn, answer) = (tried.len(), ask(address, timeout.saturating_sub(begun.elapsed())));
            tried.push((address, Instant::now(), None));
            asked.push(async move { (turn, answer.await) });
        } else if asked.is_empty() {
            return Err(that_count(tried.into_iter().filter_map(|(_, _, error)| error).collect()));
        }
        let patience = if rest.len() > 0 { delay } else { timeout };
        let Ok(Some((turn, came))) = tokio::time::timeout(patience, asked.next()).await else { continue };
        match came {
            Ok(answer) => {
                let address = tried[turn].0;
                // One that was asked later had less time.
                tried.truncate(turn);
                let passed_over = tried.into_iter().map(|(other, since, error)| PassedOver {
                    why: error.map_or_else(|| Why::Waiting(other, since.elapsed()), Why::Failed),
                    answers: address,
                });
                let passed_over = passed_over.collect();
                return Ok(First { address, answer, passed_over });
            }
            Err(error) => tried[turn].2 = Some(error),
        }
    }
}

/// That there is no way from here to one of them says nothing of the others.
fn that_count<E: NoAnswer>(mut failed: Vec<E>) -> Vec<E> {
    if !failed.iter().all(NoAnswer::is_no_route) {
        failed.retain(|error| !error.is_no_route());
    }
    failed
}

/// The part of the time that each has to itself where all have the same.
pub fn share(addresses: &[IpAddr], timeout: Duration) -> Duration {
    timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX)
}

/// Why a name answers at none of its addresses, in one line.
pub fn words<E: Display>(failed: &[E]) -> String {
    failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(250);

    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    enum Failure {
        #[error("refused")]
        Refused,
        #[error("no route")]
        NoRoute,
        #[error("no answer")]
        Silent,
        /// It answers when the next one has been asked.
        #[error("slow")]
        Slow,
    }

    impl NoAnswer for Failure {
        fn is_no_route(&self) -> bool {
            *self == Self::NoRoute
        }
    }

    /// What came of addresses that do so: which answered, and what is said of the others.
    async fn raced(manners: &[Option<Failure>]) -> (Option<u8>, Vec<String>) {
        let address = |number: usize| IpAddr::from([192, 0, 2, u8::try_from(number).expect("few")]);
        let addresses: Vec<IpAddr> = (0..manners.len()).map(address).collect();
        let ask = |asked: IpAddr, left: Duration| {
            let manner = manners[addresses.iter().position(|one| *one == asked).expect("one of them")];
            async move {
                match manner {
                    Some(Failure::Slow) => {
                        tokio::time::sleep(DELAY * 3 / 2).await;
                        Ok(())
                    }
                    None => Ok(()),
                    Some(failure) => {
                        if failure == Failure::Silent {
                            tokio::time::sleep(left).await;
                        }
                        Err(failure)
                    }
                }
            }
        };
        match first(&addresses, DELAY, 2 * DELAY, ask).await {
            Ok(First { address: IpAddr::V4(answers), passed_over, .. }) => {
                (Some(answers.octets()[3]), passed_over.iter().map(ToString::to_string).collect())
            }
            Ok(other) => panic!("{other:?}"),
            Err(failed) => (None, failed.iter().map(ToString::to_string).collect()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_answers_is_taken_and_the_others_are_named() {
        use Failure::{NoRoute, Refused, Silent, Slow};
        assert_eq!(raced(&[None, Some(Refused)]).await, (Some(0), Vec::new()), "nobody else is asked");
        assert_eq!(raced(&[Some(Slow), Some(Silent)]).await, (Some(0), Vec::new()), "the other had less time");
        let (answers, said) = raced(&[Some(Silent), Some(NoRoute), Some(Refused), None]).await;
        let told = |why: &str| format!("{why}; the name has another address, which answers: 192.0.2.3");
        assert_eq!((answers, &said[1..]), (Some(3), &[told("no route"), told("refused")][..]));
        assert!(said[0].starts_with("no answer from 192.0.2.0 within 0."), "{said:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_way_from_here_to_one_address_hides_nothing_of_the_others() {
        use Failure::{NoRoute, Refused, Silent};
        let none = |words: &[&str]| (None, words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(raced(&[Some(Refused), Some(NoRoute), Some(Silent)]).await, none(&["refused", "no answer"]));
        assert_eq!(raced(&[Some(NoRoute), Some(NoRoute)]).await, none(&["no route", "no route"]));
    }
}
