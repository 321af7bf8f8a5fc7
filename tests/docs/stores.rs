//! The table of servers has a row of each that `make stores` tries, in the version that it tries,
//! and nothing in it that the test does not print. What the rows say is held by `make stores`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const HEAD: &str =
    "| server | SHA-256 | CRC-64/NVME | `If-None-Match` | `If-Match` | lists | versions | attested | notes |";

fn scripts() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    let version = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("version=").map(str::to_owned));
        line.unwrap_or_else(|| panic!("{} says no version", path.display()))
    };
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .map(|path| format!("{} {}", path.file_stem().unwrap().to_str().unwrap(), version(&path)))
        .collect()
}

#[test]
fn each_server_has_its_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/stores.md")).unwrap();
    let (_, table) = text.split_once(HEAD).expect("docs/stores.md has no table of servers");
    let rows = table.trim_start().lines().skip(1).take_while(|line| line.starts_with("| "));
    let mut servers = BTreeSet::new();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 9, "{row}");
        for cell in &cells[1..5] {
            let known = ["yes", "ignored", "unquoted", "given back unchecked"];
            assert!(known.contains(cell) || cell.starts_with("refused: "), "{cell:?} in {row}");
        }
        servers.insert(cells[0].to_owned());
    }
    assert_eq!(servers, scripts(), "make stores BLESS=1");
    let tests = fs::read_to_string(root.join("tests/pod/stores/mod.rs")).unwrap();
    for server in servers {
        let (name, _) = server.split_once(' ').unwrap();
        assert!(tests.contains(&format!("tried(\"{name}\");")), "no test tries {name}");
    }
}
