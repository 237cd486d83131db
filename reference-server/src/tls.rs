//! Who the server is to clients that speak TLS.

use std::{fmt, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate with its key. Over TLS the server offers HTTP/2 and HTTP/1.1 (ALPN).
#[derive(Clone)]
pub struct Identity(Arc<ServerConfig>);

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the certificates cannot be read: {0}")]
    Certificates(String),
    #[error("there is no certificate in PEM form")]
    NoCertificate,
    #[error("the private key cannot be read: {0}; it has to be in PEM form, and not encrypted")]
    Key(String),
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Identity {
    /// Reads a chain of certificates, the server's own first, and its private key.
    ///
    /// # Errors
    /// One is no PEM, or they do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| IdentityError::Certificates(error.to_string()))?;
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|error| IdentityError::Key(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands; nothing where the client does not.
    pub(crate) async fn accept<S>(self, socket: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        timeout(HANDSHAKE, TlsAcceptor::from(self.0).accept(socket)).await.ok()?.ok()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}
