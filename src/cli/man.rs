//! `argo-attest man`.

use std::io;
use std::path::PathBuf;

use argo_attest_core::contract::variable;
use argo_attest_core::secret::shown_path;
use clap::{Args, Command};
use clap_mangen::Man;

use super::{Exit, Failure, definition, print};

const EXAMPLE: &str = "\
Examples:
  argo-attest man | man -l -
  argo-attest man --out-dir ~/.local/share/man/man1 && man argo-attest-verify";

/// Prints the manual page
///
/// With --out-dir it is written there instead, as argo-attest.1, and with it one for each command,
/// such as argo-attest-verify.1.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ManArgs {
    /// Where all pages go; made if it is not there
    #[arg(long, value_name = "DIR", env = variable::OUT_DIR)]
    out_dir: Option<PathBuf>,
}

/// Prints the one page, or writes all.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut program = definition().disable_help_subcommand(true);
    program.build();
    let Some(directory) = &args.out_dir else {
        print(&page(&program).1)?;
        return Ok(Exit::Done);
    };
    let written = std::fs::create_dir_all(directory).and_then(|()| {
        let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
        std::iter::once(&program)
            .chain(commands)
            .map(page)
            .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
    });
    written.map_err(|e: io::Error| {
        Failure::new(Exit::Io, format!("cannot write the pages into {}: {e}", shown_path(directory)))
            .remedy("name a directory that can be written")
    })?;
    Ok(Exit::Done)
}

/// A command's page, and the name of its file.
fn page(command: &Command) -> (String, String) {
    let version = concat!("argo-attest ", env!("CARGO_PKG_VERSION"));
    let page = Man::new(command.clone()).source(version).manual("argo-attest");
    let mut text = Vec::new();
    // Writing into memory does not fail.
    let _ = page.render(&mut text);
    (page.get_filename(), String::from_utf8_lossy(&text).into_owned())
}
