//! What must not get through: bytes that a terminal obeys, and characters that hide or reorder their neighbours.

/// What of it a hostile target sends, in bodies and, as far as HTTP lets it, in headers.
pub(crate) const ORDERS: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{0}\u{8}\u{7f}\u{9b}31m\u{202e}txt.exe\u{2066}\u{200b}<script>alert(1)</script>&\"'`|]]>";

/// What no page may hold as it stands.
pub(crate) const SCRIPT: &str = "<script>alert(1)";

/// Names of what stands raw in an output, each once.
pub(crate) fn raw_in(output: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(output).into_owned();
    let mut found: Vec<char> = text.chars().filter(|character| is_an_order(*character)).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|order| order.escape_unicode().to_string())
}

fn is_an_order(character: char) -> bool {
    let is_layout = matches!(character, '\n' | '\t');
    character.is_control() && !is_layout
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
