//! Which network addresses webhooks may go to (sections 6.2 and 12.8).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

/// Ranges that lead to this machine, to its local networks, or nowhere a webhook could be.
///
/// Documentation ranges are left out: nothing local answers there, and examples use them as public addresses.
static LOCAL_RANGES: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",      // this network
        "10.0.0.0/8",     // RFC 1918
        "100.64.0.0/10",  // carrier-grade NAT
        "127.0.0.0/8",    // loopback
        "169.254.0.0/16", // link-local, cloud metadata
        "172.16.0.0/12",  // RFC 1918
        "192.0.0.0/24",   // protocol assignments
        "192.168.0.0/16", // RFC 1918
        "198.18.0.0/15",  // benchmarking
        "224.0.0.0/4",    // multicast
        "240.0.0.0/4",    // reserved, broadcast
        "::/128",         // unspecified
        "::1/128",        // loopback
        "64:ff9b:1::/48", // local-use translation
        "100::/64",       // discard
        "fc00::/7",       // unique local, fd00:ec2::254 included
        "fe80::/10",      // link-local
        "fec0::/10",      // site-local
        "ff00::/8",       // multicast
    ]
    .iter()
    .map(|range| range.parse().expect("the ranges are written as CIDR"))
    .collect()
});

/// Whether an address is on the public internet, seen through the IPv6 forms that carry an IPv4 address.
pub fn is_public(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => carried_ipv4(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    !LOCAL_RANGES.iter().any(|range| range.contains(&address))
}

/// The IPv4 address that packets to `address` end up at, if it is a mapped, compatible, translated or 6to4 one.
fn carried_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(from(high, low)),
        // `::` and `::1` have this form too, but are ranges of their own.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => {
            Some(from(high, low))
        }
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_told_from_public_ones() {
        for local in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.1",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:a00:1::1",
            "fc00::1",
            "fd00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(local.parse().unwrap()), "{local}");
        }
        for public in [
            "1.1.1.1",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.169.0.1",
            "::ffff:1.1.1.1",
            "2002:101:101::1",
            "2606:4700::1111",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
