//! Many things that mostly wait for a server, and compute a little: on all cores, in their order.
//!
//! Each core has a thread that waits for itself, with connections of its own: to wake another
//! thread for each thing that arrives costs as much as all that is done with it.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use futures_util::stream::{self, LocalBoxStream, StreamExt as _};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::AT_ONCE;

/// How many things one lane is given at a time, and hands back at a time.
const BATCH: usize = 32;
/// How many of those one lane is ahead of whoever takes what comes of them.
const AHEAD: usize = 3;

/// What a lane does.
type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// A thread for each core, from the first use to the end of this.
#[derive(Debug, Default)]
pub struct Lanes(OnceLock<Vec<UnboundedSender<Job>>>);

impl Lanes {
    /// Does something with each, [`AT_ONCE`] of them in all at the same time. What comes of them is
    /// in the order of the items.
    pub fn each<T, R, F, Fut>(&self, items: Vec<T>, each: F) -> LocalBoxStream<'static, R>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: Fn(T) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = R> + 'static,
    {
        let lanes: &[_] = match items.len() {
            0 | 1 => &[],
            _ => self.0.get_or_init(|| (0..cores().get()).filter_map(|_| lane().ok()).collect()),
        };
        if lanes.is_empty() {
            return stream::iter(items).map(each).buffered(AT_ONCE.get()).boxed_local();
        }
        let left = items.len();
        // A few are shared out, too.
        let batch = left.div_ceil(lanes.len()).clamp(1, BATCH);
        let at_once = AT_ONCE.get().div_ceil(lanes.len());
        let give =
            |(lane, share): (&UnboundedSender<Job>, _)| begin(lane, share, each.clone(), at_once, batch);
        let begun: VecDeque<_> = lanes.iter().zip(shares(items, lanes.len(), batch)).map(give).collect();
        let in_turn = stream::unfold((begun, left), |(mut begun, left)| async move {
            if left == 0 {
                return None;
            }
            let mut lane = begun.pop_front()?;
            let Some(batch) = lane.results.recv().await else {
                // Whatever it was, what is left must not look as if it had never been there.
                std::panic::resume_unwind(Box::new("a thread ended before its work was done"));
            };
            lane.allowed.add_permits(1);
            begun.push_back(lane);
            let left = left.saturating_sub(batch.len());
            Some((stream::iter(batch), (begun, left)))
        });
        in_turn.flatten().boxed_local()
    }
}

/// What a lane has been given, until all of it was taken.
struct Begun<R> {
    results: UnboundedReceiver<Vec<R>>,
    /// How many batches more may be begun.
    allowed: Arc<Semaphore>,
}

impl<R> Drop for Begun<R> {
    fn drop(&mut self) {
        self.allowed.close();
    }
}

fn cores() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN).min(AT_ONCE)
}

/// A thread that does one job after the other, and ends when nobody can give it any more.
fn lane() -> io::Result<UnboundedSender<Job>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (jobs, mut given) = unbounded_channel::<Job>();
    std::thread::Builder::new().name("lane".to_owned()).spawn(move || {
        runtime.block_on(async {
            while let Some(job) = given.recv().await {
                job().await;
            }
        });
    })?;
    Ok(jobs)
}

/// Batches of all items, dealt out in turn.
fn shares<T>(items: Vec<T>, lanes: usize, batch: usize) -> Vec<Vec<Vec<T>>> {
    let mut shares: Vec<_> = (0..lanes).map(|_| Vec::new()).collect();
    let mut items = items.into_iter();
    loop {
        for share in &mut shares {
            let batch: Vec<_> = items.by_ref().take(batch).collect();
            if batch.is_empty() {
                return shares;
            }
            share.push(batch);
        }
    }
}

fn begin<T, R, F, Fut>(
    lane: &UnboundedSender<Job>,
    share: Vec<Vec<T>>,
    each: F,
    at_once: usize,
    batch: usize,
) -> Begun<R>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(T) -> Fut + Send + 'static,
    Fut: Future<Output = R> + 'static,
{
    let allowed = Arc::new(Semaphore::new(AHEAD));
    let (done, results) = unbounded_channel();
    let begun = Begun { results, allowed: Arc::clone(&allowed) };
    let job = move || async move {
        // Nothing is begun that will have to wait to be taken: what is on its way is always read.
        let batches = stream::unfold((share.into_iter(), allowed), |(mut left, allowed)| async move {
            let batch = left.next()?;
            allowed.acquire().await.ok()?.forget();
            Some((stream::iter(batch), (left, allowed)))
        });
        let mut results = pin!(batches.flatten().map(each).buffered(at_once).chunks(batch));
        while let Some(batch) = results.next().await {
            if done.send(batch).is_err() {
                break;
            }
        }
    };
    // Where the thread is gone, the results end.
    let _ = lane.send(Box::new(move || Box::pin(job())));
    begun
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_is_done_once_and_in_order() {
        let lanes = Lanes::default();
        for count in [0, 1, 2, 31, 32, 33, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let each = |item| async move {
                tokio::task::yield_now().await;
                item
            };
            assert_eq!(lanes.each(items.clone(), each).collect::<Vec<_>>().await, items);
        }
    }

    #[tokio::test]
    async fn nobody_runs_far_ahead() {
        let (lanes, begun) = (Lanes::default(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&begun);
        let each = move |item: usize| {
            let counter = Arc::clone(&counter);
            async move { counter.fetch_add(1, Ordering::SeqCst) + item }
        };
        let mut results = lanes.each((0..100_000).collect(), each);
        for _ in 0..1000 {
            results.next().await.unwrap();
        }
        assert!(begun.load(Ordering::SeqCst) <= 1000 + cores().get() * BATCH * (AHEAD + 1));
    }

    #[tokio::test]
    #[should_panic = "a thread ended"]
    async fn what_is_not_done_is_noticed() {
        let each = |item: usize| async move { if item == 40 { panic!("as the test has it") } else { item } };
        let results = Lanes::default().each((0..100).collect(), each);
        // What is thrown without a hook is text of its own.
        let thrown = std::panic::AssertUnwindSafe(results.collect::<Vec<_>>());
        let thrown = futures_util::FutureExt::catch_unwind(thrown).await.unwrap_err();
        panic!("{}", thrown.downcast_ref::<&str>().unwrap());
    }
}
