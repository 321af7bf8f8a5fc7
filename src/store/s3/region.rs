//! In which region a bucket is, where neither the settings nor the host's name say it: the bucket
//! is asked, as minio-go does it for Argo (`getBucketLocation`). Once a store, and before the
//! first request where that is AWS's own; of others a reply has to ask for a region first.

use aws_sdk_s3::types::BucketLocationConstraint;

use super::client::Client;
use super::config::S3Config;
use super::fault::Fault;
use super::retry::GaveUp;
use crate::store::Operation;

/// What an empty answer means, and the oldest of names.
const FIRST: &str = "us-east-1";
const OLDEST: (&str, &str) = ("EU", "eu-west-1");

impl S3Config {
    /// Whether nobody has said in which region the bucket is.
    fn region_is_unknown(&self) -> bool {
        self.region.is_none() && self.endpoint.as_ref().is_none_or(|endpoint| endpoint.region().is_none())
    }

    /// Whether the store is AWS, which has regions that are not one another's.
    fn is_aws(&self) -> bool {
        self.endpoint.as_ref().is_none_or(super::Endpoint::is_aws)
    }
}

impl Client {
    /// Runs `attempt` as [`super::retry::Retrying::run`] does, in the region that the bucket is in.
    pub(super) async fn run<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        uri: &str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, GaveUp> {
        let is_unknown = self.config.region_is_unknown();
        if is_unknown && self.config.is_aws() {
            self.ask_for_region().await;
        }
        let region = self.region();
        let result = self.run_there(uri, &mut attempt).await;
        match &result {
            // A reply that names one was followed already.
            Err(GaveUp { fault, .. })
                if is_unknown && fault.is_for_another_region() && fault.other_region().is_none() =>
            {
                self.ask_for_region().await;
                if self.region() == region { result } else { self.run_there(uri, attempt).await }
            }
            _ => result,
        }
    }

    /// What cannot be found out is left as it is: the request itself will say why.
    async fn ask_for_region(&self) {
        let asking = || async {
            match self.location_once().await {
                Ok(region) => self.sign_for(&region),
                Err(fault) => {
                    self.follow(&fault);
                }
            }
        };
        self.region_asked.get_or_init(asking).await;
    }

    async fn location_once(&self) -> Result<String, Fault> {
        // By path: a bucket's own host answers in its region only.
        let by_path = aws_sdk_s3::config::Builder::default().force_path_style(true);
        let request = self.s3().get_bucket_location().bucket(self.bucket());
        let request = request.customize().config_override(by_path);
        let reply =
            Box::pin(async { request.send().await.map_err(|error| Fault::from_sdk(error, Operation::Look)) });
        let answer = self.answer(0, reply).await?;
        let region = answer.location_constraint().map_or("", BucketLocationConstraint::as_str);
        Ok(match region {
            "" => FIRST.to_owned(),
            name if name == OLDEST.0 => OLDEST.1.to_owned(),
            name => name.to_owned(),
        })
    }
}
