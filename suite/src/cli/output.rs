//! Where a command writes what it was asked for: a file, or standard output.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::Misuse;

/// Prints a text. Whoever closes the pipe has read enough.
pub(super) fn print(text: &str) -> Result<(), Misuse> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Misuse::new(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// A file or standard output, buffered.
pub(super) struct Output {
    file: Option<PathBuf>,
    sink: BufWriter<Box<dyn Write>>,
}

impl Output {
    /// Opens the file; `None` and `-` are standard output. Styles are kept only where `styled` text goes to a terminal.
    pub(super) fn open(file: Option<&Path>, styled: bool) -> Result<Self, Misuse> {
        let file = file.filter(|file| *file != Path::new("-")).map(Path::to_owned);
        let sink: Box<dyn Write> = match &file {
            None if styled => Box::new(anstream::stdout()),
            None => Box::new(io::stdout()),
            Some(path) => {
                let created = File::create(path).map_err(|error| {
                    Misuse::new(format!("{}: cannot be written: {error}", path.display()))
                })?;
                if styled { Box::new(anstream::StripStream::new(created)) } else { Box::new(created) }
            }
        };
        Ok(Self { file, sink: BufWriter::new(sink) })
    }

    /// Why it could not be written.
    pub(super) fn misuse(&self, error: &io::Error) -> Misuse {
        match &self.file {
            Some(path) => Misuse::new(format!("{}: cannot be written: {error}", path.display())),
            None => Misuse::new(format!("standard output cannot be written: {error}")),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
