//! `streamgauge completions` and `streamgauge man`: help for shells and for `man`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Command};
use clap_complete::Shell;

use super::{Misuse, Status, output::Output};

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell that is to complete `streamgauge`.
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// A command, such as `check`; without one, the program itself.
    command: Option<String>,

    /// Write the pages of the program and of all its commands into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl CompletionsArguments {
    pub(super) fn run(&self, mut program: Command) -> Result<Status, Misuse> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "streamgauge", &mut script);
        print(&script)
    }
}

impl ManArguments {
    pub(super) fn run(&self, program: Command) -> Result<Status, Misuse> {
        if let Some(folder) = &self.dir {
            clap_mangen::generate_to(program, folder)
                .map_err(|error| Misuse::new(format!("--dir {}: {error}", folder.display())))?;
            return Ok(Status::Right);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(self.wanted(program)?)
            .render(&mut page)
            .map_err(|error| Misuse::new(format!("the page cannot be made: {error}")))?;
        print(&page)
    }

    /// The program, or one of its commands under the name that its page has.
    fn wanted(&self, mut program: Command) -> Result<Command, Misuse> {
        let Some(name) = &self.command else { return Ok(program) };
        program.build();
        let found = program.find_subcommand(name).filter(|command| !command.is_hide_set());
        found.cloned().ok_or_else(|| {
            Misuse::new(format!("there is no command {name}; `streamgauge --help` lists them"))
        })
    }
}

fn print(bytes: &[u8]) -> Result<Status, Misuse> {
    let mut output = Output::open(None, false)?;
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(output.misuse(&error)),
        _ => Ok(Status::Right),
    }
}
