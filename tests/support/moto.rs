//! moto's server, which plays AWS: services that others wrote.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// It runs until it is dropped.
pub(crate) struct Moto {
    process: Child,
    pub(crate) address: SocketAddr,
    _dir: TempDir,
}

impl Moto {
    /// `None`, with a word about it, where it is not installed. In CI it must be.
    pub(crate) fn start() -> Option<Self> {
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/server");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let dir = TempDir::new().unwrap();
        let process = Command::new(server)
            .args(["serve", "moto"])
            .arg(dir.path())
            .arg(address.port().to_string())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut moto = Self { process, address, _dir: dir };
        let deadline = Instant::now() + Duration::from_secs(90);
        while TcpStream::connect(address).is_err() {
            if moto.process.try_wait().unwrap().is_some() {
                crate::skip::skip("moto (tests/stores/server install moto)");
                return None;
            }
            assert!(Instant::now() < deadline, "nothing listens on {address}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
