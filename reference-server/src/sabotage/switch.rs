//! Faults that no change of messages can express. The core asks where the decision falls.

use serde::Deserialize;

/// One fault. Each says what a server with it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// `Stream-Seq` is compared as a number where both values are numbers.
    SeqAsNumber,
    /// `Stream-Seq` is compared without regard to the case of letters.
    SeqCaseFolded,
    /// A `Stream-Seq` equal to the last one is accepted.
    SeqEqualAccepted,
    /// A `Stream-Seq` lower than the last one is accepted.
    SeqLowerAccepted,
    /// A `Stream-Seq` is remembered before the append is checked.
    SeqRememberedEarly,
}

/// The faults that a server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches([u128; 2]);

impl Switches {
    /// No fault.
    pub const NONE: Self = Self([0; 2]);

    /// Whether the server has this fault.
    pub fn on(self, switch: Switch) -> bool {
        let index = switch as usize;
        self.0[index / 128] >> (index % 128) & 1 == 1
    }
}

impl FromIterator<Switch> for Switches {
    fn from_iter<I: IntoIterator<Item = Switch>>(switches: I) -> Self {
        let mut all = Self::NONE;
        for switch in switches {
            let index = switch as usize;
            all.0[index / 128] |= 1 << (index % 128);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_switched_is_on() {
        let switches = Switches::from_iter([Switch::SeqAsNumber, Switch::SeqRememberedEarly]);
        assert!(switches.on(Switch::SeqAsNumber));
        assert!(!switches.on(Switch::SeqCaseFolded));
        assert!(switches.on(Switch::SeqRememberedEarly));
        assert!(!Switches::NONE.on(Switch::SeqAsNumber));
    }
}
