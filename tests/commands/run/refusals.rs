//! Entries that are no files, and names that could fool a reader.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use serde_json::Value;

use crate::program::Desk;
use crate::skip::skip_as_this_user;

#[test]
fn what_is_no_file_is_refused_by_name_and_the_rest_is_attested() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("made/dir")).unwrap();
    desk.write("made/dir/file", "hi");
    let _socket = UnixListener::bind(desk.path("made/socket")).unwrap();
    symlink("/etc/passwd", desk.path("made/outside")).unwrap();
    symlink("dir", desk.path("made/inside")).unwrap();
    symlink("nowhere", desk.path("made/dangling")).unwrap();
    let mut script = "mkfifo made/dir/fifo && mv made out".to_owned();
    let mut refused = vec![
        ("out/dir/fifo", "a named pipe, not a regular file"),
        ("out/outside", "a symbolic link that leads out of the output"),
        ("out/socket", "a socket, not a regular file"),
    ];
    if rustix::process::geteuid().is_root() {
        script = format!("mknod made/device c 1 3 && {script}");
        refused.insert(0, ("out/device", "a character device, not a regular file"));
    } else {
        skip_as_this_user("root, for devices");
    }
    let (ended, json) = desk.attest_json(&["out"], &script);
    let ended = ended.with(1);
    let artifact = &json["artifacts"][0];
    assert_eq!(artifact["attested"], true, "{ended:?}");
    let said: Vec<_> = artifact["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["name"].as_str().unwrap(), r["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(said, refused);

    desk.accepted(["out/dir/file"]);
    desk.rejected(["out/outside"], "does not list outside");
    desk.rejected(["out"], "cannot be verified: a ");
    for (name, _) in &refused {
        fs::remove_file(desk.path(name)).unwrap();
    }
    desk.accepted(["out", "out/dir"]);
}

#[test]
fn the_advice_is_what_will_verify() {
    let desk = Desk::new();
    let ended = desk.attest(&["out"], "mkdir out; echo hi > out/x; ln -s ../x out/y").with(1);
    assert!(ended.err.contains("refused       out/y: a symbolic link"), "{ended:?}");
    assert!(ended.err.contains("verify with   argo-attest verify out/x\n"), "{ended:?}");
    let ended = desk.attest(&["only"], "mkdir only; ln -s ../x only/y").with(1);
    assert!(ended.err.contains("not attested  only: nothing in it could be attested"), "{ended:?}");
    let ended = desk.attest(&["link"], "ln -s out link").with(1);
    assert_eq!(ended.err, "not attested  link: a symbolic link, which is never followed\n");
}

/// Names in bytes, and as they are shown.
fn names() -> Vec<(Vec<u8>, String)> {
    let long = vec![b'n'; 255];
    vec![
        (b"\xff\xfe".to_vec(), "%FF%FE".into()),
        (b"new\nline".to_vec(), "new%0Aline".into()),
        (
            b"{\"level\":\"ERROR\"}\n{\"level\":\"INFO\"}".to_vec(),
            "{\"level\":\"ERROR\"}%0A{\"level\":\"INFO\"}".into(),
        ),
        (b"\x1b[2J\x1b[31mred\x07".to_vec(), "%1B[2J%1B[31mred%07".into()),
        (b"back\\slash 'quote' \"double\" $(x)".to_vec(), "back\\slash 'quote' \"double\" $(x)".into()),
        ("\u{202e}gpj.exe".as_bytes().to_vec(), "%E2%80%AEgpj.exe".into()),
        (b"100%".to_vec(), "100%25".into()),
        ("grün 日本".as_bytes().to_vec(), "grün 日本".into()),
        (b"-rf".to_vec(), "-rf".into()),
        (b".sigstore.json".to_vec(), ".sigstore.json".into()),
        (long.clone(), String::from_utf8(long).unwrap()),
    ]
}

#[test]
fn names_of_any_bytes_survive_and_break_no_line() {
    let desk = Desk::new();
    fs::create_dir(desk.path("made")).unwrap();
    for (name, _) in names() {
        fs::write(desk.path("made").join(OsStr::from_bytes(&name)), &name).unwrap();
    }
    let script =
        "mkdir made/$(printf 'd\\nir') && ln -s ../x \"made/$(printf 'link\\033[2J')\" && mv made out";
    let arguments = crate::program::run_arguments(&["out"], &["--log", "trace"], script);
    let ended = desk.run(&arguments).with(1);
    assert!(ended.err.contains("\nrefused       out/link%1B[2J: a symbolic link"), "{ended:?}");
    for line in ended.err.lines().filter(|line| line.starts_with('{')) {
        let log: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        assert!(log["level"].is_string(), "{line}");
    }
    fs::remove_file(desk.path(OsStr::from_bytes(b"out/link\x1b[2J"))).unwrap();

    desk.accepted(["out"]);
    let shown = desk.run(["inspect", "out.sigstore.json"]).with(0);
    for (name, text) in names() {
        let path = desk.path("out").join(OsStr::from_bytes(&name));
        let yes = desk.accepted(["--".as_ref(), path.as_os_str()]);
        assert!(yes.out.contains(&format!("as out/{text}, signed with")), "{yes:?}");
        // What is shown has its escapes already, and they are not escaped again.
        assert!(shown.out.contains(&format!("  out/{text}\n")), "{text} is not in {shown:?}");
        fs::write(&path, "other").unwrap();
        desk.rejected(["--".as_ref(), path.as_os_str()], "not one that is attested");
        desk.rejected(["out"], &format!("\n  altered: {text} differs\n"));
        fs::write(&path, &name).unwrap();
    }
    for said in [&shown.out, &ended.out, &ended.err] {
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    }
}

/// An output that itself has such a name: what lies beside it bears its printable form.
#[test]
fn outputs_may_have_such_names_too() {
    for (name, text) in names() {
        if name.len() > 200 {
            continue;
        }
        let desk = Desk::new();
        let output = OsStr::from_bytes(&name);
        let arguments = [
            OsStr::new("run"),
            "--outputs".as_ref(),
            output,
            "--".as_ref(),
            "sh".as_ref(),
            "-c".as_ref(),
            "echo hi > \"$1\"".as_ref(),
            "sh".as_ref(),
            output,
        ];
        // A name that begins like an option has to be given as one value with it.
        let joined = [b"--outputs=", &name[..]].concat();
        let arguments: Vec<_> = if name.starts_with(b"-") {
            [OsStr::new("run"), OsStr::from_bytes(&joined)]
                .into_iter()
                .chain(arguments[3..].iter().copied())
                .collect()
        } else {
            arguments.to_vec()
        };
        let ended = desk.run(&arguments).with(0);
        assert!(ended.err.contains(&format!("attested      {text} (1 file, 3 B)\n")), "{ended:?}");
        desk.accepted(["--".as_ref(), output]);
        fs::write(desk.path(output), "other").unwrap();
        desk.rejected(["--".as_ref(), output], "not one that is attested");
    }
}

/// No room for the suffix: said, with what to do; nothing is lost.
#[test]
fn a_name_that_leaves_no_room_for_a_suffix_is_refused() {
    let desk = Desk::new();
    let name = "n".repeat(255);
    let ended = desk.attest(&[&name], &format!("echo hi > {name}")).with(1);
    assert!(ended.err.contains("not attested  nnn") && ended.err.contains("help: "), "{ended:?}");
    desk.rejected([&name], "no attestation");
}
