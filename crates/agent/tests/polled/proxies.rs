//! Proxies that want TLS themselves.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Agent, Plane};

/// Leads whoever comes to the plane, over TLS; counts them.
struct Proxy {
    address: String,
    certificate: String,
    visits: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(plane: &Plane) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (visits, plane) = (Arc::new(AtomicUsize::new(0)), plane.address.clone());
        let counter = Arc::clone(&visits);
        std::thread::spawn(move || {
            serve(listener, TlsAcceptor::from(Arc::new(config)), plane, counter);
        });
        Self { address, certificate: certificate.pem(), visits }
    }
}

fn serve(
    listener: std::net::TcpListener,
    tls: TlsAcceptor,
    plane: String,
    visits: Arc<AtomicUsize>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, plane, visits) = (tls.clone(), plane.clone(), Arc::clone(&visits));
            tokio::spawn(async move {
                let Ok(mut visitor) = tls.accept(stream).await else { return };
                visits.fetch_add(1, Ordering::Relaxed);
                let host = plane.trim_start_matches("http://");
                let mut there = TcpStream::connect(host).await.unwrap();
                let _ = copy_bidirectional(&mut visitor, &mut there).await;
            });
        }
    });
}

#[test]
fn a_proxy_that_is_spoken_to_over_tls_leads_to_control_plane_and_storage() {
    let plane = Plane::start();
    let proxy = Proxy::start(&plane);
    let lines = format!(
        ":proxy_uri: '{}'\n:deploy_control_endpoint: http://deploy.test:7400\n:s3_endpoint_override: http://s3.test:7400\n",
        proxy.address
    );
    let mut agent = Agent::prepare(&plane, &lines);
    fs::write(agent.file("authority.pem"), &proxy.certificate).unwrap();
    agent.trusts("authority.pem");
    agent.again();
    plane.deploy("d-AAAAAAAA1", &[("appspec.yml", "version: 0.0\nos: linux\n")]);
    plane.run("1", "DownloadBundle");
    assert_eq!(plane.downloads(), 1);
    assert!(proxy.visits.load(Ordering::Relaxed) > 1);
}
