//! Template expressions, `{{ … }}`, where YAML would not have them.
//!
//! A chart's `image: {{ .Values.repo }}:{{ .Values.tag }}` is no YAML until Helm has rendered
//! it. Read with each expression as one word of the same length, it is, and every byte
//! stays where it was. Lines that are nothing but an action (`{{- if … }}`) decide which lines
//! there are at all: those are not masked, and so not read.

use std::borrow::Cow;
use std::ops::Range;

/// Which bytes are read as part of a word.
#[derive(Debug, Default)]
pub(in crate::inject) struct Mask(Vec<Range<usize>>);

impl Mask {
    /// Every expression that begins and ends on one line.
    pub(in crate::inject) fn expressions(text: &str) -> Self {
        Self(expressions(text))
    }

    /// Whether anything in `bytes` is masked.
    pub(super) fn touches(&self, bytes: &Range<usize>) -> bool {
        let next = self.0.partition_point(|range| range.end <= bytes.start);
        self.0.get(next).is_some_and(|range| range.start < bytes.end)
    }

    pub(super) fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        for range in &self.0 {
            masked.push_str(text.get(at..range.start).unwrap_or_default());
            masked.extend(std::iter::repeat_n('x', range.len()));
            at = range.end;
        }
        masked.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(masked)
    }
}

/// Each `{{ … }}` that is whole on one line. Of those inside another, the outer one. One
/// pass, however many braces there are.
fn expressions(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    loop {
        match text.as_bytes().get(at..) {
            Some([b'{', b'{', ..]) => {
                open.push(at);
                at += 2;
            }
            Some([b'}', b'}', ..]) if !open.is_empty() => {
                at += 2;
                let Some(start) = open.pop() else { continue };
                while found.last().is_some_and(|inner| inner.start > start) {
                    found.pop();
                }
                found.push(start..at);
            }
            Some([byte, ..]) => {
                if matches!(byte, b'\n' | b'\r') {
                    open.clear();
                }
                at += 1;
            }
            _ => return found,
        }
    }
}

/// What only a chart says. `{{.Name}}` alone is no sign: scripts hand such words to other programs.
const OF_CHARTS: [&str; 8] =
    [".Values.", ".Release.", ".Chart.", ".Capabilities.", "include \"", "toYaml ", "{{`", "\"{{"];

/// Whether a text is a Helm chart's: it has values that only Helm can fill in. Comments
/// do not count.
pub(in crate::inject) fn is_chart(text: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        expressions(line)
            .into_iter()
            .filter_map(|range| line.get(range))
            .any(|expression| OF_CHARTS.iter().any(|sign| expression.contains(sign)))
    })
}

/// Words that begin an action of Helm's; Argo's expressions never do.
const ACTIONS: [&str; 10] =
    ["if", "else", "end", "range", "with", "define", "block", "template", "include", "toYaml"];

/// The first line, from 1, that is nothing but an action of a template engine.
pub(in crate::inject) fn action_line(text: &str) -> Option<usize> {
    let alone = |line: &str| {
        let line = line.trim();
        let inside = line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        inside.is_some_and(|inside| {
            let action = inside.trim_matches('-').trim();
            let word = action.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            !inside.contains("{{") && (action.starts_with(['.', '$', '/']) || ACTIONS.contains(&word))
        })
    };
    text.lines().position(alone).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_where_they_are() {
        let text = "a: {{ .Values.ö }}:{{x}}\nb: {{ \"{{y}}\" }}\n{{ not\nclosed }}";
        let mask = Mask::expressions(text);
        let masked = mask.apply(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked, "a: xxxxxxxxxxxxxxxx:xxxxx\nb: xxxxxxxxxxxxx\n{{ not\nclosed }}");
        assert!(mask.touches(&(0..4)) && !mask.touches(&(0..3)) && !mask.touches(&(19..20)));
    }

    #[test]
    fn expressions_are_the_outermost_that_are_whole() {
        for (text, whole) in [
            ("{{ a {{b}} c }} {{d}}", &["{{ a {{b}} c }}", "{{d}}"][..]),
            ("{{ {{a}} {{b}}", &["{{a}}", "{{b}}"]),
            ("}} {{a}} }}", &["{{a}}"]),
            ("{{{a}}}", &["{{{a}}"]),
            ("{{a\n}} {{b}}", &["{{b}}"]),
        ] {
            let found: Vec<_> = expressions(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, whole, "{text}");
        }
    }

    #[test]
    fn charts_are_told_from_workflows() {
        for chart in ["a: {{ .Values.x }}", "a: '{{ include \"x\" . }}'", "a: {{`{{workflow.name}}`}}"] {
            assert!(is_chart(chart), "{chart}");
        }
        for workflow in ["a: '{{workflow.name}}'", "docker ps --format '{{.Names}}'", "# {{ .Values.x }}"] {
            assert!(!is_chart(workflow), "{workflow}");
        }
    }

    #[test]
    fn lines_of_actions() {
        assert_eq!(action_line("a\n  {{- if .Values.x }}\n"), Some(2));
        assert_eq!(action_line("{{ toYaml .Values.x | indent 4 }}"), Some(1));
        assert_eq!(action_line("{{inputs.parameters.script}}\na: {{ .Values.x }}"), None);
    }
}
