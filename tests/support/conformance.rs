//! What every store must do, tried on whichever store is given.

use std::collections::BTreeMap;

use argo_attest::store::{ObjectKey, PutMode, PutOutcome, Revision, Store, StoreError, StoreErrorKind};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest::{Files, Manifest};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::trouble::Trouble as _;
use bytes::Bytes;

const LIMIT: u64 = 16 * 1024 * 1024;

/// What a store cannot be asked, for reasons of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leave {
    /// Keys with a newline or other control characters.
    pub(crate) control_characters: bool,
    /// Keys in a listing that are to be encoded: the server says that it did so, and does not.
    pub(crate) encoded: bool,
    /// Listings: the server knows none.
    pub(crate) listings: bool,
}

/// What is promised, in the order in which it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// What is not there is told from what cannot be reached.
    Missing,
    /// Nothing is overwritten that was not expected to be there.
    Create,
    /// What was read, and nothing else, is replaced.
    Replace,
    Limits,
    Sizes,
    OddKeys,
    /// What is made while it is sent is written like what is there.
    Made,
    /// Of many writers one wins, and the others know.
    Races,
    /// A listing holds every object under its prefix once.
    Lists,
}

impl Promise {
    pub(crate) const ALL: [Self; 9] = [
        Self::Missing,
        Self::Create,
        Self::Replace,
        Self::Limits,
        Self::Sizes,
        Self::OddKeys,
        Self::Made,
        Self::Races,
        Self::Lists,
    ];
}

/// Runs the whole suite; keys all start with `prefix`, so that it can run twice.
pub(crate) async fn conformance(store: &dyn Store, prefix: &str, leave: Leave) {
    for promise in Promise::ALL {
        kept(store, prefix, promise, leave).await;
    }
}

/// One part of the suite; panics where the promise is broken.
pub(crate) async fn kept(store: &dyn Store, prefix: &str, promise: Promise, leave: Leave) {
    let suite = Suite { store, prefix };
    match promise {
        Promise::Missing => suite.missing().await,
        Promise::Create => suite.create().await,
        Promise::Replace => suite.replace().await,
        Promise::Limits => suite.limits().await,
        Promise::Sizes => suite.sizes().await,
        Promise::OddKeys => suite.odd_keys(leave).await,
        Promise::Made => suite.made().await,
        Promise::Races => suite.races().await,
        Promise::Lists if leave.listings => {}
        Promise::Lists => suite.lists(leave).await,
    }
}

struct Suite<'s> {
    store: &'s dyn Store,
    prefix: &'s str,
}

impl Suite<'_> {
    fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(&format!("{}/{name}", self.prefix)).unwrap()
    }

    async fn put(
        &self,
        key: &ObjectKey,
        bytes: &'static [u8],
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.store.put(key, Bytes::from_static(bytes), mode).await
    }

    async fn written(&self, key: &ObjectKey, bytes: &'static [u8], mode: PutMode) -> Revision {
        match self.put(key, bytes, mode).await {
            Ok(PutOutcome::Written(info)) => {
                assert_eq!(info.size, bytes.len() as u64);
                info.revision
            }
            other => panic!("{key}: {other:?}"),
        }
    }

    async fn already_there(&self, key: &ObjectKey, bytes: &'static [u8], mode: PutMode) -> Revision {
        match self.put(key, bytes, mode).await {
            Ok(PutOutcome::AlreadyThere(info)) => info.revision,
            other => panic!("{key}: {other:?}"),
        }
    }

    async fn refused(&self, key: &ObjectKey, bytes: &'static [u8], mode: PutMode, kind: StoreErrorKind) {
        let error = self.put(key, bytes, mode).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{key}: {error:?}");
        assert_eq!(error.uri(), self.store.uri(key));
        assert!(!error.remedy().unwrap().is_empty());
    }

    /// The object by all three ways of reading, which must agree.
    async fn holds(&self, key: &ObjectKey, bytes: &[u8]) -> Revision {
        let object = self.store.get(key, LIMIT).await.unwrap();
        assert!(object.bytes == bytes, "{key}: {} bytes, of {}", object.bytes.len(), bytes.len());
        let head = self.store.head(key).await.unwrap();
        let mut stream = self.store.stream(key).await.unwrap();
        let mut streamed = Vec::new();
        while let Some(chunk) = stream.next().await.unwrap() {
            streamed.extend_from_slice(&chunk);
        }
        assert!(streamed == bytes, "{key}: {} bytes streamed, of {}", streamed.len(), bytes.len());
        for info in [&object.info, &head, stream.info()] {
            assert_eq!(info.size, bytes.len() as u64);
            assert_eq!(info.revision, head.revision);
            assert_eq!(info.version_id, head.version_id);
            if let Some(sha256) = info.checksums.sha256 {
                assert_eq!(sha256, Sha256Digest::of(bytes));
            }
        }
        head.revision
    }

    /// A manifest of 30,000 files has megabytes, of which no more than a part is ever there.
    async fn made(&self) {
        let manifest = |count: u32| {
            let path = |n: u32| RelPath::from_bytes(format!("some/directory/{n}").as_bytes()).unwrap();
            let digest = |n: u32| Sha256Digest::of(&n.to_le_bytes());
            let files: BTreeMap<_, _> = (0..count).map(|n| (path(n), digest(n))).collect();
            let manifest = Manifest::of(&Files::from(&files));
            let bytes = manifest.chunks().collect::<Vec<_>>().concat();
            (manifest, bytes)
        };
        let key = self.key("made/manifest");
        let ((one, bytes), (other, others)) = (manifest(30_000), manifest(20_000));
        let write = async |new: &Manifest, mode| self.store.write(&key, new.into(), mode).await;
        let first = match write(&one, PutMode::Create).await {
            Ok(PutOutcome::Written(info)) => info,
            other => panic!("{key}: {other:?}"),
        };
        assert_eq!(first.size, bytes.len() as u64);
        assert_eq!(self.holds(&key, &bytes).await, first.revision);
        for mode in [PutMode::Create, PutMode::Replace(Revision::clone(&first.revision))] {
            let again = write(&one, mode).await;
            assert!(matches!(again, Ok(PutOutcome::AlreadyThere(_) | PutOutcome::Written(_))), "{again:?}");
        }
        let conflict = write(&other, PutMode::Create).await.unwrap_err();
        assert_eq!(conflict.kind(), StoreErrorKind::Conflict, "{conflict:?}");
        let now = self.holds(&key, &bytes).await;
        write(&other, PutMode::Replace(now)).await.unwrap();
        self.holds(&key, &others).await;
    }

    async fn missing(&self) {
        for key in [self.key("missing"), self.key("no/such/directory")] {
            let errors = [
                self.store.get(&key, LIMIT).await.unwrap_err(),
                self.store.head(&key).await.unwrap_err(),
                self.store.stream(&key).await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error:?}");
                assert_eq!(error.uri(), self.store.uri(&key));
            }
        }
    }

    async fn create(&self) {
        let key = self.key("create");
        let first = self.written(&key, b"one", PutMode::Create).await;
        assert_eq!(self.holds(&key, b"one").await, first);
        assert_eq!(self.already_there(&key, b"one", PutMode::Create).await, first);
        for other in [&b"two"[..], b"longer", b"", b"on"] {
            self.refused(&key, other, PutMode::Create, StoreErrorKind::Conflict).await;
        }
        assert_eq!(self.holds(&key, b"one").await, first, "a refused write changes nothing");
    }

    async fn replace(&self) {
        let key = self.key("replace");
        let one = self.written(&key, b"one", PutMode::Create).await;
        self.refused(&self.key("gone"), b"x", PutMode::Replace(one.clone()), StoreErrorKind::NotFound).await;
        self.refused(&self.key("gone/deep"), b"x", PutMode::Replace(one.clone()), StoreErrorKind::NotFound)
            .await;
        let two = self.written(&key, b"two", PutMode::Replace(one.clone())).await;
        assert_ne!(one, two);
        assert_eq!(self.holds(&key, b"two").await, two);
        self.refused(&key, b"three", PutMode::Replace(one.clone()), StoreErrorKind::Conflict).await;
        assert_eq!(self.already_there(&key, b"two", PutMode::Replace(one)).await, two, "a lost reply");
        assert_eq!(self.holds(&key, b"two").await, two);
    }

    async fn limits(&self) {
        let key = self.key("limits");
        self.written(&key, b"12345", PutMode::Create).await;
        assert_eq!(self.store.get(&key, 5).await.unwrap().bytes, "12345");
        match self.store.get(&key, 4).await {
            Err(StoreError::TooLarge { limit: 4, .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    async fn sizes(&self) {
        self.written(&self.key("empty"), b"", PutMode::Create).await;
        self.holds(&self.key("empty"), b"").await;
        for size in [1_usize, 65_536, 3 * 1024 * 1024 + 17] {
            let bytes: Vec<u8> = (0..size).map(|i| u8::try_from(i.wrapping_mul(31) % 251).unwrap()).collect();
            let key = self.key(&format!("size-{size}"));
            let bytes = Bytes::from(bytes);
            match self.store.put(&key, bytes.clone(), PutMode::Create).await.unwrap() {
                PutOutcome::Written(_) => self.holds(&key, &bytes).await,
                there @ PutOutcome::AlreadyThere(_) => panic!("{there:?}"),
            };
        }
    }

    async fn odd_keys(&self, leave: Leave) {
        let plain = [
            "a b",
            "100%",
            "a%20b",
            "a+b",
            "q?x=1&y=2#f",
            "grün/日本",
            ".dot",
            "a..b",
            "d/e/e/p",
            "\"'<>;=,@",
        ];
        let control = ["new\nline", "esc\u{1b}[31m", "\u{202e}bidi"];
        for name in plain.iter().chain(control.iter().filter(|_| !leave.control_characters)) {
            let key = self.key(name);
            let uri = self.store.uri(&key);
            assert!(!uri.chars().any(char::is_control) && !uri.contains('\u{202e}'), "{uri}");
            let bytes = Bytes::from(name.as_bytes().to_vec());
            match self.store.put(&key, bytes.clone(), PutMode::Create).await {
                Ok(PutOutcome::Written(_)) => self.holds(&key, &bytes).await,
                other => panic!("{key}: {other:?}"),
            };
        }
    }

    async fn races(&self) {
        let contenders: Vec<_> = (0..16).map(|i| Bytes::from(format!("contender {i}"))).collect();
        let key = self.key("race-of-different");
        let outcomes = self.race(&key, &contenders).await;
        let winners: Vec<_> =
            outcomes.iter().enumerate().filter(|(_, o)| matches!(o, Ok(PutOutcome::Written(_)))).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(self.store.get(&key, LIMIT).await.unwrap().bytes == contenders[winners[0].0]);
        let conflicts = outcomes.iter().filter(|o| matches!(o, Err(StoreError::Conflict { .. }))).count();
        assert_eq!(conflicts, 15, "{outcomes:?}");

        let key = self.key("race-of-equals");
        let outcomes = self.race(&key, &vec![Bytes::from_static(b"the same"); 16]).await;
        let written = outcomes.iter().filter(|o| matches!(o, Ok(PutOutcome::Written(_)))).count();
        let there = outcomes.iter().filter(|o| matches!(o, Ok(PutOutcome::AlreadyThere(_)))).count();
        assert_eq!((written, there), (1, 15), "{outcomes:?}");
        self.holds(&key, b"the same").await;
    }

    async fn race(&self, key: &ObjectKey, contenders: &[Bytes]) -> Vec<Result<PutOutcome, StoreError>> {
        let puts: Vec<_> =
            contenders.iter().map(|bytes| self.store.put(key, bytes.clone(), PutMode::Create)).collect();
        join_all(puts).await
    }

    /// Every object under a prefix, once, whatever is in its name, and nothing beside it.
    async fn lists(&self, leave: Leave) {
        let many: Vec<_> = (0..25).map(|n| format!("listed/many/{n:04}")).collect();
        // A name that goes on where another one ends, and what an encoding changes.
        let mut odd = vec!["listed/a/deep/er/x", "listed-not", "listed/a-b", "listed/é"];
        if !leave.encoded {
            odd.extend(["listed/a b+c", "listed/a%2Fb"]);
        }
        for name in many.iter().map(String::as_str).chain(odd.iter().copied()) {
            self.written(&self.key(name), b"12345", PutMode::Create).await;
        }
        let under = |prefix: &str| {
            let names = many
                .iter()
                .map(String::as_str)
                .chain(odd.iter().copied())
                .filter(|name| name.starts_with(prefix));
            let mut keys: Vec<_> = names.map(|name| self.key(name)).collect();
            keys.sort();
            keys
        };
        for prefix in ["listed/", "listed", "listed/many/", "listed/many/00", "listed/a", "listed/none/"] {
            let mut keys = Vec::new();
            let mut listing = self.store.list(self.key(prefix).as_str());
            while let Some(page) = listing.next().await.unwrap() {
                assert!(!page.is_empty());
                assert!(page.iter().all(|listed| listed.size == 5), "{page:?}");
                keys.extend(page.into_iter().map(|listed| listed.key));
            }
            keys.sort();
            let mut missing = under(prefix);
            missing.retain(|key| !keys.contains(key));
            assert_eq!((keys.len(), missing), (under(prefix).len(), vec![]), "{prefix}: {:?}", keys.first());
        }
    }
}

/// Polls all futures in one task until all are done.
async fn join_all<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    use std::task::Poll;
    let mut pending: Vec<_> = futures.into_iter().map(|f| (Some(f), None)).collect();
    std::future::poll_fn(move |cx| {
        for (future, output) in &mut pending {
            if let Some(running) = future
                && let Poll::Ready(done) = std::pin::Pin::new(running).poll(cx)
            {
                (*future, *output) = (None, Some(done));
            }
        }
        if pending.iter().any(|(_, output)| output.is_none()) {
            return Poll::Pending;
        }
        Poll::Ready(pending.iter_mut().filter_map(|(_, output)| output.take()).collect())
    })
    .await
}
