//! One page for people, complete in itself: it loads nothing, works without scripts, and prints.
//!
//! The markup is in `templates/`. Askama escapes whatever is put into it, and the page forbids itself any
//! script but its own.

mod view;

use std::io::{self, Write};

use askama::Template;

use crate::event::RunResult;

use self::view::Page;
use super::{findings::Findings, write::Context};

/// Writes the page.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, context: Context<'_>) -> io::Result<()> {
    let findings = Findings::of(run, context.standard);
    Page::of(run, &findings, context).write_into(out)
}

#[cfg(test)]
mod tests;
