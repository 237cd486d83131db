//! `--break`, `--variant` and `--fault`: from words to what the server is to do.

use streamgauge_reference_server::{
    Config,
    fault::{self, Fault},
    sabotage::{Sabotage, Variant},
};

use super::super::{Misuse, output};
use crate::{built_in, fixture::FixtureSource};

const LIST: &str = "list";

/// Prints what there is to choose from, if that was asked for; says whether it was.
pub(super) fn listed(breaks: &[String], variants: &[String], faults: &[String]) -> Result<bool, Misuse> {
    let asked = |names: &[String]| names.iter().any(|name| name == LIST);
    let source = FixtureSource::Embedded;
    let mut text = String::new();
    if asked(breaks) {
        for sabotage in built_in::sabotages(&source).map_err(Misuse::new)? {
            text.push_str(&format!("{:<72} {}\n", sabotage.id(), sabotage.title));
        }
    }
    if asked(variants) {
        for variant in built_in::variants(&source).map_err(Misuse::new)? {
            text.push_str(&format!("{:<28} {}\n", variant.name, variant.title));
        }
    }
    if asked(faults) {
        text.push_str(fault::EXPLAINED);
    }
    output::print(&text)?;
    Ok(asked(breaks) || asked(variants) || asked(faults))
}

/// Sets the server up, and says loudly what is not as it should be.
pub(super) fn apply(breaks: &[String], variants: &[String], config: &mut Config) -> Result<(), Misuse> {
    let source = FixtureSource::Embedded;
    let known =
        if breaks.is_empty() { Vec::new() } else { built_in::sabotages(&source).map_err(Misuse::new)? };
    for wanted in breaks {
        let sabotage = sabotage_named(wanted, &known)?;
        eprintln!("BROKEN ON PURPOSE: {}: {}", sabotage.id(), sabotage.title);
        config.sabotages.push(sabotage.clone());
    }
    let known =
        if variants.is_empty() { Vec::new() } else { built_in::variants(&source).map_err(Misuse::new)? };
    for wanted in variants {
        let variant = variant_named(wanted, &known)?;
        eprintln!("variant {}: {}", variant.name, variant.title);
        variant.configure(config);
    }
    Ok(())
}

/// Sets up what goes wrong on the way, and says so as loudly.
pub(super) fn disturb(faults: &[String], seed: Option<u64>, config: &mut Config) -> Result<(), Misuse> {
    for spec in faults {
        let fault: Fault = spec.parse().map_err(|mistake| Misuse::new(format!("--fault {mistake}")))?;
        config.faults.push(fault);
    }
    if config.faults.is_empty() {
        return match seed {
            Some(_) => {
                Err(Misuse::new("--seed is for --fault, and there is none; leave it out, or add a fault"))
            }
            None => Ok(()),
        };
    }
    config.fault_seed = seed.unwrap_or_else(rand::random);
    for fault in &config.faults {
        eprintln!("FAULT ON PURPOSE: {fault}");
    }
    eprintln!("the same faults again: --seed {}", config.fault_seed);
    Ok(())
}

/// `RULE#name`, or `RULE` for its first.
fn sabotage_named<'a>(wanted: &str, known: &'a [Sabotage]) -> Result<&'a Sabotage, Misuse> {
    let found = known.iter().find(|sabotage| sabotage.id() == wanted || sabotage.breaks == wanted);
    found.ok_or_else(|| {
        let rule = wanted.split('#').next().unwrap_or_default();
        let close: Vec<String> =
            known.iter().filter(|sabotage| sabotage.id().contains(rule)).map(Sabotage::id).collect();
        match close.as_slice() {
            [] => Misuse::new(format!("nothing breaks {wanted}; `--break list` shows what can be broken")),
            close => {
                Misuse::new(format!("there is no sabotage {wanted}; did you mean {}?", close.join(", ")))
            }
        }
    })
}

fn variant_named<'a>(wanted: &str, known: &'a [Variant]) -> Result<&'a Variant, Misuse> {
    known
        .iter()
        .find(|variant| variant.name == wanted)
        .ok_or_else(|| Misuse::new(format!("there is no variant {wanted}; `--variant list` shows them")))
}
