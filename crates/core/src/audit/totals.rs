//! How many there are of each finding.

use std::collections::BTreeMap;
use std::fmt;

use super::{Finding, Standing};
use crate::verify::Reason;

/// Counts of findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    counts: BTreeMap<(Standing, Option<Reason>), usize>,
}

impl Totals {
    /// Counts one more; of what nobody looked at, as many as there are.
    pub fn count(&mut self, finding: &Finding) {
        let more = usize::try_from(finding.count()).unwrap_or(usize::MAX);
        if more > 0 {
            let count = self.counts.entry((finding.standing(), finding.reason())).or_default();
            *count = count.saturating_add(more);
        }
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many count so.
    pub fn of(&self, standing: Standing) -> usize {
        self.counts.iter().filter(|((of, _), _)| *of == standing).map(|(_, count)| count).sum()
    }

    /// How many there are that somebody looked at.
    pub fn looked_at(&self) -> usize {
        let looked_at = |reason: &Option<Reason>| *reason != Some(Reason::NotLookedAt);
        self.counts.iter().filter(|((_, reason), _)| looked_at(reason)).map(|(_, count)| count).sum()
    }

    /// Whether something was looked at, and nothing of it is missing or unknown.
    pub fn is_complete(&self) -> bool {
        self.looked_at() > 0 && self.of(Standing::Missing) == 0 && self.of(Standing::Unknown) == 0
    }

    /// Each count with its standing and its word.
    pub fn each(&self) -> impl Iterator<Item = (Standing, Option<Reason>, usize)> {
        self.counts.iter().map(|((standing, reason), count)| (*standing, *reason, *count))
    }
}

/// For people: what is attested first, then the others by their words, then all.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} attested", self.of(Standing::Attested))?;
        for (standing, reason, count) in self.each() {
            match (standing, reason) {
                (_, None) => {}
                (Standing::Attested, Some(reason)) => write!(f, " ({count} {reason})")?,
                (Standing::LetPass, Some(_)) => write!(f, ", {count} unattested and let pass by the policy")?,
                (_, Some(reason)) => write!(f, ", {count} {reason}")?,
            }
        }
        write!(f, " of {}", self.all())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Absence, Invocation, Unseen};
    use super::*;

    #[test]
    fn counts_each_by_its_word() {
        let mut totals = Totals::default();
        assert!(!totals.is_complete(), "an audit of nothing is no proof of anything");
        let mut unseen = Totals::default();
        unseen.count(&Finding::NotLookedAt { count: 3, why: Unseen::Running });
        assert_eq!((unseen.all(), unseen.looked_at(), unseen.is_complete()), (3, 0, false));
        unseen.count(&Finding::Narrowed(Box::default()));
        assert_eq!(unseen.all(), 3, "nobody counted what was left out");
        totals.count(&Finding::Attested);
        totals.count(&Finding::Memoised { run: Invocation::default() });
        totals.count(&Finding::AbsentByRight(Absence::Skipped));
        assert!(totals.is_complete());
        assert_eq!(totals.to_string(), "2 attested (1 memoised), 1 absent-by-right of 3");
        totals.count(&Finding::ObjectGone);
        assert!(!totals.is_complete());
        assert_eq!(totals.to_string(), "2 attested (1 memoised), 1 absent-by-right, 1 object-gone of 4");
    }
}
