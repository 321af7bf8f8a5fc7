//! What a template says of the step that it makes, the workflow's defaults taken into account.

use super::nearest::is_meant;
use super::refusal::Obstacle;
use super::volume::Volume;
use super::yaml::value::is_boolean;
use super::yaml::{Mask, Tree, Value, Values};
use crate::argo::{Check, Images, Placement, Predicates, checks_images};
use crate::contract::annotation::{ATTEST, IMAGES, PLACE, PREDICATES, VERIFY_IMAGES, VERIFY_INPUTS};
use crate::contract::container::{CHECK, GATE, SIDECAR};
use crate::contract::place::PROGRAM;

/// A template, its workflow's `templateDefaults`, and its workflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'v> {
    pub(super) template: &'v Value,
    pub(super) defaults: Option<&'v Value>,
    pub(super) spec: &'v Value,
}

/// The containers of ours that are there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Present<'v> {
    pub(super) sidecar: Option<&'v Value>,
    pub(super) gate: Option<&'v Value>,
    pub(super) check: Option<&'v Value>,
}

/// All that a template may say to us.
pub(super) const ANNOTATIONS: [&str; 6] = [ATTEST, VERIFY_INPUTS, VERIFY_IMAGES, PLACE, IMAGES, PREDICATES];

impl<'v> Present<'v> {
    /// The first of them, with its name.
    pub(super) fn any(&self) -> Option<(&'static str, &'v Value)> {
        let each = [(SIDECAR, self.sidecar), (GATE, self.gate), (CHECK, self.check)];
        each.into_iter().find_map(|(name, there)| Some((name, there?)))
    }
}

impl<'v> Step<'v> {
    /// The template's own or, failing that, the defaults'.
    fn find(&self, keys: &[&str]) -> Option<&'v Value> {
        self.template.find(keys).or_else(|| self.defaults?.find(keys))
    }

    /// The items of a list, the template's and the defaults'.
    fn items(&self, keys: &[&str], list: &str) -> impl Iterator<Item = &'v Value> {
        let of = move |value: Option<&'v Value>| {
            value.and_then(|value| value.find(keys)).map_or(&[][..], |value| value.items(list)).iter()
        };
        of(Some(self.template)).chain(of(self.defaults))
    }

    /// The key under which it has its main container, if it has one.
    pub(super) fn kind(&self) -> Option<&'static str> {
        ["container", "script", "containerSet"].into_iter().find(|kind| self.template.get(kind).is_some())
    }

    /// Whether it asks for attestation. Whoever names images, or files that speak of its
    /// outputs, does, unless they say no.
    pub(super) fn asks(&self) -> Result<bool, Obstacle> {
        match self.annotation(ATTEST)? {
            Some(text) => Ok(is_yes(text)),
            None => Ok(self.annotation(IMAGES)?.or(self.annotation(PREDICATES)?).is_some()),
        }
    }

    /// Whether its inputs are to be verified, given that all else asks for it or not.
    pub(super) fn verifies(&self, otherwise: bool) -> Result<bool, Obstacle> {
        Ok(self.annotation(VERIFY_INPUTS)?.map_or(otherwise, is_yes) && self.has_inputs())
    }

    /// Whether the images of its containers are to be verified.
    pub(super) fn verifies_images(&self, check: Check) -> Result<bool, Obstacle> {
        let says = self.annotation(VERIFY_IMAGES)?;
        // What an expression says is known to the gate alone.
        let is_open = says.is_some_and(|text| text.contains("{{"));
        Ok(is_open || checks_images(says.map(|text| text == "true"), check))
    }

    /// Whether it names images that it pushes.
    pub(super) fn pushes(&self) -> Result<bool, Obstacle> {
        Ok(self.annotation(IMAGES)?.is_some())
    }

    /// Whether it is known now that its inputs are to be verified, and not only when it runs.
    pub(super) fn is_decided(&self) -> Result<bool, Obstacle> {
        let says = self.annotation(VERIFY_INPUTS)?;
        let says = if says.is_some() { says } else { self.annotation(ATTEST)? };
        Ok(says.is_none_or(|text| !text.contains("{{")))
    }

    /// Refuses an annotation of ours that no container of ours would take: it was meant to ask
    /// for something, and would be passed over in silence.
    pub(super) fn check_annotations(&self) -> Result<(), Obstacle> {
        let places = [Some(self.template), self.defaults];
        let all = || places.into_iter().flatten().filter_map(|place| place.get("metadata"));
        if let Some(label) = all().find_map(label) {
            return Err(Obstacle::Label(label));
        }
        let all = all().filter_map(|metadata| metadata.get("annotations"));
        for (name, _) in all.flat_map(Value::entries) {
            let Some(name) = name.text().filter(|name| is_meant(name)) else { continue };
            if !ANNOTATIONS.contains(&name) {
                return Err(Obstacle::Misspelt(name.to_owned()));
            }
        }
        for name in [ATTEST, VERIFY_INPUTS, VERIFY_IMAGES] {
            match self.annotation(name)? {
                None | Some("true" | "false") => {}
                Some(text) if text.contains("{{") => {}
                Some(text) => return Err(Obstacle::Undecided { name, value: text.to_owned() }),
            }
        }
        if let Some(text) = self.annotation(IMAGES)?.filter(|text| !text.contains("{{")) {
            text.parse::<Images>().map_err(Obstacle::Images)?;
        }
        if let Some(text) = self.annotation(PREDICATES)?.filter(|text| !text.contains("{{")) {
            text.parse::<Predicates>().map_err(Obstacle::Predicates)?;
        }
        match self.annotation(PLACE)? {
            Some(text) if !text.contains("{{") && text.parse::<Placement>().is_err() => {
                Err(Obstacle::Place(text.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Where attestations of its outputs are to lie, if it says so.
    pub(super) fn placement(&self) -> Option<Placement> {
        self.annotation(PLACE).ok().flatten()?.parse().ok()
    }

    /// Whether the template itself asks, whatever is said of all.
    pub(super) fn asks_itself(&self) -> Result<bool, Obstacle> {
        // It has no `podMetadata`, as its workflow may have.
        Step { defaults: None, spec: self.template, ..*self }.asks()
    }

    /// What is said under this name: what is said of all pods counts where nothing else is said, as
    /// Argo has it (`addMetadata`).
    fn annotation(&self, name: &'static str) -> Result<Option<&'v str>, Obstacle> {
        let of_pods = || self.spec.find(&["podMetadata", "annotations", name]);
        match self.find(&["metadata", "annotations", name]).or_else(of_pods) {
            None => Ok(None),
            Some(Value::Scalar { text, plain, .. }) if !plain || !is_boolean(text) => Ok(Some(text)),
            Some(_) => Err(Obstacle::Annotation(name)),
        }
    }

    /// Whether it has input artifacts.
    fn has_inputs(&self) -> bool {
        self.items(&["inputs"], "artifacts").next().is_some()
    }

    /// Its output artifacts.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &'v Value> {
        self.items(&["outputs"], "artifacts")
    }

    /// Where it says itself that its artifacts are kept.
    pub(super) fn archive(&self) -> Option<&'v Value> {
        self.find(&["archiveLocation"])
    }

    /// The container whose mounts ours would mirror.
    fn main(&self) -> Option<&'v Value> {
        match self.kind()? {
            "containerSet" => self
                .template
                .find(&["containerSet"])?
                .items("containers")
                .iter()
                .find(|container| container.text_at(&["name"]) == Some("main")),
            kind => self.template.get(kind),
        }
    }

    /// Refuses what could not be served, given the volumes of our containers.
    pub(super) fn check(&self, volumes: &[Volume]) -> Result<(), Obstacle> {
        for theirs in self.mounts() {
            let ours = volumes.iter().map(|volume| volume.path.as_str()).chain([PROGRAM]);
            if let Some(ours) = ours.into_iter().find(|ours| clash(theirs, ours)) {
                return Err(Obstacle::Mount { theirs: theirs.to_owned(), ours: ours.to_owned() });
            }
        }
        Ok(())
    }

    /// Whether there is a container whose mounts ours could mirror.
    pub(super) fn has_main(&self) -> bool {
        self.main().is_some()
    }

    /// Where main has volumes and input artifacts; only what is known here.
    fn mounts(&self) -> impl Iterator<Item = &'v str> {
        self.all_mounts().filter(|path| !path.contains("{{"))
    }

    /// The same with paths that are expressions.
    fn all_mounts(&self) -> impl Iterator<Item = &'v str> {
        let kind = self.kind().unwrap_or("container");
        let own = if kind == "containerSet" { self.main() } else { None };
        let volumes = own.into_iter().flat_map(|main| main.items("volumeMounts"));
        let volumes = volumes.chain(self.items(&[kind], "volumeMounts").collect::<Vec<_>>());
        let volumes = volumes.filter_map(|mount| mount.text_at(&["mountPath"]));
        let inputs = self.items(&["inputs"], "artifacts").collect::<Vec<_>>();
        let inputs = inputs.into_iter().filter_map(|artifact| artifact.text_at(&["path"]));
        volumes.chain(inputs)
    }

    /// Our containers, where they are there; a name of ours that another has is refused.
    pub(super) fn present(&self) -> Result<Present<'v>, Obstacle> {
        let mut present = Present::default();
        let set = self.items(&["containerSet"], "containers").map(|container| (container, false));
        let beside = ["initContainers", "sidecars"]
            .into_iter()
            .flat_map(|list| self.items(&[], list).collect::<Vec<_>>())
            .map(|container| (container, true));
        for (container, beside) in beside.chain(set) {
            let Some(name) = container.text_at(&["name"]) else { continue };
            let slot = match name {
                SIDECAR => &mut present.sidecar,
                GATE => &mut present.gate,
                CHECK => &mut present.check,
                _ => continue,
            };
            if !beside || ours(container).is_none() {
                return Err(Obstacle::Container(name.to_owned()));
            }
            *slot = slot.or(Some(container));
        }
        Ok(present)
    }

    /// The user that main runs as, where ours must be told: `None` where the pod has one.
    pub(super) fn user(&self) -> Result<Option<u32>, Obstacle> {
        let own = self.main().and_then(|main| main.find(&["securityContext", "runAsUser"]));
        let kind = self.kind().unwrap_or("container");
        let own = own.or_else(|| self.defaults?.find(&[kind, "securityContext", "runAsUser"]));
        if let Some(uid) = own {
            return uid.text().and_then(|text| text.parse().ok()).map(Some).ok_or(Obstacle::User);
        }
        let key = "securityContext";
        // A template's takes the place of the workflow's, as a whole.
        let pod = |field: &str| match self.find(&[key]) {
            Some(_) => self.find(&[key, field]),
            None => self.spec.find(&[key, field]),
        };
        if pod("runAsUser").is_some_and(|uid| !uid.is_null()) {
            return Ok(None);
        }
        if pod("runAsNonRoot").and_then(Value::text) == Some("true") {
            return Err(Obstacle::NonRoot);
        }
        Ok(Some(0))
    }

    /// What a volume of this name is, if there is one.
    pub(super) fn volume(&self, name: &str) -> Option<&'v Value> {
        let of = |value: &'v Value| value.items("volumes").iter();
        let claims = self.spec.items("volumeClaimTemplates").iter();
        of(self.template)
            .chain(self.defaults.into_iter().flat_map(of))
            .chain(of(self.spec))
            .find(|volume| volume.text_at(&["name"]) == Some(name))
            .or_else(|| claims.into_iter().find(|claim| claim.text_at(&["metadata", "name"]) == Some(name)))
    }

    /// The `podSpecPatch` of the template and that of the workflow.
    pub(super) fn patches(&self) -> (Option<&'v str>, Option<&'v str>) {
        let own = self.find(&["podSpecPatch"]).and_then(Value::text).filter(|text| !text.is_empty());
        let spec = self.spec.text_at(&["podSpecPatch"]).filter(|text| !text.is_empty());
        (own, spec)
    }

    /// The grace period that a `podSpecPatch` gives the pod.
    pub(super) fn grace(&self) -> Option<u32> {
        let (own, spec) = self.patches();
        own.and_then(seconds).or_else(|| spec.and_then(seconds))
    }
}

/// The name of one of our containers, if it is one: who has the name must start our program.
pub(super) fn ours(container: &Value) -> Option<&'static str> {
    let (name, word) = match container.text_at(&["name"])? {
        SIDECAR => (SIDECAR, "sidecar"),
        GATE => (GATE, "verify-inputs"),
        CHECK => (CHECK, "ready"),
        _ => return None,
    };
    (container.items("args").first().and_then(Value::text) == Some(word)).then_some(name)
}

/// The annotation that metadata has as a label, where nobody reads it.
pub(super) fn label(metadata: &Value) -> Option<&'static str> {
    let labels = metadata.get("labels").map_or(&[][..], Value::entries);
    let names = labels.iter().filter_map(|(name, _)| name.text());
    names.into_iter().find_map(|name| ANNOTATIONS.into_iter().find(|known| *known == name))
}

/// An expression is decided when the step runs, by the container itself.
fn is_yes(text: &str) -> bool {
    text == "true" || text.contains("{{")
}

/// The grace period in a `podSpecPatch`, if it can be read.
pub(super) fn seconds(patch: &str) -> Option<u32> {
    let tree = Tree::parse(patch, &Mask::default()).ok()?;
    let patch = Values::strict(&tree).of(*tree.documents().first()?).ok()?;
    patch.text_at(&["terminationGracePeriodSeconds"])?.parse().ok()
}

/// Whether one of two paths is at or beneath the other: then one mount would hide the other
/// or stand in it.
fn clash(a: &str, b: &str) -> bool {
    let (a, b) = (parts(a), parts(b));
    a.iter().zip(&b).all(|(a, b)| a == b)
}

fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_clash_where_one_hides_the_other() {
        for path in [
            "/etc/argo-attest/key",
            "/etc",
            "//etc/./argo-attest/",
            "/etc/argo-attest/key/x",
            "/a/../etc",
            "/",
        ] {
            assert!(clash(path, "/etc/argo-attest/key"), "{path}");
        }
        for path in ["/etc/argo-attest/keys", "/data", "/etc/argo", "etcetera"] {
            assert!(!clash(path, "/etc/argo-attest/key"), "{path}");
        }
    }

    #[test]
    fn grace_periods_are_read_in_either_notation() {
        assert_eq!(seconds("{\"terminationGracePeriodSeconds\": 5}"), Some(5));
        assert_eq!(seconds("terminationGracePeriodSeconds: 90\n"), Some(90));
        assert_eq!(seconds("{\"containers\": []}"), None);
        assert_eq!(seconds("{{=1}}"), None);
    }
}
