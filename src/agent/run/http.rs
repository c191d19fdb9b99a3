//! What the process answers over HTTP: `/healthz`, `/readyz`, `/metrics`, and the page at `/`. Reading only, no secrets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::board::Board;
use super::pages;
use crate::diag::{Diagnostic, Result};

/// Connections answered at once.
const CONNECTIONS_MAX: usize = 32;
/// Time in which a client must have sent its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Listens, and answers for ever in the background. Gives the address listened on.
pub(crate) async fn bind(address: SocketAddr, board: Arc<Board>) -> Result<SocketAddr> {
    let refused = |error: std::io::Error| {
        Box::new(
            Diagnostic::input("listen", format!("cannot listen on `{address}`: {error}"))
                .hint("pass another `--listen ADDRESS:PORT`"),
        )
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    tokio::spawn(answer_all(listener, board));
    Ok(bound)
}

async fn answer_all(listener: TcpListener, board: Arc<Board>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let board = Arc::clone(&board);
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(answer(&request, &board)));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // a client that goes away is its own affair
            drop(connection.await);
            drop(slot);
        });
    }
}

fn answer(request: &Request<Incoming>, board: &Board) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (status, kind, body) = match request.uri().path() {
        "/healthz" => (StatusCode::OK, "text/plain", "ok\n".to_owned()),
        "/readyz" if board.is_ready() => {
            let role = if board.is_leading() { "leading\n" } else { "standing by\n" };
            (StatusCode::OK, "text/plain", role.to_owned())
        }
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "text/plain", "not ready\n".to_owned()),
        "/metrics" => (StatusCode::OK, "text/plain; version=0.0.4", pages::metrics(&board.rows(), board.is_leading())),
        "/" => (StatusCode::OK, "text/html; charset=utf-8", pages::page(&board.rows(), board.is_leading())),
        _ => (StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}
