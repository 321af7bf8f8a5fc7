//! A server from a package registry: installed once, started and ended by a test.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::runtime::Runtime;

use crate::servers::{self, ACCESS_KEY, BUCKET, SECRET_KEY};

/// Ceph needs ten seconds on a quiet machine.
const START: Duration = Duration::from_mins(3);
/// What `server install` ends with where a server is not to be had.
const LACKS: i32 = 3;

pub(crate) struct Server {
    process: Child,
    dir: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) version: String,
    pub(crate) endpoint: String,
}

impl Server {
    /// With an empty bucket; `None`, with a word about it, where it cannot be installed.
    pub(crate) fn start(name: &str) -> Option<Self> {
        let installed = ask("install", name);
        if installed.status.code() == Some(LACKS) {
            crate::skip::skip(&format!("{name}: {}", text(&installed)));
            return None;
        }
        assert!(installed.status.success(), "{name}: {installed:?}");
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let log = File::create(log(&dir)).unwrap();
        let process = script()
            .args(["serve", name])
            .arg(&data)
            .arg(port.to_string())
            .envs([("ACCESS_KEY", ACCESS_KEY), ("SECRET_KEY", SECRET_KEY)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let mut server = Self {
            process,
            dir,
            runtime: runtime.unwrap(),
            version: text(&ask("version", name)),
            endpoint: format!("http://127.0.0.1:{port}"),
        };
        server.make_bucket();
        Some(server)
    }

    /// Amazon's own client, which adds nothing that it was not told to add.
    pub(crate) fn sdk(&self) -> aws_sdk_s3::Client {
        let config = servers::sdk(&self.endpoint).config().to_builder();
        let config = config
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    fn make_bucket(&mut self) {
        let (sdk, deadline) = (self.sdk(), Instant::now() + START);
        loop {
            let made = self.runtime.block_on(sdk.create_bucket().bucket(BUCKET).send());
            let Err(error) = made else { return };
            let there = self.runtime.block_on(sdk.head_bucket().bucket(BUCKET).send());
            if there.is_ok() {
                return;
            }
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "it ended: {}", self.logged());
            assert!(Instant::now() < deadline, "no bucket: {error:?}\n{}", self.logged());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The end of what the server said.
    pub(crate) fn logged(&self) -> String {
        let bytes = std::fs::read(log(&self.dir)).unwrap_or_default();
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4000)..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.process);
        for signal in [Signal::TERM, Signal::KILL] {
            let _ = kill_process_group(group, signal);
            let deadline = Instant::now() + Duration::from_secs(10);
            while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn log(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("log")
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/server"))
}

fn ask(what: &str, name: &str) -> Output {
    script().args([what, name]).stderr(Stdio::inherit()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
