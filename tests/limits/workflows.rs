//! What `inject` reads.

use std::fmt::Write as _;
use std::fs;

use argo_attest_core::inject::{MAX_CHANGES, MAX_FILE, MAX_LINES};

use crate::cost::Cost;
use crate::program::Desk;

const HEAD: &str =
    "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n";

fn inject(text: &str) -> Cost {
    inject_with("--mode=native", text)
}

fn inject_with(option: &str, text: &str) -> Cost {
    let desk = Desk::new();
    fs::write(desk.path("w.yaml"), text).unwrap();
    Cost::of(&mut desk.program([
        "inject",
        option,
        "--image=i",
        "--builder-id=https://b.example",
        "-f",
        "w.yaml",
    ]))
}

fn template(number: usize) -> String {
    format!(
        "  - name: t{number}\n    metadata: {{annotations: {{argo-attest.io/attest: \"true\"}}}}\n    \
         inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    container: {{image: x}}\n"
    )
}

#[test]
fn aliases_count_for_what_they_stand_for() {
    let long = "x".repeat(10_000);
    let small = |aliases: usize| format!("a: &a \"{long}\"\nb: [{}]\n", vec!["*a"; aliases].join(","));
    inject(&small(300_000)).refuses(65, "more than 100000 nodes");
    inject(&small(90_000)).refuses(65, "aliases stand for more than 16777216 bytes");
    inject(&small(1200)).bounded();
    let workflow = format!("{HEAD}{}", template(1));
    inject(&format!("{workflow}b: [{}]\na: &a \"{long}\"\n", vec!["*a"; 90_000].join(","))).bounded();
    inject(&format!("a: &a \"{long}\"\nb: [{}]\n{workflow}", vec!["*a"; 90_000].join(",")))
        .refuses(65, "aliases stand for more than");
    let mut levels = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(levels, "a{level}: &a{level} [{items}]").unwrap();
    }
    inject(&levels).refuses(65, "aliases stand for more than");
    let merges: String =
        (1..2000).map(|n| format!("m{n}: &m{n} {{<<: *m{}, k{n}: 0}}\n", n - 1)).collect::<Vec<_>>().concat();
    inject(&format!("m0: &m0 {{a: 0}}\n{merges}")).bounded();
}

#[test]
fn files_of_the_largest_size_are_read_within_bounds() {
    inject(&"#".repeat(MAX_FILE + 1)).refuses(65, "larger than 4194304 bytes");
    inject(&"#\n".repeat(MAX_LINES + 1)).refuses(65, "more than 200000 lines");
    inject(&"#\n".repeat(MAX_LINES)).bounded();
    inject(&format!("{HEAD}{}", "\n".repeat(MAX_LINES - 10))).bounded();
    inject(&format!("a: [{}]", "[],".repeat(99_000))).bounded();
    inject(&format!("a: [{}]", "[],".repeat(101_000))).refuses(65, "more than 100000 nodes");
    // The parser's own limit, or ours.
    for deep in ["[", "{a: ", "- ", "? "] {
        let ended = inject(&format!("a: {}", deep.repeat(800_000))).bounded();
        assert_eq!(ended.code, Some(65), "{deep}: {:.300}", ended.err);
    }
    let block: String = (0..500)
        .map(|level| {
            format!(
                "{}a:
",
                " ".repeat(level)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    inject(&block).refuses(65, "more than 200 levels deep");
    inject(&format!("a: |\n{}", " x\n".repeat(190_000))).bounded();
    inject(&format!("a: \"{}\"", "x ".repeat(2_000_000))).bounded();
    inject(&format!("{HEAD}  - name: \"{}\"\n", "\\u001b".repeat(600_000))).bounded();
    inject(&"---\n".repeat(190_000)).bounded();
    inject(&format!("a: {}", "{{".repeat(1_000_000))).bounded();
    inject(&format!("a: {}", "{{x}} ".repeat(600_000))).bounded();
    let keys: String = (0..48_000).map(|n| format!("k{n}: \n")).collect::<Vec<_>>().concat();
    inject(&format!("{HEAD}  - name: t\n{keys}")).bounded();
    inject(&format!("{HEAD}  - name: t\n    {{k: 0}}\n")).bounded();
}

#[test]
fn as_many_templates_as_get_something_are_served_within_bounds() {
    let most: String = (0..MAX_CHANGES).map(template).collect();
    let ended = inject(&format!("{HEAD}{most}")).bounded();
    assert_eq!(ended.code, Some(0), "{:.300}", ended.err);
    let more: String = (0..=MAX_CHANGES).map(template).collect();
    inject(&format!("{HEAD}{more}")).refuses(65, "more than 500 templates that get something");
    let volumes: String = (0..10_000).map(|n| format!("  - {{name: v{n}}}\n")).collect::<Vec<_>>().concat();
    inject(&format!("{HEAD}{most}  volumes:\n{volumes}")).refuses(65, "templates times volumes");
    let small: String = (0..10_000)
        .map(|n| format!("  - {{name: t{n}, container: {{image: x}}}}\n"))
        .collect::<Vec<_>>()
        .concat();
    inject(&format!("{HEAD}{small}")).bounded();
}

/// What is looked for in what is there is looked for once.
#[test]
fn what_is_there_is_looked_through_within_bounds() {
    let list =
        |item: &dyn Fn(usize) -> String, most: usize| (0..most).map(item).collect::<Vec<_>>().join(", ");
    let mounts = list(&|n| format!("{{name: v, mountPath: /m{n}/a/b/c}}"), 9_000);
    let outputs = list(&|n| format!("{{name: o{n}, path: /p{n}/a/b/c}}"), 9_000);
    let asks = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";
    let wide = format!(
        "{HEAD}  - name: t\n    {asks}\n    container: {{volumeMounts: [{mounts}]}}\n    outputs: {{artifacts: [{outputs}]}}\n"
    );
    assert_eq!(inject(&wide).bounded().code, Some(0));
    assert_eq!(inject_with("--all", &wide).bounded().code, Some(0));
    let small =
        |text: &str| (0..5_000).map(|n| format!("  - {{name: t{n}, {text}}}\n")).collect::<Vec<_>>().concat();
    let defaults = format!("  templateDefaults: {{outputs: {{artifacts: [{outputs}]}}}}\n");
    inject_with("--all", &format!("{HEAD}{}{defaults}", small("container: {image: x}")))
        .refuses(65, "templates times volumes, artifacts");
    inject(&format!(
        "{HEAD}{}",
        small("container: {image: x}, initContainers: [{name: argo-attest, args: [sidecar]}]")
    ))
    .refuses(65, "more than 500 templates");
    // The same, as anchors and aliases.
    let shared = "x: &i\n- name: argo-attest\n  args: [sidecar]\n".to_owned() + &"# c\n".repeat(100_000);
    let shared = shared + "- name: argo-attest\n  args: [sidecar]\n" + HEAD;
    for option in ["--remove", "--update"] {
        inject_with(option, &wide).bounded();
        inject_with(
            option,
            &format!("{HEAD}{}", small("initContainers: [{name: argo-attest, args: [sidecar]}]")),
        )
        .refuses(65, "more than 500 templates");
        let used = (0..400).map(|n| format!("  - {{name: t{n}, initContainers: *i}}\n")).collect::<Vec<_>>();
        inject_with(option, &format!("{shared}{}", used.concat())).bounded();
        let keys: String = (0..48_000).map(|n| format!("k{n}: \n")).collect::<Vec<_>>().concat();
        inject_with(
            option,
            &format!("{keys}{HEAD}{}", used.concat().replace("*i", "[{name: argo-attest, args: [sidecar]}]")),
        )
        .bounded();
    }
}
