use std::{path::Path, sync::Arc};

use thiserror::Error;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{
            CertificateDer, ServerName, UnixTime,
            pem::{self, PemObject},
        },
    },
};

/// Which certificates of servers are believed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    authorities: Vec<CertificateDer<'static>>,
    insecure: bool,
}

/// Why a file of certificates cannot be used.
#[derive(Debug, Error)]
pub enum TrustError {
    #[error("the certificate file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("the certificate file {path} holds no certificate in PEM form")]
    Empty { path: String },
}

impl Trust {
    /// Believes also what the authorities in this PEM file have signed, beside the public ones.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no PEM, or holds no certificate.
    pub fn with_authorities(mut self, path: &Path) -> Result<Self, TrustError> {
        let shown = path.display().to_string();
        let unreadable =
            |error: pem::Error| TrustError::Unreadable { path: shown.clone(), reason: error.to_string() };
        let found: Vec<_> = CertificateDer::pem_file_iter(path)
            .map_err(unreadable)?
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        if found.is_empty() {
            return Err(TrustError::Empty { path: shown });
        }
        self.authorities.extend(found);
        Ok(self)
    }

    /// Believes anybody: any certificate, for any name, at any time.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// A connector that offers exactly this application protocol.
    pub(super) fn connector(&self, protocol: &[u8]) -> Result<TlsConnector, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let mut config = if self.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
                .with_no_client_auth()
        } else {
            builder.with_root_certificates(self.roots()?).with_no_client_auth()
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for authority in &self.authorities {
            roots.add(authority.clone())?;
        }
        Ok(roots)
    }
}

/// Accepts every certificate; signatures of the handshake are still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
