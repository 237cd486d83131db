//! An offset token: what parses prints itself again, and tokens sort as the positions do.

use streamgauge_reference_server::core::offset::Offset;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parsed = Vec::new();
    for token in text.split('\n') {
        if let Ok(offset) = Offset::parse(token) {
            assert_eq!(offset.to_string(), token, "a token has one spelling");
            assert!(token != "-1" && token != "now", "sentinels are no offsets");
            assert!(!token.contains([',', '&', '=', '?', '/']));
            assert!(token.len() < 256);
            parsed.push((token, offset));
        }
    }
    for (left, right) in parsed.iter().zip(parsed.iter().skip(1)) {
        assert_eq!(left.0.cmp(right.0), left.1.cmp(&right.1), "tokens sort as positions");
    }
}
