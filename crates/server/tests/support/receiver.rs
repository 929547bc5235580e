//! A web server that writes down what it is sent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// What came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The receiver; it answers with the status that was last set.
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Vec<Received>>>,
    refused: Arc<Mutex<usize>>,
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self {
            url,
            taken: Arc::default(),
            refused: Arc::default(),
            status: Arc::new(Mutex::new(200)),
        };
        let (taken, refused, status) = (
            Arc::clone(&receiver.taken),
            Arc::clone(&receiver.refused),
            Arc::clone(&receiver.status),
        );
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (taken, refused, status) =
                    (Arc::clone(&taken), Arc::clone(&refused), Arc::clone(&status));
                let serve = service_fn(move |request: Request<Incoming>| {
                    let (taken, refused, status) =
                        (Arc::clone(&taken), Arc::clone(&refused), Arc::clone(&status));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let status = *status.lock().unwrap();
                        if status == 200 {
                            taken.lock().unwrap().push(Received { headers: head.headers, body });
                        } else {
                            *refused.lock().unwrap() += 1;
                        }
                        let answer = Response::builder().status(status);
                        Ok::<_, Infallible>(answer.body(Full::new(Bytes::new())).unwrap())
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), serve));
            }
        });
        receiver
    }

    pub fn answer_with(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    pub fn refused(&self) -> usize {
        *self.refused.lock().unwrap()
    }

    pub fn taken(&self) -> Vec<Received> {
        self.taken.lock().unwrap().clone()
    }

    /// What was taken in, as soon as it is so much.
    pub async fn wait(&self, count: usize) -> Vec<Received> {
        loop {
            let taken = self.taken();
            if taken.len() >= count {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
