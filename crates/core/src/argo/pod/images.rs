//! The images that a step's own containers run: which containers those are the template says, and
//! what they run the pod.

use super::super::{Step, TemplateText};
use super::described::described;
use super::spec::{PodContainer, PodSpec};
use crate::contract::container::{CHECK, GATE, SIDECAR};

/// The image of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerImage {
    /// The container's name, of which the pod has one.
    pub container: String,
    /// Its image, as the pod names it; foreign text.
    pub image: String,
}

impl PodSpec {
    /// The images of the containers that the template brings: its main ones, its sidecars and its
    /// init containers, in the text's order. Argo's own are not among them, nor what others add to
    /// a pod, nor ours, as long as they run what the gate itself runs.
    ///
    /// The text must have been compared with this pod ([`Self::compare`]). A container that is not
    /// in the pod then has no image.
    pub fn images(&self, step: &Step, text: &TemplateText) -> Result<Vec<ContainerImage>, serde_json::Error> {
        let all = described(step.kind, text.as_str())?;
        let gate = self.containers.iter().find(|container| container.name == GATE);
        // By its name alone anything could be said to be ours.
        let is_ours = |of_pod: &PodContainer| {
            [SIDECAR, GATE, CHECK].contains(&of_pod.name.as_str())
                && gate.is_some_and(|gate| gate.image == of_pod.image)
        };
        let image = |one: &super::described::Described| {
            let of_pod = self.containers.iter().find(|c| (c.phase, &c.name) == (one.phase, &one.name));
            let image = match of_pod {
                Some(of_pod) if is_ours(of_pod) => return None,
                Some(of_pod) => of_pod.image.clone(),
                None => String::new(),
            };
            Some(ContainerImage { container: one.name.clone(), image })
        };
        Ok(all.iter().filter_map(image).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::argo::pod::Phase;
    use crate::argo::{Source, encode};

    fn container(phase: Phase, name: &str, image: &str) -> PodContainer {
        PodContainer {
            phase,
            name: name.into(),
            image: image.into(),
            command: Vec::new(),
            args: Vec::new(),
            mounts: Vec::new(),
        }
    }

    fn images(template: &serde_json::Value, pod: Vec<PodContainer>) -> Vec<(String, String)> {
        let text = TemplateText::new(Source::Env, encode(template).unwrap().into_bytes()).unwrap();
        let step = Step::parse(&text).unwrap();
        let pod = PodSpec { containers: pod, ..PodSpec::default() };
        let found = pod.images(&step, &text).unwrap();
        found.into_iter().map(|ContainerImage { container, image }| (container, image)).collect()
    }

    fn named(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, image)| ((*name).to_owned(), (*image).to_owned())).collect()
    }

    #[test]
    fn all_that_the_template_brings_and_nothing_of_argos() {
        use Phase::{Init, Main};
        let template = json!({
            "name": "t",
            "container": {"command": ["c"]},
            "initContainers": [{"name": "seed", "image": "s", "command": ["c"]},
                               {"name": "argo-attest-gate", "image": "ours"}],
            "sidecars": [{"name": "db", "image": "d", "command": ["c"]}],
        });
        let pod = vec![
            container(Init, "init", "argoexec"),
            container(Init, "seed", "s:1"),
            container(Init, "argo-attest-gate", "ours"),
            container(Main, "wait", "argoexec"),
            container(Main, "main", "of-the-controller"),
            container(Main, "db", "d"),
            container(Main, "istio-proxy", "mesh"),
        ];
        // What the template leaves open the controller has put into the pod.
        let expected = named(&[("main", "of-the-controller"), ("db", "d"), ("seed", "s:1")]);
        assert_eq!(images(&template, pod), expected);
    }

    #[test]
    fn nobody_is_ours_by_name_alone() {
        use Phase::{Init, Main};
        let template = json!({
            "name": "t",
            "containerSet": {"containers": [{"name": "main", "image": "a"}, {"name": "b", "image": "b"}]},
            "initContainers": [{"name": "argo-attest-check", "image": "evil"}],
        });
        let pod = |more: &[PodContainer]| {
            let all = [container(Main, "main", "a"), container(Main, "b", "b")];
            [&all[..], &[container(Init, "argo-attest-check", "evil")], more].concat()
        };
        let expected = named(&[("main", "a"), ("b", "b"), ("argo-attest-check", "evil")]);
        assert_eq!(images(&template, pod(&[])), expected);
        assert_eq!(images(&template, pod(&[container(Init, "argo-attest-gate", "ours")])), expected);
        // What the pod does not have has no image, and so none that is attested.
        let lost = vec![container(Main, "b", "b")];
        assert_eq!(images(&template, lost)[0], ("main".to_owned(), String::new()));
    }

    #[test]
    fn what_argo_runs_itself_has_helpers_only() {
        let template = json!({
            "name": "t",
            "sidecars": [{"name": "db", "image": "d"}],
            "resource": {"action": "get"},
        });
        let pod = vec![container(Phase::Main, "main", "argoexec"), container(Phase::Main, "db", "d")];
        assert_eq!(images(&template, pod), named(&[("db", "d")]));
    }
}
