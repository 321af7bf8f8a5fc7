//! The SDK's client, set up so that everything it does is decided here.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, IdentityCache, Region, RequestChecksumCalculation, StalledStreamProtectionConfig,
};
use tokio::sync::OnceCell;

use super::ability::Ability;
use super::encryption::{CustomerKey, Encryption};
use super::fault::{Fault, is_region};
use super::http::Http;
use super::identity::{Current, Identity};
use super::plain::{Ask, Shortcut};
use super::replay::Answer;
use super::retry::{self, GaveUp, Retrying};
use super::{ConfigError, Requests, S3Config, Target};
use crate::store::{InvalidKey, Location, ObjectKey, StoreError};

pub(super) struct Client {
    s3: Mutex<Signing>,
    pub(super) config: S3Config,
    identity: Arc<Identity>,
    /// What the SDK sends its requests by.
    http: Http,
    pub(super) shortcut: Shortcut,
    retrying: Retrying,
    /// What the store was seen to take.
    pub(super) ability: Ability,
    /// Whether the store has said of its own accord that an object is missing, or
    /// could not: see [`Self::why_not_there`].
    bucket_asked_for: AtomicBool,
    /// Whether the bucket was asked in which region it is.
    pub(super) region_asked: OnceCell<()>,
}

/// The SDK's client, and the region that it signs for.
struct Signing {
    client: aws_sdk_s3::Client,
    region: String,
    /// Whether a reply has said so: one is believed, once.
    followed: bool,
}

impl Signing {
    fn move_to(&mut self, region: &str) {
        tracing::info!(from = self.region, to = region, "the bucket is in another region");
        let config = self.client.config().to_builder().region(Region::new(region.to_owned())).build();
        self.client = aws_sdk_s3::Client::from_conf(config);
        region.clone_into(&mut self.region);
    }
}

impl Client {
    pub(super) fn new(config: S3Config) -> Result<Self, StoreError> {
        match Self::build(&config) {
            Ok((client, region, identity, http)) => {
                let s3 = Mutex::new(Signing { client, region, followed: false });
                let retrying = Retrying::new(config.limits);
                let bucket_asked_for = AtomicBool::new(false);
                let region_asked = OnceCell::new();
                let ability = Ability::default();
                let shortcut = match config.requests {
                    Requests::Plain => Shortcut::default(),
                    Requests::BySdk => Shortcut::closed(),
                };
                Ok(Self {
                    s3,
                    config,
                    identity,
                    http,
                    shortcut,
                    retrying,
                    ability,
                    bucket_asked_for,
                    region_asked,
                })
            }
            Err(source) => {
                let S3Config { bucket, prefix, .. } = config;
                Err(source.about(Location::S3 { bucket, prefix }.to_string()))
            }
        }
    }

    fn build(config: &S3Config) -> Result<(aws_sdk_s3::Client, String, Arc<Identity>, Http), ConfigError> {
        let region = config.signing_region()?;
        let (trust, proxies, limits) = (&config.trust, &config.proxies, config.limits);
        let http = Http::new(trust, proxies, config.endpoint.as_ref(), limits.connect)?;
        let identity = Arc::new(Identity::of(&config.credentials, &config.reach(), &region)?);
        let mut builder = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.clone()))
            .force_path_style(config.path_style())
            .http_client(http.clone())
            .timeout_config(TimeoutConfig::disabled())
            // Each of these is done here, once: retries, deadlines, renewal, checksums.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(IdentityCache::no_cache())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.endpoint_url(endpoint.as_str());
        }
        builder = if identity.is_anonymous() {
            builder.allow_no_auth()
        } else {
            builder.credentials_provider(Current(Arc::clone(&identity)))
        };
        Ok((aws_sdk_s3::Client::from_conf(builder.build()), region, identity, http))
    }

    /// The SDK's client, as it is now.
    pub(super) fn s3(&self) -> aws_sdk_s3::Client {
        self.s3.lock().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Signs for the region that the store says the bucket is in, from now on; `false` if
    /// it says none, or has said one before. No reply chooses whom to ask: the host stays,
    /// or, where it is AWS's of a region, becomes AWS's of that region.
    pub(super) fn follow(&self, fault: &Fault) -> bool {
        let Some(region) = fault.other_region() else { return false };
        let mut s3 = self.s3.lock().unwrap_or_else(PoisonError::into_inner);
        if s3.followed || s3.region == region {
            return false;
        }
        s3.move_to(region);
        s3.followed = true;
        true
    }

    /// Signs for this region from now on, as the bucket itself said; a reply may still know it
    /// better.
    pub(super) fn sign_for(&self, region: &str) {
        let mut s3 = self.s3.lock().unwrap_or_else(PoisonError::into_inner);
        if is_region(region) && s3.region != region {
            s3.move_to(region);
        }
    }

    pub(super) fn region(&self) -> String {
        self.s3.lock().unwrap_or_else(PoisonError::into_inner).region.clone()
    }

    pub(super) fn bucket(&self) -> &str {
        self.config.bucket.as_str()
    }

    pub(super) fn full_key(&self, key: &ObjectKey) -> Result<ObjectKey, InvalidKey> {
        self.config.prefix.as_ref().map_or_else(|| Ok(key.clone()), |prefix| prefix.join(key))
    }

    /// Waits for the reply to a request of so many bytes, no longer than it may
    /// take, with credentials that are good for it.
    ///
    /// Boxed: the SDK's futures are tens of kilobytes, and would be in all of ours.
    pub(super) async fn answer<T>(
        &self,
        bytes: u64,
        reply: Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + '_>>,
    ) -> Result<T, Fault> {
        self.identity.ready().await?;
        retry::answer(self.config.limits, bytes, reply).await
    }

    /// What comes of a request without the SDK; `None` if that has to be asked.
    pub(super) async fn plainly(&self, ask: Ask<'_>) -> Option<Answer> {
        let plain = self.shortcut.known(&self.s3.lock().unwrap_or_else(PoisonError::into_inner).region)?;
        let request = plain.request(&ask, self.identity.current()?, SystemTime::now())?;
        Some(self.http.send(request).await)
    }

    /// The key that the object is encrypted with, where requests have to bring it.
    pub(super) async fn customer_key(&self, target: &Target) -> Result<Option<CustomerKey>, Fault> {
        match &self.config.encryption {
            Encryption::Customer(keys) => keys.of_object(self.bucket(), &target.key).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Counts a repetition that [`Self::run`] does not see.
    pub(super) fn count_retry(&self) {
        self.retrying.count();
    }

    /// What a HEAD's 404 means, which has no words of its own: the object is missing,
    /// or its bucket. A GET's answer says which; one is enough for a store.
    pub(super) async fn why_not_there(&self, target: &Target, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::NotFound { .. }) || self.bucket_asked_for.load(Ordering::Relaxed) {
            return error;
        }
        match self.open(target).await.map_err(|fault| fault.into_error(target.uri.clone(), 1)) {
            Err(no_bucket @ StoreError::NoBucket { .. }) => return no_bucket,
            // It will be asked again, when there is an answer.
            Err(StoreError::Unreachable { .. }) => {}
            _ => self.bucket_asked_for.store(true, Ordering::Relaxed),
        }
        error
    }

    pub(super) fn retries(&self) -> u64 {
        self.retrying.retries()
    }

    /// In the region that requests are signed for now.
    pub(super) async fn run_there<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        uri: &str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, GaveUp> {
        self.retrying.run(uri, || self.identity.renew(), |fault| self.follow(fault), attempt).await
    }
}
