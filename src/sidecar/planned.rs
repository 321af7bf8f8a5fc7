//! The step's outputs as artifacts of the pipeline: where to watch for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::argo::{
    Destination, Elsewhere, ObjectRef, Place, Placement, Plan, Predicates, Step, Unlocated,
};
use argo_attest_core::contract::store::OUTCOME;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::slsa::PodIdentity;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;

use super::claims::{Claims, Written};
use super::named::NamedStore;
use super::placing::Placing;
use super::settings::Settings;
use crate::artifact_repository::key;
use crate::attestations::ObjectAttestations;
use crate::mirror::{MainMounts, Mirror, MountTable, OWN_DIRECTORIES, Seen, Unseen};
use crate::observe::Artifact;
use crate::store::{InvalidKey, ObjectKey, Store};

/// Where Argo's emissary leaves what it packed, and all else that is shared.
const ARGO_DIR: &str = "/var/run/argo";

/// Why nothing is attested of what is stored where nobody can ask.
const NO_STORE: &str = "no S3 store is named for attestations (--store)";

/// A declared output, and where it can be seen.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) declared_path: String,
    pub(super) optional: bool,
    /// What to watch and what to expect, or why it cannot be attested.
    pub(super) way: Result<Way, String>,
}

/// How to get at an output's bytes.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) plan: Plan,
    pub(super) artifact: Artifact,
    /// The artifact is the `.tgz` that the emissary packs, not the files.
    pub(super) packed: bool,
    /// Its place among the template's outputs.
    pub(super) at: usize,
    pub(super) keeping: Keeping,
    claims: Arc<Claims>,
}

/// Where an output is stored, and where its attestation goes.
#[derive(Debug, Clone)]
pub(super) enum Keeping {
    /// Both in a store that can be asked.
    WithObject { object: ObjectRef, placement: Placement },
    /// The output in one that cannot: its attestation in the store that the platform names,
    /// named after this key.
    Named { place: Elsewhere, key: ObjectKey },
}

impl Way {
    /// What is attested of it, and where that goes. `store`: the one that it goes to.
    pub(super) fn attestations<'a>(
        &self,
        store: &'a dyn Store,
    ) -> Result<ObjectAttestations<'a>, InvalidKey> {
        Ok(match &self.keeping {
            Keeping::WithObject { object, placement } => {
                ObjectAttestations::new(store, &key(object)?).put_at(*placement)
            }
            Keeping::Named { key, .. } => ObjectAttestations::new(store, key),
        })
    }

    /// The object of one file, of an output that is stored as one object a file.
    pub(super) fn object_of(&self, object: &ObjectRef, path: &RelPath) -> Result<ObjectRef, String> {
        let object = object.beneath(path).map_err(|e| format!("{path}: {e}"))?;
        match self.claims.against_file(self.at, &object) {
            None => Ok(object),
            Some(why) => Err(format!("{path}: {why}")),
        }
    }
}

/// Works out every output of the step. `placing`: where the attestation of each goes.
pub(super) fn outputs(
    step: &Step,
    placing: Placing,
    predicates: &Predicates,
    settings: &Settings,
) -> Vec<Planned> {
    let mirror = MountTable::of_this_process()
        .map(|here| Mirror::new(here, MainMounts::of_template(step), &own(settings)))
        .map_err(|error| causes(&error));
    let outcome = outcome_object(step, settings).ok();
    let written = outcome.as_ref().map(OutcomeObject::written);
    let claims = Arc::new(Claims::of(step, written.as_ref(), named(settings), predicates));
    let planning = Planning { step, placing, settings, mirror, claims };
    let each = step.outputs.iter().enumerate().map(|(at, output)| Planned {
        name: output.name.clone(),
        declared_path: output.declared_path.clone(),
        optional: output.optional,
        way: match &output.plan {
            Ok(plan) => planning.way(at, &output.name, plan),
            Err(why) => Err(why.to_string()),
        },
    });
    each.collect()
}

/// Where the step's own outcome goes.
#[derive(Debug, Clone)]
pub(super) enum OutcomeObject {
    /// Beneath the step's own prefix.
    OfStep(ObjectRef),
    /// In the store that the platform names.
    Named(NamedStore, ObjectKey),
}

impl OutcomeObject {
    fn written(&self) -> Written<'_> {
        match self {
            Self::OfStep(object) => Written::object(object),
            Self::Named(store, key) => Written::named(store, key),
        }
    }
}

/// Where the step's own outcome would go: where a store is named, there, whatever becomes of the
/// step's own. A pod that runs again under its name has another uid: no outcome overwrites
/// another.
fn outcome_object(step: &Step, settings: &Settings) -> Result<OutcomeObject, String> {
    let pod = settings.identity.pod_uid.as_deref().filter(|uid| !uid.is_empty()).unwrap_or("unknown-pod");
    let name = format!("{OUTCOME}{pod}");
    match &settings.store {
        Some(store) => {
            let key = NamedStore::outcome(&name, &settings.identity).map_err(|why| why.to_string())?;
            Ok(OutcomeObject::Named(store.clone(), key))
        }
        None => step.own_object(&name).map(OutcomeObject::OfStep).map_err(|why| why.to_string()),
    }
}

/// Where the step's own outcome goes, or why it has no place.
pub(super) fn outcome_place(
    step: &Step,
    predicates: &Predicates,
    settings: &Settings,
) -> Result<OutcomeObject, String> {
    let object = outcome_object(step, settings)?;
    let written = object.written();
    if Claims::of(step, Some(&written), named(settings), predicates).outcome_is_taken(&written) {
        let written = written.uri();
        return Err(format!("{written} is the object of something else that the step stores"));
    }
    Ok(object)
}

fn named(settings: &Settings) -> Option<(&NamedStore, &PodIdentity)> {
    settings.store.as_ref().map(|store| (store, &settings.identity))
}

/// What is this container's own, and nobody's output.
fn own(settings: &Settings) -> Vec<&str> {
    let secrets = [settings.key.file(), settings.key.token_file()].map(|file| file.and_then(Path::parent));
    let directories = [Some(settings.evidence.as_path()), Some(&settings.secrets_dir)];
    let directories = secrets.into_iter().chain(directories);
    let paths = directories.flatten().chain([settings.termination_log.as_path()]);
    paths.filter_map(Path::to_str).chain(OWN_DIRECTORIES).collect()
}

/// What every output's way depends on.
struct Planning<'a> {
    step: &'a Step,
    placing: Placing,
    settings: &'a Settings,
    mirror: Result<Mirror, String>,
    claims: Arc<Claims>,
}

impl Planning<'_> {
    fn way(&self, at: usize, name: &str, plan: &Plan) -> Result<Way, String> {
        let keeping = self.keeping(at, plan)?;
        // Argo takes the paths of volumes and inputs from `/`, even where they are relative.
        let path = Path::new("/").join(&plan.path);
        let (root, rest, packed) = match &plan.place {
            Place::BaseLayer { packed } => {
                let rest = Path::new(packed)
                    .strip_prefix(ARGO_DIR)
                    .map_err(|_| "the packed output is outside of Argo's directory".to_owned())?;
                self.mounted(&self.settings.argo_dir)?;
                (self.settings.argo_dir.clone(), rest.to_owned(), true)
            }
            Place::Volume { mount } => {
                self.seen(&plan.path)?;
                match path.strip_prefix(mount) {
                    Ok(rest) => (PathBuf::from(mount), rest.to_owned(), false),
                    Err(_) => {
                        return Err(format!("it is not on the volume at {}", printable(mount.as_bytes())));
                    }
                }
            }
            Place::InputVolume { input } => {
                self.seen(&plan.path)?;
                let input = self
                    .step
                    .inputs
                    .iter()
                    .find_map(|i| i.path.as_deref().filter(|_| i.name == *input))
                    .and_then(|input| Some(Path::new("/").join(input).parent()?.to_owned()))
                    .ok_or("its input artifact has no path")?;
                let rest = path
                    .strip_prefix(&input)
                    .map_err(|_| "it is not beneath its input artifact".to_owned())?;
                let rest = rest.to_owned();
                (input, rest, false)
            }
        };
        // A file may have a mount of its own; only directories can be watched.
        if !root.is_dir() {
            return Err(format!("{} is no directory", printable(root.as_os_str().as_encoded_bytes())));
        }
        let path = RelPath::from_bytes(rest.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
        let artifact = Artifact { name: name.to_owned(), root, path };
        let claims = Arc::clone(&self.claims);
        Ok(Way { plan: plan.clone(), artifact, packed, at, keeping, claims })
    }

    /// Where it is stored and its attestation goes, if nothing is in the way of either.
    fn keeping(&self, at: usize, plan: &Plan) -> Result<Keeping, String> {
        let (keeping, conflict) = match (&plan.destination, &self.settings.store) {
            (Destination::Object(object), _) => {
                let (object, placement) = (object.clone(), self.placing.of(plan));
                let conflict = self.claims.against(at, &object);
                (Keeping::WithObject { object, placement }, conflict)
            }
            (Destination::Elsewhere(place), Some(store)) => {
                let key = NamedStore::output(place, &self.settings.identity).map_err(|e| e.to_string())?;
                let conflict = self.claims.against_attestation(at, &Written::named(store, &key));
                (Keeping::Named { place: place.clone(), key }, conflict)
            }
            (Destination::Elsewhere(place), None) => {
                return Err(format!("{}, and {NO_STORE}", Unlocated::Unsupported(place.kind())));
            }
        };
        conflict.map_or(Ok(keeping), Err)
    }

    /// What is at a path is what main has there. Else it is of another file that something
    /// would be said, or that there is none.
    fn seen(&self, path: &str) -> Result<(), String> {
        match self.mirror.as_ref()?.look(path) {
            Ok(Seen::Volume) => Ok(()),
            Ok(Seen::Image) => Err("main has no volume at its path".into()),
            Err(unseen) => Err(format!("{unseen} ({})", unseen.remedy().unwrap_or_default())),
        }
    }

    fn mounted(&self, directory: &Path) -> Result<(), String> {
        // Where our image has links of its own, the kernel lists what they lead to.
        let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        match real.to_str().map(|path| self.mirror.as_ref().map(|mirror| mirror.is_mounted(path))) {
            Some(Ok(true)) => Ok(()),
            Some(Err(why)) => Err(why.clone()),
            _ => {
                let unseen = Unseen::NotMounted { mount: directory.display().to_string() };
                Err(format!("{unseen} ({})", unseen.remedy().unwrap_or_default()))
            }
        }
    }
}
