//! The set of faults that a server has.

use super::Switch;

/// Room for 512 faults.
const WORDS: usize = 4;

/// The faults that a server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches([u128; WORDS]);

impl Switches {
    /// No fault.
    pub const NONE: Self = Self([0; WORDS]);

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
