//! Webhook URLs: none that is taken leads to this machine or its networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use streamgauge_reference_server::subscriptions::{address::is_public, webhook_url::WebhookUrl};
use url::{Host, Url};

const LOCAL_NAMES: [&str; 6] = ["localhost", "local", "localdomain", "internal", "intranet", "home.arpa"];

/// Four or sixteen bytes are an address, and all is the text of a URL.
pub fn run(data: &[u8]) {
    if let Ok(octets) = <[u8; 4]>::try_from(data) {
        address(IpAddr::V4(octets.into()));
    }
    if let Ok(octets) = <[u8; 16]>::try_from(data) {
        address(IpAddr::V6(octets.into()));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let strict = WebhookUrl::parse(text, false).is_ok();
        let lenient = WebhookUrl::parse(text, true).is_ok();
        assert!(lenient || !strict, "development only opens: {text:?}");
        let url = Url::parse(text).ok();
        assert_eq!(strict, url.as_ref().is_some_and(|url| is_remote(text, url)), "{text:?}");
        if lenient && !strict {
            assert!(url.is_some_and(|url| is_development_target(text, &url)), "{text:?}");
        }
    }
}

fn address(address: IpAddr) {
    assert_eq!(is_public(address), !is_local(address), "{address}");
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    assert_eq!(WebhookUrl::parse(&format!("https://{host}/"), false).is_ok(), !is_local(address), "{host}");
}

/// Whether a production server may send there: https, no user, no local host.
fn is_remote(text: &str, url: &Url) -> bool {
    let is_local = match url.host() {
        None => true,
        Some(Host::Ipv4(address)) => is_local(address.into()),
        Some(Host::Ipv6(address)) => is_local(address.into()),
        Some(Host::Domain(name)) => {
            let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
            let ends_locally = |local: &&str| {
                let local: Vec<&str> = local.split('.').collect();
                labels.ends_with(&local)
            };
            labels.len() < 2 || LOCAL_NAMES.iter().any(ends_locally)
        }
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    text.len() <= 2048 && url.scheme() == "https" && !has_user && !is_local
}

/// `http` to `localhost` or 127.0.0.x, spelled just so.
fn is_development_target(text: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_near =
        host == "localhost" || host.strip_prefix("127.0.0.").is_some_and(|x| x.parse::<u8>().is_ok());
    url.scheme() == "http" && is_near && text.to_ascii_lowercase().contains(host)
}

/// Not on the public internet, by what the standard library and the registries say.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => is_local_v6(address),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (second == 18 || second == 19))
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let begins = |prefix: u128, length: u32| bits >> (128 - length) == prefix;
    let low = Ipv4Addr::from(bits as u32);
    if address.is_unspecified() || address.is_loopback() {
        return true;
    }
    // Mapped, compatible and translated addresses carry an IPv4 address at their end, 6to4 in their middle.
    if begins(0xffff, 96) || begins(0, 96) || begins(0x0064_ff9b_u128 << 64, 96) {
        return is_local_v4(low);
    }
    if begins(0x2002, 16) {
        return is_local_v4(Ipv4Addr::from((bits >> 80) as u32));
    }
    address.is_multicast()
        || begins(0b111_1110, 7)
        || begins(0b11_1111_1010, 10)
        || begins(0b11_1111_1011, 10)
        || begins(0x0064_ff9b_0001, 48)
        || begins(0x0100_0000_0000_0000, 64)
}
