//! What a process cost: its largest size and its processor time, as the kernel has them.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Memory that a reader may take.
const MEMORY: u64 = 64 << 20;
/// Processor time that it may take.
const TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
/// Beyond that it hangs.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the program takes to do nothing. It has ended after three milliseconds, and may be looked at too early or too
/// late: so it is looked at often.
static NOTHING: LazyLock<u64> = LazyLock::new(|| {
    let nothing = || Cost::of(Command::new(env!("CARGO_BIN_EXE_argo-attest")).arg("--version")).memory;
    (0..20).map(|_| nothing()).max().unwrap_or_default()
});

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) memory: u64,
    time: Duration,
}

impl Cost {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = reading(child.stdout.take().unwrap());
        let err = reading(child.stderr.take().unwrap());
        let of = format!("/proc/{}", child.id());
        let begun = Instant::now();
        let mut memory = 0;
        // Until it is waited for, what it used stays to be read.
        let time = loop {
            memory = peak(&of).unwrap_or(memory).max(memory);
            if let Some(time) = ended(&of) {
                break time;
            }
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it hangs: {command:?}");
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let code = child.wait().unwrap().code();
        Self { code, out: out.join().unwrap(), err: err.join().unwrap(), memory, time }
    }

    /// Holds it to the limits; what the same program takes to do nothing does not count.
    #[track_caller]
    pub(crate) fn bounded(self) -> Self {
        let taken = self.memory.saturating_sub(*NOTHING);
        let told = format!(
            "{} MiB, {:?}, exit code {:?}: {:.400}",
            taken >> 20,
            self.time,
            self.code,
            self.err.clone() + &self.out
        );
        eprintln!("{told}");
        assert!(self.code.is_some_and(|code| code != 70), "it crashed: {told}");
        assert!(taken <= MEMORY && self.time <= TIME, "{told}");
        self
    }

    /// The same, and that it was refused with these words.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, why: &str) {
        let ended = self.bounded();
        assert_eq!(ended.code, Some(code), "{ended:.600?}");
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains(why), "{said:.600}");
    }
}

fn reading(mut from: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        from.read_to_end(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    })
}

/// The largest resident size so far. The kernel says that a program was started before it
/// has taken the old one's memory away: until then this is our own.
fn peak(of: &str) -> Option<u64> {
    if fs::read_link(format!("{of}/exe")).ok()? == std::env::current_exe().ok()? {
        return None;
    }
    let status = fs::read_to_string(format!("{of}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}

/// The processor time, if it has ended (proc(5), `/proc/pid/stat`).
fn ended(of: &str) -> Option<Duration> {
    let mut stat = String::new();
    fs::File::open(format!("{of}/stat")).ok()?.read_to_string(&mut stat).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // A tick is a hundredth of a second wherever Linux runs.
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    matches!(fields.first(), Some(&("Z" | "X")))
        .then(|| Duration::from_millis(10 * (ticks(11).unwrap() + ticks(12).unwrap())))
}
