use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use streamgauge::wire::{
    Client, ClientOptions, Ending, Endpoint, Request, Target, Trust, TrustError, WireError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use crate::server::{AMPLE, Server, read_request};

/// A server for `localhost` with a certificate signed by itself, and that certificate in PEM form.
async fn server(answer: &'static [u8], with_notice: bool) -> (Server, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut server = Server::new(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while read_request(&mut stream).await.is_some() {
                stream.write_all(answer).await.unwrap();
                stream.flush().await.unwrap();
                if answer.starts_with(b"HTTP/1.0") {
                    if with_notice {
                        stream.shutdown().await.unwrap();
                    }
                    break;
                }
            }
        }
    })
    .await;
    let Endpoint { port, .. } = server.target.endpoint;
    server.target = Target::parse(&format!("https://localhost:{port}/")).unwrap();
    (server, cert.pem())
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn client(trust: Trust) -> Client {
    Client::new(ClientOptions { trust, ..ClientOptions::default() }).unwrap()
}

fn trusting(pem: &str) -> Trust {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    Trust::default().with_authorities(file.path()).unwrap()
}

#[tokio::test]
async fn a_stranger_is_not_believed() {
    let (server, _) = server(OK, true).await;
    let error = client(Trust::default()).fetch(&server.get(), AMPLE).await.unwrap_err();
    assert!(matches!(&error, WireError::Tls { reason, .. } if reason.contains("certificate")), "{error:?}");
}

#[tokio::test]
async fn an_authority_from_a_file_is_believed_for_its_names() {
    let (server, pem) = server(OK, true).await;
    let client = client(trusting(&pem));
    for _ in 0..2 {
        assert_eq!(&client.fetch(&server.get(), AMPLE).await.unwrap().body[..], b"ok");
    }
    assert_eq!(server.connections(), 1);
    let elsewhere = Target::parse(&server.target.to_string().replace("localhost", "127.0.0.1")).unwrap();
    let error = client.fetch(&Request::new("GET", elsewhere), AMPLE).await.unwrap_err();
    assert!(matches!(error, WireError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn anybody_is_believed_if_asked_for() {
    let (server, _) = server(OK, true).await;
    assert_eq!(client(Trust::default().insecure()).fetch(&server.get(), AMPLE).await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_end_without_notice_is_torn() {
    let answer = b"HTTP/1.0 200 OK\r\n\r\nperhaps all";
    for with_notice in [true, false] {
        let (server, _) = server(answer, with_notice).await;
        let response = client(Trust::default().insecure()).fetch(&server.get(), AMPLE).await.unwrap();
        assert_eq!(&response.body[..], b"perhaps all");
        assert_eq!(response.ending == Ending::Clean, with_notice, "{:?}", response.ending);
    }
}

#[tokio::test]
async fn a_plain_server_is_told() {
    let mut server = Server::new(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    server.target.endpoint.tls = true;
    let error = client(Trust::default()).fetch(&server.get(), AMPLE).await.unwrap_err();
    assert!(matches!(error, WireError::Tls { .. }), "{error:?}");
}

#[test]
fn files_without_certificates_are_refused() {
    let missing = Trust::default().with_authorities("/nowhere/at/all.pem".as_ref());
    assert!(matches!(missing, Err(TrustError::Unreadable { .. })));
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(Trust::default().with_authorities(file.path()), Err(TrustError::Empty { .. })));
}
