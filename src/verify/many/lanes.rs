//! Many things that mostly wait for a server, and compute a little: on all cores, in their order.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::runtime::Handle;

use super::AT_ONCE;

/// How many one core is given at a time. To wake a thread for each costs as much as the rest.
const BATCH: usize = 32;

/// Does something with each, [`AT_ONCE`] of them in all at the same time. What comes of them is in
/// the order of the items.
pub fn on_all_cores<T, R, F, Fut>(items: Vec<T>, each: F) -> impl Stream<Item = R>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(T) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = R>,
{
    let lanes = available_parallelism().unwrap_or(NonZeroUsize::MIN).min(AT_ONCE);
    // A few are shared out, too.
    let batch = items.len().div_ceil(lanes.get()).clamp(1, BATCH);
    let at_once = AT_ONCE.get().div_ceil(lanes.get());
    let mut items = items.into_iter();
    let batches = std::iter::from_fn(move || {
        let batch: Vec<_> = items.by_ref().take(batch).collect();
        (!batch.is_empty()).then_some(batch)
    });
    let done = batches.map(move |batch| {
        let each = each.clone();
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            runtime.block_on(stream::iter(batch).map(each).buffered(at_once).collect::<Vec<_>>())
        })
    });
    stream::iter(done).buffered(lanes.get()).flat_map(|done| {
        let results = match done {
            Ok(results) => results,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down, and nobody will see what comes of it.
                Err(_) => Vec::new(),
            },
        };
        stream::iter(results)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_is_done_once_and_in_order() {
        for count in [0, 1, 2, 31, 32, 33, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let done: Vec<_> = on_all_cores(items.clone(), |item| async move {
                tokio::task::yield_now().await;
                item
            })
            .collect()
            .await;
            assert_eq!(done, items);
        }
    }
}
