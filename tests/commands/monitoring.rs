//! What an audit leaves for Prometheus, and the rules that watch it, as promtool reads them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::Desk;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workflow-templates/monitoring");

/// What promtool says; `None` where it is not installed.
fn promtool(arguments: &[&str], directory: &Path, input: Option<&Path>) -> Option<String> {
    let mut program = Command::new("promtool");
    program.args(arguments).current_dir(directory);
    if let Some(input) = input {
        program.stdin(Stdio::from(std::fs::File::open(input).unwrap()));
    }
    let Ok(output) = program.output() else {
        crate::skip::skip("promtool");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(output.status.success(), "{said}");
    Some(said)
}

#[test]
fn the_counts_are_what_prometheus_reads() {
    let desk = Desk::new();
    desk.attest(&["all/a"], "mkdir all && echo a > all/a").with(0);
    desk.write("all/b", "b");
    desk.run(["audit", "--metrics-file", "audit.prom", "all"]).with(1);
    let text = String::from_utf8(desk.read("audit.prom")).unwrap();
    for line in [
        r#"argo_attest_audit_findings{place="all",verdict="attested",reason=""} 1"#,
        r#"argo_attest_audit_findings{place="all",verdict="refused",reason="unattested"} 1"#,
        r#"argo_attest_audit_complete{place="all"} 0"#,
    ] {
        assert!(text.lines().any(|of| of == line), "no {line} in\n{text}");
    }
    is_read_by_prometheus(&desk);
}

/// Whether promtool has nothing to say of the counts.
pub(crate) fn is_read_by_prometheus(desk: &Desk) {
    let said = promtool(&["check", "metrics"], &desk.path(""), Some(&desk.path("audit.prom")));
    assert!(said.is_none_or(|said| said.is_empty()));
}

#[test]
fn the_alerts_alert() {
    let here = Path::new(HERE);
    promtool(&["check", "rules", "alerts.yaml"], here, None);
    promtool(&["test", "rules", "alerts_test.yaml"], here, None);
}

/// No more than its shape: what Grafana makes of it, nobody here can say.
#[test]
fn the_dashboard_asks_for_series_that_there_are() {
    let desk = Desk::new();
    desk.attest(&["a"], "echo a > a").with(0);
    desk.run(["audit", "--metrics-file", "audit.prom", "a"]).with(0);
    let text = String::from_utf8(desk.read("audit.prom")).unwrap();
    let bytes = std::fs::read(Path::new(HERE).join("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&bytes).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(!panels.is_empty());
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let names = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in names.filter(|name| name.starts_with("argo_attest_")) {
                assert!(text.contains(&format!("# TYPE {name} gauge")), "{name}");
            }
        }
    }
}
