//! What only a store of files can do wrong.
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use argo_attest::store::{FileStore, ObjectKey, PutMode, PutOutcome, Store as _, StoreError, StoreErrorKind};
use argo_attest_core::trouble::Trouble as _;
use bytes::Bytes;

struct Place {
    dir: tempfile::TempDir,
    store: FileStore,
}

impl Place {
    /// A store in `dir/store`, so that there is an outside to escape to.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("store")).unwrap();
        let store = FileStore::open(&dir.path().join("store")).unwrap();
        Self { dir, store }
    }

    fn root(&self) -> &Path {
        self.store.path()
    }

    async fn create(&self, key: &str) -> Result<PutOutcome, StoreError> {
        self.store.put(&ObjectKey::new(key).unwrap(), Bytes::from_static(b"ours"), PutMode::Create).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        Ok(self.store.get(&ObjectKey::new(key).unwrap(), 1000).await?.bytes)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn keys_do_not_leave_the_directory() {
    let place = Place::new();
    fs::write(place.dir.path().join("outside"), "secret").unwrap();
    for key in ["../outside", "a/../../outside", "/etc/passwd", "./x", "a//b", "a/"] {
        let error = place.create(key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Rejected, "{key}: {error:?}");
        let error = place.get(key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Rejected, "{key}: {error:?}");
    }
    assert_eq!(fs::read(place.dir.path().join("outside")).unwrap(), b"secret");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[tokio::test]
async fn links_are_never_followed() {
    let place = Place::new();
    let outside = place.dir.path().join("outside");
    fs::write(&outside, "ours").unwrap();
    symlink(&outside, place.root().join("link")).unwrap();
    symlink(place.dir.path(), place.root().join("dir")).unwrap();
    symlink("nowhere", place.root().join("dangling")).unwrap();

    for key in ["link", "dangling"] {
        match place.get(key).await {
            Err(StoreError::NotAFile { .. }) => {}
            other => panic!("{key}: {other:?}"),
        }
        // Even where the link's target holds the very bytes.
        match place.create(key).await {
            Err(StoreError::Conflict { .. }) => {}
            other => panic!("{key}: {other:?}"),
        }
    }
    for key in ["dir/outside", "dir/new"] {
        assert_eq!(place.create(key).await.unwrap_err().kind(), StoreErrorKind::Io);
        assert_eq!(place.get(key).await.unwrap_err().kind(), StoreErrorKind::Io);
    }
    let revision = place.store.head(&ObjectKey::new("link").unwrap()).await;
    assert!(matches!(revision, Err(StoreError::NotAFile { .. })), "{revision:?}");
    assert!(!place.dir.path().join("new").exists() && !place.root().join("nowhere").exists());
    assert_eq!(place.names(), ["dangling", "dir", "link"], "no temporary file stays");
}

#[tokio::test]
async fn what_is_no_file_is_no_object() {
    let place = Place::new();
    fs::create_dir(place.root().join("directory")).unwrap();
    let fifo = place.root().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.root().join("socket")).unwrap();
    let started = Instant::now();
    for key in ["directory", "fifo", "socket"] {
        match place.get(key).await {
            Err(StoreError::NotAFile { .. }) => {}
            other => panic!("{key}: {other:?}"),
        }
        match place.create(key).await {
            Err(StoreError::Conflict { .. }) => {}
            other => panic!("{key}: {other:?}"),
        }
    }
    assert!(started.elapsed() < Duration::from_secs(10), "a FIFO must not hold us");
    assert_eq!(place.names().len(), 3, "no temporary file stays");
}

#[tokio::test]
async fn a_new_object_can_be_read_by_others() {
    let place = Place::new();
    place.create("a/b").await.unwrap();
    let mode = fs::metadata(place.root().join("a/b")).unwrap().permissions().mode();
    // Whatever umask the tests run with, it never adds anything to 0644.
    assert_eq!(mode & 0o777 & !0o644, 0, "{mode:o}");
    assert_eq!(mode & 0o600, 0o600, "{mode:o}");
    assert_eq!(place.get("a/b").await.unwrap(), "ours");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_says_so_and_keeps_nothing() {
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere, so the file system has to refuse: names of 256 bytes.
        let place = Place::new();
        let error = place.create(&"n".repeat(256)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Io, "{error:?}");
        assert_eq!(place.names(), Vec::<String>::new(), "no temporary file stays");
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o555)).unwrap();
    let error = place.create("x").await.unwrap_err();
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Io, "{error:?}");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_missing_directory_is_an_error_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for (name, words) in [("none", "does not exist"), ("file", "is not a directory")] {
        let error = FileStore::open(&dir.path().join(name)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error:?}");
        assert!(error.uri().starts_with("file:///") && error.uri().ends_with(name), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.remedy().unwrap().starts_with("make the directory"), "{}", error.remedy().unwrap());
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_streams_is_refused() {
    let place = Place::new();
    let path = place.root().join("big");
    fs::write(&path, vec![b'a'; 1024 * 1024]).unwrap();
    let mut stream = place.store.stream(&ObjectKey::new("big").unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    fs::write(&path, vec![b'b'; 1024 * 1024]).unwrap();
    let error = loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("other bytes than announced went through"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
}

#[tokio::test]
async fn a_reader_never_sees_half_a_replacement() {
    let place = Place::new();
    let key = ObjectKey::new("k").unwrap();
    let make = |i: u8| Bytes::from(vec![i; 100_000]);
    let mut revision = place.store.put(&key, make(0), PutMode::Create).await.unwrap().info().revision.clone();
    let reader = {
        let (store, key) = (place.store.clone(), key.clone());
        tokio::spawn(async move {
            let mut last = 0;
            while last < 50 {
                let bytes = store.get(&key, 1_000_000).await.unwrap().bytes;
                let first = *bytes.first().unwrap();
                assert!(bytes.len() == 100_000 && bytes.iter().all(|b| *b == first));
                last = first;
            }
        })
    };
    for i in 1..=50 {
        let outcome = place.store.put(&key, make(i), PutMode::Replace(revision)).await.unwrap();
        revision = outcome.info().revision.clone();
    }
    tokio::time::timeout(Duration::from_mins(1), reader).await.unwrap().unwrap();
    assert_eq!(place.names(), ["k"]);
}

#[tokio::test]
async fn of_racing_replacements_one_wins() {
    let place = Place::new();
    let key = ObjectKey::new("k").unwrap();
    let revision = place.create("k").await.unwrap().info().revision.clone();
    let tasks: Vec<_> = (0..16_u8)
        .map(|i| {
            // Stores of their own, as two processes would have.
            let store = FileStore::open(place.root()).unwrap();
            let (key, mode) = (key.clone(), PutMode::Replace(revision.clone()));
            tokio::spawn(async move { store.put(&key, Bytes::from(vec![i; 1000]), mode).await })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(PutOutcome::Written(_)) => written += 1,
            Err(StoreError::Conflict { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(written, 1);
}
