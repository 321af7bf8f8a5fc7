//! The step's outputs as artifacts of the pipeline: where to watch for each.

use std::path::{Path, PathBuf};

use super::settings::Settings;
use crate::argo::{Place, Plan, Step};
use crate::pipeline::Artifact;
use crate::relpath::RelPath;

/// Where Argo's emissary leaves what it packed, and all else that is shared.
const ARGO_DIR: &str = "/var/run/argo";

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
}

/// Works out every output of the step.
pub(super) fn outputs(step: &Step, settings: &Settings) -> Vec<Planned> {
    step.outputs
        .iter()
        .map(|output| Planned {
            name: output.name.clone(),
            declared_path: output.declared_path.clone(),
            optional: output.optional,
            way: match &output.plan {
                Ok(plan) => way(&output.name, plan, step, settings),
                Err(why) => Err(why.to_string()),
            },
        })
        .collect()
}

fn way(name: &str, plan: &Plan, step: &Step, settings: &Settings) -> Result<Way, String> {
    // Argo takes the paths of volumes and inputs from `/`, even where they are relative.
    let path = Path::new("/").join(&plan.path);
    let (root, rest, packed) = match &plan.place {
        Place::BaseLayer { packed } => {
            let rest = Path::new(packed)
                .strip_prefix(ARGO_DIR)
                .map_err(|_| "the packed output is outside of Argo's directory".to_owned())?;
            (settings.argo_dir.clone(), rest.to_owned(), true)
        }
        Place::Volume { mount } => match path.strip_prefix(mount) {
            Ok(rest) => (PathBuf::from(mount), rest.to_owned(), false),
            Err(_) => return Err(format!("it is not on the volume at {mount}")),
        },
        Place::InputVolume { input } => {
            let input = step
                .inputs
                .iter()
                .find_map(|i| i.path.as_deref().filter(|_| i.name == *input))
                .and_then(|input| Some(Path::new("/").join(input).parent()?.to_owned()))
                .ok_or("its input artifact has no path")?;
            let rest =
                path.strip_prefix(&input).map_err(|_| "it is not beneath its input artifact".to_owned())?;
            let rest = rest.to_owned();
            (input, rest, false)
        }
    };
    if !root.is_dir() {
        return Err(format!(
            "{} is not mounted in this container (set mirrorVolumeMounts: true)",
            root.display()
        ));
    }
    let path = RelPath::from_bytes(rest.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
    let artifact = Artifact { name: name.to_owned(), root, path };
    Ok(Way { plan: plan.clone(), artifact, packed })
}
