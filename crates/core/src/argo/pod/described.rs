//! The containers that a template's text says the pod has, as Argo makes them.
//!
//! Read beside [`Step`](super::super::Step), which has only what is attested. The text
//! was taken by the reader before, so that it has one meaning.

use serde::{Deserialize, Deserializer};

use super::super::Kind;
use super::super::bounded::List;
use super::spec::{Phase, PodMount};

/// Where Argo's init leaves a script template's source, and what the command is given
/// (`ExecutorScriptSourcePath` in Argo's workflow/common/common.go).
const SCRIPT: &str = "/argo/staging/script";

/// Bytes of the JSON of a container's arguments above which Argo moves them to a file
/// (`MaxEnvVarLen`, at the same place).
const OFFLOADED: usize = 131_072;

/// A container as the pod should have it.
pub(super) struct Described {
    pub(super) phase: Phase,
    pub(super) name: String,
    pub(super) image: String,
    /// Without Argo's wrapper. Empty if the image's own is used, which the controller
    /// looks up.
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
    /// Those that the text lists; the pod has more.
    pub(super) mounts: Vec<PodMount>,
    /// Whether it is one of the template's main containers, and no helper.
    pub(super) main: bool,
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

type Words = List<String, 65_536>;
type Mounts = List<VolumeMount, 4096>;
type Containers = List<Container, 1024>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    #[serde(default)]
    container: Option<Container>,
    #[serde(default)]
    container_set: Option<ContainerSet>,
    #[serde(default)]
    script: Option<Container>,
    #[serde(default, deserialize_with = "nullable")]
    init_containers: Containers,
    #[serde(default, deserialize_with = "nullable")]
    sidecars: Containers,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerSet {
    #[serde(default, deserialize_with = "nullable")]
    containers: Containers,
    #[serde(default, deserialize_with = "nullable")]
    volume_mounts: Mounts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    image: String,
    #[serde(default, deserialize_with = "nullable")]
    command: Words,
    #[serde(default, deserialize_with = "nullable")]
    args: Words,
    #[serde(default, deserialize_with = "nullable")]
    volume_mounts: Mounts,
    /// Of a script template.
    #[serde(default, deserialize_with = "nullable")]
    source: String,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct VolumeMount {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    mount_path: String,
    #[serde(default, deserialize_with = "nullable")]
    sub_path: String,
    #[serde(default, deserialize_with = "nullable")]
    sub_path_expr: String,
    #[serde(default, deserialize_with = "nullable")]
    read_only: bool,
}

/// The containers of the text, which is of a template of that kind.
pub(super) fn described(kind: Kind, text: &str) -> Result<Vec<Described>, serde_json::Error> {
    let Template { container, container_set, script, init_containers, sidecars } =
        serde_json::from_str(text)?;
    let mut all = Vec::new();
    match kind {
        Kind::Container => all.extend(container.map(|container| main(container, MAIN, &[]))),
        Kind::Script => all.extend(script.map(|mut script| {
            // `executeScript` in Argo's workflow/controller/operator.go.
            if !script.source.is_empty() {
                script.args.0.push(SCRIPT.to_owned());
            }
            main(script, MAIN, &[])
        })),
        Kind::ContainerSet => {
            if let Some(ContainerSet { containers, volume_mounts }) = container_set {
                all.extend(containers.0.into_iter().map(|container| {
                    let name = container.name.clone();
                    main(container, if name.is_empty() { MAIN } else { &name }, &volume_mounts.0)
                }));
            }
        }
        _ => {}
    }
    all.extend(sidecars.0.into_iter().map(|sidecar| helper(Phase::Main, sidecar)));
    all.extend(init_containers.0.into_iter().map(|init| helper(Phase::Init, init)));
    Ok(all)
}

/// The name that Argo gives the container of a container or script template.
const MAIN: &str = "main";

fn main(container: Container, name: &str, shared: &[VolumeMount]) -> Described {
    let Described { mut mounts, phase, image, command, args, .. } = helper(Phase::Main, container);
    mounts.extend(shared.iter().cloned().map(PodMount::from));
    Described { phase, name: name.to_owned(), image, command, args, mounts, main: true }
}

fn helper(phase: Phase, container: Container) -> Described {
    let Container { name, image, command, args, volume_mounts, .. } = container;
    let mounts = volume_mounts.0.into_iter().map(PodMount::from).collect();
    Described { phase, name, image, command: command.0, args: args.0, mounts, main: false }
}

impl Described {
    /// Whether Argo moves its arguments to a file.
    pub(super) fn is_offloaded(&self) -> bool {
        serde_json::to_string(&self.args).is_ok_and(|json| json.len() > OFFLOADED)
    }
}

impl From<VolumeMount> for PodMount {
    fn from(mount: VolumeMount) -> Self {
        let VolumeMount { name, mount_path: path, sub_path, sub_path_expr, read_only } = mount;
        Self { name, path, sub_path, sub_path_expr, read_only }
    }
}
