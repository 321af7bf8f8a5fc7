//! A module in this process, and the thread that alone speaks with it.
//!
//! A module is somebody's library: a call of it can take as long as it likes, and for ever. So each has a
//! thread of its own, which takes one question after the other, and nobody waits longer for it
//! than there is time. A thread that hangs keeps nothing else from ending.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argo_attest_core::secret::shown_path;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::fault;
use crate::regular_file::{self, Links};
use crate::service::ServiceError;

/// The modules of this process, each once: what is logged in is so for all of the process, and a
/// module that was made ready is so for good.
static MODULES: Mutex<Vec<(PathBuf, Module)>> = Mutex::new(Vec::new());

/// How long whoever is done waits for a module to be done, too; and for one that has not answered yet what
/// nobody waits for any more.
const LEAVING: Duration = Duration::from_secs(1);
const LEAVING_BUSY: Duration = Duration::from_millis(100);

type Question = Box<dyn FnOnce(&mut Loading) + Send>;

/// Where questions to a module go.
#[derive(Clone)]
pub(super) struct Module {
    questions: Sender<Question>,
    /// Questions that it has not done with.
    open: Arc<AtomicUsize>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Module")
    }
}

impl Module {
    /// The module in this file.
    pub(super) fn at(path: &Path) -> Result<Self, ServiceError> {
        let settings = |what: String| ServiceError::Settings {
            what,
            remedy: "name the module of the token's maker by its absolute path: ?module-path=/PATH.so, or \
                     COSIGN_PKCS11_MODULE_PATH"
                .into(),
        };
        let cannot = |why: String| settings(format!("the module {} cannot be used: {why}", shown_path(path)));
        if !path.is_absolute() {
            return Err(settings(format!("the module's path {} is not absolute", shown_path(path))));
        }
        // The loader would look elsewhere, wait for a pipe, or say less.
        regular_file::open(path, Links::Followed).map_err(|error| cannot(error.to_string()))?;
        let path = path.canonicalize().map_err(|error| cannot(error.to_string()))?;
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, module)) = modules.iter().find(|(known, _)| *known == path) {
            return Ok(module.clone());
        }
        let (questions, asked) = channel();
        let loading = Loading { path: path.clone(), loaded: None };
        std::thread::Builder::new()
            .name("pkcs11".into())
            .spawn(move || answer(loading, &asked))
            .map_err(|error| cannot(error.to_string()))?;
        let module = Self { questions, open: Arc::default() };
        modules.push((path, module.clone()));
        Ok(module)
    }

    /// Asks one thing, and waits for so long. What nobody waits for any more is not begun.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        question: impl FnOnce(&Pkcs11) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (answer, heard) = oneshot::channel();
        let open = Arc::clone(&self.open);
        open.fetch_add(1, Ordering::SeqCst);
        let asked = self.questions.send(Box::new(move |loading: &mut Loading| {
            if !answer.is_closed() {
                // Of what comes too late the session is closed, here and now.
                drop(answer.send(loading.loaded().and_then(question)));
            }
            open.fetch_sub(1, Ordering::SeqCst);
        }));
        let gone = || ServiceError::Token {
            what: "the module has ended what spoke with it".into(),
            is_passing: false,
            is_sign_in: false,
            remedy: "run it again; if it stays so, ask the module's maker".into(),
        };
        asked.map_err(|_| gone())?;
        match timeout(patience, heard).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(ServiceError::Late { seconds: patience.as_secs() }),
        }
    }

    /// Has its thread drop this, for to close a session is a question, too, and waits for that a moment: a
    /// process that ends while a module is at work takes away what that works with, and dies of it.
    pub(super) fn leave(&self, what: impl Send + 'static) {
        let (done, left) = channel::<()>();
        let asked = self.questions.send(Box::new(move |_: &mut Loading| {
            drop(what);
            drop(done);
        }));
        // Without the thread there is nothing to close.
        if asked.is_ok() {
            let is_busy = self.open.load(Ordering::SeqCst) > 0;
            let _ = left.recv_timeout(if is_busy { LEAVING_BUSY } else { LEAVING });
        }
    }
}

/// The module, from when it is first asked.
struct Loading {
    path: PathBuf,
    loaded: Option<Pkcs11>,
}

impl Loading {
    fn loaded(&mut self) -> Result<&Pkcs11, ServiceError> {
        if self.loaded.is_none() {
            let module = Pkcs11::new(&self.path).map_err(|error| self.unusable(&error))?;
            match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
                Err(error) if !fault::is_ready_already(&error) => return Err(fault::told(&error)),
                _ => {}
            }
            self.loaded = Some(module);
        }
        self.loaded.as_ref().ok_or(ServiceError::Odd("it has no module"))
    }

    fn unusable(&self, error: &cryptoki::error::Error) -> ServiceError {
        ServiceError::Settings {
            what: format!(
                "the module {} cannot be loaded: {}",
                shown_path(&self.path),
                fault::loading(error)
            ),
            remedy:
                "name the PKCS#11 module of the token's maker, for this system and with all that it needs"
                    .into(),
        }
    }
}

fn answer(mut loading: Loading, asked: &Receiver<Question>) {
    while let Ok(question) = asked.recv() {
        question(&mut loading);
    }
}
