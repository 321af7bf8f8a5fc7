//! Certificates made by openssl for one test, and TLS for the scripted server.

use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::scripted::Wrap;

/// An authority of its own, in a directory of its own.
pub(crate) struct Authority {
    dir: tempfile::TempDir,
}

impl Authority {
    /// `None`, with a word about it, where openssl is not installed. In CI it must be.
    pub(crate) fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            crate::skip::skip("openssl");
            return None;
        }
        let authority = Self { dir: tempfile::tempdir().unwrap() };
        authority.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=authority of a test",
        ]);
        Some(authority)
    }

    /// The file of its certificate.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A server's certificate for `name` (as `DNS:…` or `IP:…`), valid for so many days.
    pub(crate) fn server(&self, name: &str, days: &str) -> Tls {
        let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        self.signed(&format!("subjectAltName={name}\n"), days, &by);
        Tls::new(&self.dir.path().join("server.pem"), &self.dir.path().join("server.key"))
    }

    /// A server that signed its certificate itself, an authority's by its own word, with these
    /// lines of extensions more; and the file of its certificate.
    pub(crate) fn self_signed(&self, name: &str, days: &str, more: &str) -> (Tls, PathBuf) {
        let extensions = format!("subjectAltName={name}\nbasicConstraints=critical,CA:TRUE\n{more}");
        self.signed(&extensions, days, &["-signkey", "server.key"]);
        let certificate = self.dir.path().join("server.pem");
        (Tls::new(&certificate, &self.dir.path().join("server.key")), certificate)
    }

    /// A server that asks for a certificate of this authority, and a client's: the certificate and its key.
    pub(crate) fn mutual(&self, name: &str) -> (Tls, [PathBuf; 2]) {
        let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        let path = |name: &str| self.dir.path().join(name);
        self.signed("extendedKeyUsage=clientAuth\n", "2", &by);
        let client = [path("client.pem"), path("client.key")];
        for (from, to) in ["server.pem", "server.key"].iter().zip(&client) {
            std::fs::rename(path(from), to).unwrap();
        }
        self.signed(&format!("subjectAltName={name}\n"), "2", &by);
        let mut authorities = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path("ca.pem")).unwrap() {
            authorities.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(
            authorities.into(),
            Arc::clone(&provider),
        );
        let chain = CertificateDer::pem_file_iter(path("server.pem")).unwrap().map(Result::unwrap).collect();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(path("server.key")).unwrap())
            .unwrap();
        (Tls(Arc::new(config)), client)
    }

    fn signed(&self, extensions: &str, days: &str, by: &[&str]) {
        std::fs::write(self.dir.path().join("ext"), extensions).unwrap();
        self.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
            "-subj",
            "/CN=server of a test",
        ]);
        let sign =
            ["x509", "-req", "-in", "server.csr", "-days", days, "-extfile", "ext", "-out", "server.pem"];
        self.openssl(&[&sign, by].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

pub(crate) struct Tls(Arc<ServerConfig>);

impl Tls {
    fn new(certificate: &Path, key: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self(Arc::new(config))
    }
}

impl Wrap for Tls {
    type Stream = StreamOwned<ServerConnection, TcpStream>;
    fn wrap(&self, socket: TcpStream) -> io::Result<Self::Stream> {
        let connection = ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, socket))
    }
}
