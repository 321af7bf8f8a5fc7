//! A program that gives credentials, run at a command line for the person who named it: Docker's helpers
//! (`docker-credential-NAME`), client-go's exec plugins.
//!
//! What one prints is a secret, or may be: it is held in memory that is cleared, within bounds, and no error
//! repeats any of it. What it has to say to people goes to standard error, which is the person's. One that does
//! not end in time is ended.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::token::IDENTITY_VARIABLE;

/// How long one may take: it may ask a person to sign in, or to unlock a keychain.
const PATIENCE: Duration = Duration::from_mins(1);

/// What it printed, and how it ended.
pub(crate) struct Answer {
    pub(crate) printed: Zeroizing<Vec<u8>>,
    pub(crate) ended: ExitStatus,
}

/// Why there is no answer that could be read.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is no such program.
    #[error("it is not installed, or not in PATH")]
    Missing,
    /// It does not start, or what it prints cannot be read.
    #[error("it cannot be run")]
    Start(#[source] io::Error),
    /// It takes too long.
    #[error("it gave no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It says no.
    #[error("it ended with {0}")]
    Failed(ExitStatus),
    /// It does not stop printing.
    #[error("it printed more than {0} bytes")]
    TooLong(usize),
}

/// Runs it with this on its standard input, and takes what it prints, which has no more than `most` bytes.
pub(crate) async fn ask(
    program: &mut Command,
    question: Option<&[u8]>,
    most: usize,
) -> Result<Answer, ProgramError> {
    ask_within(PATIENCE, program, question, most).await
}

async fn ask_within(
    patience: Duration,
    program: &mut Command,
    question: Option<&[u8]>,
    most: usize,
) -> Result<Answer, ProgramError> {
    timeout(patience, run(program, question, most)).await.unwrap_or(Err(ProgramError::Late(patience)))
}

async fn run(program: &mut Command, question: Option<&[u8]>, most: usize) -> Result<Answer, ProgramError> {
    let mut running = program
        // With it whoever reads it can sign as we do.
        .env_remove(IDENTITY_VARIABLE)
        .stdin(if question.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProgramError::Missing,
            _ => ProgramError::Start(error),
        })?;
    if let (Some(question), Some(mut input)) = (question, running.stdin.take()) {
        // One that needs no question may have hung up.
        let _ = input.write_all(question).await;
    }
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    // All of it at once: what is moved when it grows is not cleared.
    let mut printed = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    if let Some(output) = running.stdout.take() {
        let mut output = output.take(limit.saturating_add(1));
        output.read_to_end(&mut printed).await.map_err(ProgramError::Start)?;
    }
    if printed.len() > most {
        return Err(ProgramError::TooLong(most));
    }
    let ended = running.wait().await.map_err(ProgramError::Start)?;
    Ok(Answer { printed, ended })
}

impl Answer {
    /// What it printed, if it says that this is an answer.
    pub(crate) fn if_well(self) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        if self.ended.success() { Ok(self.printed) } else { Err(ProgramError::Failed(self.ended)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut program = Command::new("/bin/sh");
        program.args(["-c", script]);
        program
    }

    async fn told(script: &str, question: Option<&[u8]>, most: usize) -> Result<Vec<u8>, String> {
        let answer = ask(&mut shell(script), question, most).await.and_then(Answer::if_well);
        answer.map(|printed| printed.to_vec()).map_err(|e| argo_attest_core::text::causes(&e))
    }

    #[tokio::test]
    async fn it_is_asked_and_its_answer_is_taken() {
        assert_eq!(told("cat; echo s3cret", Some(b"who "), 20).await.unwrap(), b"who s3cret\n");
        assert_eq!(told("cat; echo none", None, 20).await.unwrap(), b"none\n");
        // One that does not listen answers all the same.
        let long = vec![b'x'; 1 << 20];
        assert_eq!(told("exec <&-; echo well", Some(&long), 20).await.unwrap(), b"well\n");
    }

    #[tokio::test]
    async fn what_it_says_is_in_no_error() {
        let no = told("echo s3cret; exit 3", None, 20).await.unwrap_err();
        assert_eq!(no, "it ended with exit status: 3");
        let long = told("while :; do echo s3cret; done", None, 20).await.unwrap_err();
        assert_eq!(long, "it printed more than 20 bytes");
        let none = ask(&mut Command::new("/none/such"), None, 1).await.map(drop).unwrap_err();
        assert!(matches!(none, ProgramError::Missing), "{none}");
    }

    /// A program for a registry's login has no business with a token that we are somebody by.
    #[tokio::test]
    async fn it_does_not_get_the_identity_token() {
        let mut program = shell("echo ${SIGSTORE_ID_TOKEN-none} $OTHER");
        program.env(IDENTITY_VARIABLE, "s3cret").env("OTHER", "o");
        let answer = ask(&mut program, None, 20).await.and_then(Answer::if_well).unwrap();
        assert_eq!(answer.as_slice(), b"none o\n");
    }

    /// Not even where it does nothing, or leaves its output to another that does nothing.
    #[tokio::test]
    async fn nobody_waits_for_it_for_ever() {
        let began = Instant::now();
        for script in ["sleep 30", "sleep 30 & echo done", "exec >&-; sleep 30"] {
            let within = Duration::from_millis(200);
            let late = ask_within(within, &mut shell(script), None, 20).await.map(drop).unwrap_err();
            assert!(matches!(late, ProgramError::Late(_)), "{script}: {late}");
        }
        assert!(began.elapsed() < Duration::from_mins(1));
    }
}
