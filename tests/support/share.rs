//! What is tried of very many cases that are much alike.

use std::time::{Duration, SystemTime};

/// Of how many each day takes one.
const DAYS: u64 = 3;

/// Whether the case with this number is tried: in CI each is; at a desk every third, and the others on the two
/// days that follow.
pub(crate) fn is_tried(number: usize) -> bool {
    let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    let day =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() / 86_400;
    is_ci || u64::try_from(number).is_ok_and(|number| (number + day).is_multiple_of(DAYS))
}
