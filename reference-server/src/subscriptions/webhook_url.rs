//! Which URLs a webhook may have (sections 6.2 and 12.8).

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

use super::address;

const LONGEST_URL_BYTES: usize = 2048;

/// Names under which local networks hide; every name without a dot is one as well.
const LOCAL_SUFFIXES: [&str; 6] = ["localhost", "local", "localdomain", "internal", "intranet", "home.arpa"];

/// A URL that webhooks may be sent to, as far as the URL itself can tell. Where its name leads to is looked at
/// again when a connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl {
    given: String,
    url: Url,
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WebhookUrlError {
    #[error("webhook.url must not be longer than {LONGEST_URL_BYTES} bytes")]
    TooLong,
    #[error("webhook.url must be an absolute URL")]
    NotAUrl,
    #[error("webhook.url must use https")]
    NotHttps,
    #[error("webhook.url may use http for localhost and 127.0.0.x only")]
    HttpBeyondLocalhost,
    #[error("webhook.url must not carry user information")]
    UserInformation,
    #[error("webhook.url must not lead to a local network")]
    LocalTarget,
}

impl WebhookUrl {
    /// `development` allows `http://localhost` and `http://127.0.0.x`, spelled just so.
    pub fn parse(given: &str, development: bool) -> Result<Self, WebhookUrlError> {
        if given.len() > LONGEST_URL_BYTES {
            return Err(WebhookUrlError::TooLong);
        }
        let url = Url::parse(given).map_err(|_| WebhookUrlError::NotAUrl)?;
        let host = url.host().ok_or(WebhookUrlError::NotHttps)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlError::UserInformation);
        }
        match url.scheme() {
            "https" if is_local(&host) => Err(WebhookUrlError::LocalTarget),
            "https" => Ok(()),
            "http" if !development => Err(WebhookUrlError::NotHttps),
            "http" if is_development_host(&host) && is_spelled_plainly(given, &url) => Ok(()),
            "http" => Err(WebhookUrlError::HttpBeyondLocalhost),
            _ => Err(WebhookUrlError::NotHttps),
        }?;
        Ok(Self { given: given.to_owned(), url })
    }

    /// A URL that a faulty server takes.
    pub(super) fn unchecked(given: &str) -> Self {
        let base = Url::parse("https://webhook.invalid/").expect("a URL");
        let url = base.join(given).unwrap_or(base);
        Self { given: given.to_owned(), url }
    }

    /// The text the client gave.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The normalised form, equal for all spellings of one URL.
    pub fn normalised(&self) -> &str {
        self.url.as_str()
    }
}

fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => !address::is_public(IpAddr::V4(*address)),
        Host::Ipv6(address) => !address::is_public(IpAddr::V6(*address)),
        Host::Domain(name) => is_local_name(name),
    }
}

/// Expects the lower-case form that URL parsing yields.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.contains('.')
        || LOCAL_SUFFIXES.iter().any(|suffix| {
            name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

fn is_development_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => matches!(address.octets(), [127, 0, 0, _]),
        Host::Ipv6(_) => false,
    }
}

/// Whether the host stands in the text as it stands in the normalised URL. Decimal, hexadecimal and shortened
/// addresses end up as 127.0.0.x as well, but nobody writes them in good faith.
fn is_spelled_plainly(given: &str, url: &Url) -> bool {
    let authority =
        given.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    url.host_str().is_some_and(|normalised| host.eq_ignore_ascii_case(normalised))
}

/// Whether a webhook to the name `host` may connect to `address`, which its lookup gave.
///
/// A public name that suddenly leads to a local address is the classic way around a check of the URL alone.
pub fn may_connect(host: &str, address: IpAddr) -> bool {
    if host == "localhost" { address.is_loopback() } else { address::is_public(address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<WebhookUrlError> {
        WebhookUrl::parse(url, true).err()
    }

    #[test]
    fn public_https_urls_are_taken() {
        for url in [
            "https://worker.example/hooks",
            "https://worker.example:8443/hooks?x=1",
            "https://172.32.0.1/",
            "https://[2606:4700::1111]/",
            "https://localhost.example/",
        ] {
            assert_eq!(refused(url), None, "{url}");
            assert!(WebhookUrl::parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn development_opens_plain_localhost_and_nothing_else() {
        for url in
            ["http://localhost:9000/h", "http://127.0.0.1/", "HTTP://LocalHost/", "http://127.0.0.255:1/h"]
        {
            assert_eq!(refused(url), None, "{url}");
            assert_eq!(WebhookUrl::parse(url, false), Err(WebhookUrlError::NotHttps), "{url}");
        }
        for url in [
            "http://example.com/h",
            "http://127.1.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://localhost./",
            "http://a.localhost/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://0.0.0.0/",
        ] {
            assert_eq!(refused(url), Some(WebhookUrlError::HttpBeyondLocalhost), "{url}");
        }
    }

    #[test]
    fn local_targets_are_refused_over_https() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://10.0.0.1/",
            "https://10.0.0.1./",
            "https://172.16.0.1/",
            "https://172.31.255.1/",
            "https://192.168.1.1/",
            "https://3232235777/",
            "https://169.254.169.254/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "https://localhost./",
            "https://LOCALHOST/",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://intranet/",
        ] {
            assert_eq!(refused(url), Some(WebhookUrlError::LocalTarget), "{url}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        assert_eq!(refused("https://user@example.com/"), Some(WebhookUrlError::UserInformation));
        assert_eq!(refused("http://127.0.0.1:pw@10.0.0.1/"), Some(WebhookUrlError::UserInformation));
        assert_eq!(refused("ftp://example.com/"), Some(WebhookUrlError::NotHttps));
        assert_eq!(refused("file:///etc/passwd"), Some(WebhookUrlError::NotHttps));
        assert_eq!(refused("example.com/h"), Some(WebhookUrlError::NotAUrl));
        assert_eq!(refused(""), Some(WebhookUrlError::NotAUrl));
        let long = format!("https://example.com/{}", "a".repeat(2048));
        assert_eq!(refused(&long), Some(WebhookUrlError::TooLong));
    }

    #[test]
    fn a_name_may_not_lead_to_a_local_address() {
        assert!(may_connect("localhost", "127.0.0.1".parse().unwrap()));
        assert!(may_connect("localhost", "::1".parse().unwrap()));
        assert!(!may_connect("localhost", "1.1.1.1".parse().unwrap()));
        assert!(!may_connect("worker.example", "127.0.0.1".parse().unwrap()));
        assert!(!may_connect("worker.example", "169.254.169.254".parse().unwrap()));
        assert!(may_connect("worker.example", "1.1.1.1".parse().unwrap()));
    }
}
