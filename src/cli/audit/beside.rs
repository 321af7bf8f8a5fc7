//! What is written beside an audit's report: a page, a summary, a signed statement of it.

use argo_attest_core::audit::{Narrowing, Totals};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::policy::Policy;
use jiff::Timestamp;

use super::super::Failure;
use super::AuditArgs;
use super::also::{Also, Gathered};
use super::bar::Bar;
use super::page::{self, PageFile};
use super::signed::{Made, Signing};
use crate::page::Page;

/// What will be written.
pub(super) struct Beside<'a> {
    args: &'a AuditArgs,
    /// Of the policy's file, if there is one.
    digest: Option<Sha256Digest>,
    at: Timestamp,
    narrowing: Narrowing,
    page: Option<PageFile>,
    signing: Option<Signing>,
}

impl<'a> Beside<'a> {
    /// Looks whether it can be written, so that nothing is audited in vain.
    pub(super) async fn open(
        args: &'a AuditArgs,
        digest: Option<Sha256Digest>,
        runs: usize,
        (at, narrowing): (Timestamp, &Narrowing),
    ) -> Result<Self, Failure> {
        let page = args.html.as_deref().map(PageFile::named).transpose()?;
        let by = args.policy.as_ref().zip(digest);
        let signing = args.signed.open(by, (runs, page.is_some(), args.output)).await?;
        Ok(Self { args, digest, at, narrowing: narrowing.clone(), page, signing })
    }

    /// What is to be gathered for it.
    pub(super) fn gathering(&self, bar: Bar) -> Also {
        Also {
            page: self.page.as_ref().map(|_| Page::default()),
            signed: self.signing.as_ref().map(|_| Gathered::default()),
            bar,
            is_of_run: false,
        }
    }

    /// Writes it of what was gathered.
    pub(super) async fn write(self, also: Also, totals: &Totals, policy: &Policy) -> Result<(), Failure> {
        let Self { args, digest, at, narrowing, page, signing } = self;
        let page = match (page, &also.page) {
            (Some(file), Some(page)) => {
                let by = args.policy.as_ref().zip(digest);
                Some(file.put(page, &page::audited(at, by, policy, (&args.places, &narrowing))?)?)
            }
            _ => None,
        };
        match (signing, also.signed) {
            (Some(signing), Some(found)) => {
                let (places, narrowing) = (&args.places[..], &narrowing);
                signing.write(found, totals, Made { policy, at, places, narrowing, page }).await
            }
            _ => Ok(()),
        }
    }
}
