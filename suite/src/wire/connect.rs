use std::{
    fmt, io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout_at,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use url::{Host, Url};

use super::{Phase, WireError};

/// A place to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub tls: bool,
    pub host: Host<String>,
    pub port: u16,
}

impl Endpoint {
    /// The endpoint of an `http` or `https` URL.
    ///
    /// # Errors
    ///
    /// [`WireError::Unsendable`] for another scheme, or without a host.
    pub fn of(url: &Url) -> Result<Self, WireError> {
        let unsendable = |reason: String| WireError::Unsendable { reason };
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(unsendable(format!("`{url}` has the scheme `{other}`, not http or https"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unsendable("the URL has credentials in it; send them with a header".to_owned()));
        }
        let host = url.host().ok_or_else(|| unsendable(format!("`{url}` has no host")))?.to_owned();
        let port = url.port_or_known_default().ok_or_else(|| unsendable(format!("`{url}` has no port")))?;
        Ok(Self { tls, host, port })
    }

    /// Host and, unless it is the scheme's own, port: what the `Host` header says.
    pub fn authority(&self) -> String {
        let known = if self.tls { 443 } else { 80 };
        if self.port == known { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// A connection, with or without TLS.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

pub(super) type Transport = Box<dyn Duplex>;

/// Connects, and shakes hands if the endpoint wants TLS.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: &TlsConnector,
    started: Instant,
    deadline: Instant,
) -> Result<Transport, WireError> {
    let work = async {
        let tcp = connect_tcp(endpoint, deadline).await?;
        if endpoint.tls { shake_hands(endpoint, tls, tcp).await } else { Ok(Box::new(tcp) as Transport) }
    };
    timeout_at(deadline.into(), work)
        .await
        .unwrap_or_else(|_| Err(WireError::NoAnswer { phase: Phase::Connect, after: started.elapsed() }))
}

async fn connect_tcp(endpoint: &Endpoint, deadline: Instant) -> Result<TcpStream, WireError> {
    let addresses = resolve(endpoint).await?;
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        // An address that swallows packets must not use up the time of those after it.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match tokio::time::timeout(share.max(Duration::from_millis(1)), TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // Without it the kernel may hold back a small request, which would show as a slow server.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => {
                failure = io::Error::new(io::ErrorKind::TimedOut, "the attempt to connect was not answered");
            }
        }
    }
    let endpoint = endpoint.to_string();
    Err(match failure.kind() {
        io::ErrorKind::ConnectionRefused => WireError::Refused { endpoint },
        _ => WireError::Unreachable { endpoint, reason: failure.to_string() },
    })
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, WireError> {
    let port = endpoint.port;
    let domain = match &endpoint.host {
        Host::Ipv4(ip) => return Ok(vec![(*ip, port).into()]),
        Host::Ipv6(ip) => return Ok(vec![(*ip, port).into()]),
        Host::Domain(domain) => domain,
    };
    let unresolved = |reason: String| WireError::Unresolved { host: domain.clone(), reason };
    let found = tokio::net::lookup_host((domain.as_str(), port))
        .await
        .map_err(|error| unresolved(error.to_string()))?;
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() {
        Err(unresolved("the resolver knows the name, but no address".to_owned()))
    } else {
        Ok(addresses)
    }
}

async fn shake_hands(
    endpoint: &Endpoint,
    tls: &TlsConnector,
    tcp: TcpStream,
) -> Result<Transport, WireError> {
    let refuse = |reason: String| WireError::Tls { endpoint: endpoint.to_string(), reason };
    let name = match &endpoint.host {
        Host::Domain(domain) => {
            ServerName::try_from(domain.clone()).map_err(|error| refuse(error.to_string()))?
        }
        Host::Ipv4(ip) => ServerName::IpAddress(std::net::IpAddr::V4(*ip).into()),
        Host::Ipv6(ip) => ServerName::IpAddress(std::net::IpAddr::V6(*ip).into()),
    };
    let stream = tls.connect(name, tcp).await.map_err(|error| refuse(error.to_string()))?;
    Ok(Box::new(stream))
}
