//! Many files in little memory.

use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::fixture::{Scene, cold};

const FILES: u64 = 100_000;

/// What a file may cost beyond its name, in bytes. The allocator's rounding
/// and the name's own box are in it.
const PER_FILE: u64 = 300;

/// What the process may cost whatever the number of files.
const FIXED: u64 = 24 << 20;

/// In a process of its own: other tests would be counted with it.
#[test]
fn a_hundred_thousand_files_in_bounded_memory() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scale::measured", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{text}");
}

#[test]
#[ignore = "run by a_hundred_thousand_files_in_bounded_memory"]
fn measured() {
    let scene = Scene::large();
    let before = memory("VmRSS");
    let start = Instant::now();
    for n in 0..FILES {
        let dir = scene.at(&format!("out/{}", n / 1000));
        if n % 1000 == 0 {
            fs::create_dir_all(&dir).unwrap();
        }
        fs::write(dir.join(format!("{n}")), n.to_le_bytes()).unwrap();
    }
    let written = start.elapsed();
    let (found, dir) = scene.finish();
    let grown = memory("VmHWM") - before;
    let watched = start.elapsed();
    assert_eq!(found.files.len() as u64, FILES);
    assert_eq!(found.files.values().map(|file| file.size).sum::<u64>(), FILES * 8);
    eprintln!(
        "{FILES} files: written in {written:?}, all digested after {watched:?}, {} before the end; \
         {grown} bytes more, {} a file",
        found.stats.files_before_end,
        grown / FILES
    );
    assert!(grown < FIXED + FILES * PER_FILE, "{grown} bytes");
    drop(found);
    assert_eq!(cold(dir.path(), "out").files.len() as u64, FILES);
}

/// A line of `/proc/self/status`, in bytes.
fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
