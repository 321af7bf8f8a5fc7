//! How many of many artifacts are attested, and what is the matter with the others.

use std::collections::BTreeMap;
use std::fmt;

use argo_attest_core::verify::Reason;

/// Names that are told of attestations without artifacts.
const NAMED: usize = 3;

/// Counts of answers.
#[derive(Debug, Default)]
pub(super) struct Totals {
    attested: usize,
    renamed: usize,
    let_pass: usize,
    refused: BTreeMap<Reason, usize>,
}

impl Totals {
    /// `renamed`: by another name than it has.
    pub(super) fn attested(&mut self, renamed: bool) {
        self.attested += 1;
        self.renamed += usize::from(renamed);
    }

    /// Of one that has no attestation, where the policy takes that.
    pub(super) fn let_pass(&mut self) {
        self.let_pass += 1;
    }

    pub(super) fn refused(&mut self, reason: Reason) {
        *self.refused.entry(reason).or_default() += 1;
    }

    pub(super) fn all(&self) -> usize {
        self.attested + self.let_pass + self.refused.values().sum::<usize>()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} attested", self.attested)?;
        if self.renamed > 0 {
            write!(f, " ({} under another name)", self.renamed)?;
        }
        for (reason, count) in &self.refused {
            write!(f, ", {count} {reason}")?;
        }
        if self.let_pass > 0 {
            write!(f, ", {} unattested and let pass by the policy", self.let_pass)?;
        }
        write!(f, " of {}", self.all())
    }
}

/// What is said of attestations that are about nothing that is there; `None` if there is none.
pub(super) fn orphans(names: &[String]) -> Option<String> {
    let count = names.len();
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = count.saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let are = if count == 1 { "attestation is" } else { "attestations are" };
    (count > 0).then(|| format!("{count} {are} about nothing that is there: {first}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_there_is_of_each() {
        let mut totals = Totals::default();
        (0..998).for_each(|_| totals.attested(false));
        totals.refused(Reason::Altered);
        totals.refused(Reason::Unattested);
        assert_eq!(totals.to_string(), "998 attested, 1 unattested, 1 altered of 1000");
        totals.let_pass();
        assert_eq!(
            totals.to_string(),
            "998 attested, 1 unattested, 1 altered, 1 unattested and let pass by the policy of 1001"
        );
        totals.attested(true);
        assert!(totals.to_string().starts_with("999 attested (1 under another name), 1 unattested"));
        assert_eq!(orphans(&[]), None);
        assert_eq!(orphans(&["a".into()]).unwrap(), "1 attestation is about nothing that is there: a");
        let five = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(
            orphans(&five).unwrap(),
            "5 attestations are about nothing that is there: a, b, c and 2 more"
        );
    }
}
