//! What each target begins with, as files.

use std::{fs, path::Path};

use streamgauge_fuzz_targets::{BODIES, Body, regressions};

use crate::{Failure, places};

/// Writes `NAME/` with seeds, `NAME.dict` and `NAME.options` for each target.
pub(crate) fn write(folder: &Path) -> Result<(), Failure> {
    for body in BODIES {
        let seeds = folder.join(body.name);
        places::make(&seeds)?;
        let regressions = regressions(&body).map_err(Failure::at(&seeds))?;
        let inputs = body.seeds().into_iter().chain(regressions.into_iter().map(|found| found.input));
        for (number, input) in inputs.enumerate() {
            let path = seeds.join(format!("seed-{number:03}"));
            fs::write(&path, input).map_err(Failure::at(&path))?;
        }
        dictionary(&body, folder)?;
        let options = folder.join(format!("{}.options", body.name));
        let mut text = format!("[libfuzzer]\nmax_len = {}\n", body.longest);
        if !body.dictionary.is_empty() {
            text += &format!("dict = {}.dict\n", body.name);
        }
        fs::write(&options, text).map_err(Failure::at(&options))?;
    }
    Ok(())
}

fn dictionary(body: &Body, folder: &Path) -> Result<(), Failure> {
    if body.dictionary.is_empty() {
        return Ok(());
    }
    let path = folder.join(format!("{}.dict", body.name));
    fs::write(&path, body.dictionary_file()).map_err(Failure::at(&path))
}
