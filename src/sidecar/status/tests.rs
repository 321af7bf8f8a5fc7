use std::sync::atomic::{AtomicBool, Ordering};

use argo_attest_core::outcome::MESSAGE_LIMIT;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn file() -> (TempDir, StatusFile) {
    let dir = tempfile::tempdir().unwrap();
    let file = StatusFile::new(dir.path().join("termination-log"));
    (dir, file)
}

fn failed(reason: &str) -> Status {
    Status::Failed { reason: reason.to_owned(), remedy: Some("mount the Secret".to_owned()) }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn what_is_written_is_read_whatever_was_there() {
    let (_dir, file) = file();
    assert_eq!(StatusFile::read(file.path()).unwrap(), None);
    let done = r#"{"state":"done","attested":1,"artifacts":[{"name":"a"}]}"#;
    for status in [
        Status::Starting,
        failed(&"long ".repeat(100)),
        Status::Failed { reason: "r".into(), remedy: None },
        Status::Ready { detail: "2 outputs".into() },
        Status::Unattested { reason: "r".into(), remedy: Some("m".into()) },
        Status::Finishing,
        Status::Idle { reason: "not opted in".into() },
        Status::Done(done.into()),
    ] {
        file.write(&status).unwrap();
        assert_eq!(StatusFile::read(file.path()).unwrap(), Some(status));
    }
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), done);
}

#[test]
fn half_a_state_is_none() {
    let (_dir, file) = file();
    file.write(&failed("no key")).unwrap();
    let whole = std::fs::read(file.path()).unwrap();
    for end in 0..whole.len() {
        std::fs::write(file.path(), &whole[..end]).unwrap();
        assert_eq!(StatusFile::read(file.path()).unwrap(), None, "{end}");
    }
    for other in ["null", "[]", r#"{"state":"perhaps"}"#, r#"{"state":"ready"}"#, r#"{"state":"starting"}x"#]
    {
        std::fs::write(file.path(), other).unwrap();
        assert_eq!(StatusFile::read(file.path()).unwrap(), None, "{other}");
    }
    // Blanks at the end are what a write leaves before it has cut the file.
    std::fs::write(file.path(), format!(r#"{{"state":"done","x":1}}{}"#, " ".repeat(99))).unwrap();
    let read = StatusFile::read(file.path()).unwrap();
    assert_eq!(read, Some(Status::Done(r#"{"state":"done","x":1}"#.into())));
}

#[test]
fn reads_no_more_than_the_kubelet() {
    let (_dir, file) = file();
    std::fs::write(file.path(), format!(r#"{{"state":"starting"}}{}"#, " ".repeat(1 << 20))).unwrap();
    assert_eq!(StatusFile::read(file.path()).unwrap(), Some(Status::Starting));
    file.write(&Status::Starting).unwrap();
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), r#"{"state":"starting"}"#);
    let error = file.write(&Status::Done("x".repeat(FILE_LIMIT + 1))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(StatusFile::read(file.path()).unwrap(), Some(Status::Starting), "left as it was");
}

#[test]
fn only_a_regular_file_will_do_and_nothing_blocks() {
    let (dir, file) = file();
    let fifo = dir.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    assert_eq!(StatusFile::read(&fifo).unwrap_err().to_string(), "not a regular file");
    StatusFile::new(&fifo).write(&Status::Starting).unwrap_err();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    StatusFile::new(&link).write(&Status::Starting).unwrap_err();
    assert!(!file.path().exists());
    StatusFile::read(dir.path()).unwrap_err();
}

#[tokio::test]
async fn waits_for_main_to_be_allowed() {
    let (_dir, file) = file();
    let ready = Status::Ready { detail: "1 output".into() };
    let (path, writer, last) = (file.path().to_owned(), file.clone(), ready.clone());
    let waiting = tokio::spawn(async move { wait_ready(&path, soon()).await });
    tokio::task::yield_now().await;
    writer.write(&Status::Starting).unwrap();
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    writer.write(&last).unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ready);

    let idle = Status::Idle { reason: "no outputs".into() };
    file.write(&idle).unwrap();
    assert_eq!(wait_ready(file.path(), soon()).await.unwrap(), idle);
}

#[tokio::test(start_paused = true)]
async fn main_is_held_hardly_longer_than_it_has_to_be() {
    for held in [0, 5, 11, 30] {
        let (_dir, file) = file();
        let began = Instant::now();
        let getting_ready = async {
            sleep(Duration::from_millis(held)).await;
            file.write(&Status::Ready { detail: String::new() }).unwrap();
        };
        let (ready, ()) = tokio::join!(wait_ready(file.path(), soon()), getting_ready);
        ready.unwrap();
        let took = began.elapsed();
        assert!(took <= Duration::from_millis(held * 5 / 4 + 2), "{took:?} for {held} ms");
    }
}

#[tokio::test]
async fn a_failure_ends_the_wait_at_once() {
    let (_dir, file) = file();
    file.write(&failed("the key is missing")).unwrap();
    let error = wait_ready(file.path(), soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "the sidecar cannot attest this step: the key is missing");
    assert!(matches!(error, NotReady::Failed { remedy: Some(remedy), .. } if remedy == "mount the Secret"));
    for ended in [Status::Finishing, Status::Done(r#"{"state":"done"}"#.into())] {
        file.write(&ended).unwrap();
        let error = wait_ready(file.path(), soon()).await.unwrap_err();
        assert!(matches!(error, NotReady::Ended), "{error}");
    }
}

#[tokio::test]
async fn the_wait_has_an_end() {
    let (_dir, file) = file();
    let error = wait_ready(file.path(), Instant::now() + Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, NotReady::Deadline { started: false }), "{error}");
    file.write(&Status::Starting).unwrap();
    let error = wait_ready(file.path(), Instant::now()).await.unwrap_err();
    assert!(matches!(error, NotReady::Deadline { started: true }), "{error}");
    file.write(&Status::Ready { detail: String::new() }).unwrap();
    wait_ready(file.path(), Instant::now()).await.unwrap();
}

/// A reader that looks while states are being written sees whole ones.
#[test]
fn states_never_mix() {
    let (_dir, file) = file();
    file.write(&Status::Starting).unwrap();
    let (path, stop) = (file.path().to_owned(), AtomicBool::new(false));
    let written: Vec<Status> = (0..50).map(|n| failed(&"x".repeat(n * 10))).collect();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !stop.load(Ordering::Relaxed) {
                match StatusFile::read(&path).unwrap() {
                    // The writer was quicker to lock, over and over.
                    None => {}
                    Some(Status::Starting | Status::Finishing) => seen += 1,
                    Some(other) => {
                        assert!(written.contains(&other), "{other:?}");
                        seen += 1;
                    }
                }
            }
            seen
        });
        for status in written.iter().cycle().take(500) {
            file.write(status).unwrap();
            file.write(&Status::Finishing).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

/// Neither waits for ever for the other.
#[test]
fn a_lock_that_is_kept_stops_nobody() {
    let (_dir, file) = file();
    file.write(&Status::Starting).unwrap();
    let kept = File::open(file.path()).unwrap();
    kept.lock().unwrap();
    assert_eq!(StatusFile::read(file.path()).unwrap(), None);
    file.write(&Status::Finishing).unwrap();
    kept.unlock().unwrap();
    assert_eq!(StatusFile::read(file.path()).unwrap(), Some(Status::Finishing));
}

proptest! {
    #[test]
    fn any_text_fits(reason: String, long in "[\"\\\\\u{1b}日]{0,900}", remedy in proptest::option::of("[\"\\\\]{0,900}")) {
        for status in [
            Status::Failed { reason: long.clone(), remedy: remedy.clone() },
            Status::Failed { reason, remedy },
            Status::Ready { detail: long.clone() },
            Status::Idle { reason: long },
        ] {
            let text = status.to_json().unwrap();
            prop_assert!(text.len() <= MESSAGE_LIMIT, "{} bytes", text.len());
            prop_assert!(Status::from_json(text.as_bytes()).is_some());
        }
    }
}
