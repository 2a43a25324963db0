use std::io;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{
    Request, Response, Uri,
    header::{CONTENT_LENGTH, HOST, RETRY_AFTER, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Step, state::State};

/// Has Pebble answer, and adds to what it says.
pub(crate) async fn pass(
    state: &State,
    step: Step,
    request: Request<Incoming>,
) -> io::Result<Response<Bytes>> {
    let host = request.headers()[HOST].to_str().unwrap().to_owned();
    if step == Step::RenewalInfo {
        return Ok(renewal_info(state));
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let replaces =
        (step == Step::NewOrder).then(|| payload(&body)["replaces"].as_str().map(str::to_owned)).flatten();
    let answer = send(state, Request::from_parts(parts, Full::new(body))).await?;
    Ok(match step {
        Step::Directory if state.window.lock().unwrap().is_some() => {
            with(answer, "renewalInfo", &format!("https://{host}/renewal-info"))
        }
        Step::NewOrder if answer.status().is_success() => {
            *state.orders.lock().unwrap() += 1;
            match replaces {
                Some(replaces) => {
                    state.replaced.lock().unwrap().push(replaces.clone());
                    with(answer, "replaces", &replaces)
                }
                None => answer,
            }
        }
        _ => answer,
    })
}

/// A nonce that Pebble will take.
pub(crate) async fn fresh_nonce(state: &State, request: Request<Incoming>) -> io::Result<String> {
    let host = request.headers()[HOST].clone();
    let request = Request::head("/nonce-plz").header(HOST, host).body(Full::default()).unwrap();
    let answer = send(state, request).await?;
    Ok(answer.headers()["replay-nonce"].to_str().unwrap().to_owned())
}

async fn send(state: &State, mut request: Request<Full<Bytes>>) -> io::Result<Response<Bytes>> {
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("https://{}{path}", state.pebble).parse::<Uri>().unwrap();
    let (mut parts, body) = state.client.request(request).await.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, body))
}

/// What a signed request says.
fn payload(body: &Bytes) -> Value {
    let signed: Value = serde_json::from_slice(body).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(signed["payload"].as_str().unwrap_or_default()).unwrap_or_default();
    serde_json::from_slice(&payload).unwrap_or_default()
}

fn with(answer: Response<Bytes>, field: &str, text: &str) -> Response<Bytes> {
    answer.map(|body| {
        let mut object: Value = serde_json::from_slice(&body).unwrap();
        object[field] = json!(text);
        Bytes::from(object.to_string())
    })
}

fn renewal_info(state: &State) -> Response<Bytes> {
    let window = state.window.lock().unwrap().expect("no window was set");
    let body = json!({
        "suggestedWindow": { "start": window.start.format(&Rfc3339).unwrap(), "end": window.end.format(&Rfc3339).unwrap() },
        "explanationURL": "https://ca.example/why",
    });
    Response::builder().header(RETRY_AFTER, window.retry_after).body(Bytes::from(body.to_string())).unwrap()
}
