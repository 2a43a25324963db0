//! What a policy must be before a service is put with it.

use crate::{api::RequestPolicy, refusal::Refusal};

const MAX_PAGE: usize = 64 * 1024;
const MAX_USER: usize = 255;
/// Ranges are looked at one after the other, for each request.
const MAX_RANGES: usize = 1_000;
/// Beyond it a time cannot be added to the clock's.
const MAX_TIMEOUT_MS: u64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) fn check_policy(policy: &RequestPolicy) -> Result<(), Refusal> {
    for (name, hash) in &policy.basic_auth {
        check_user(name)?;
        if hash.read().is_none() {
            return Err(Refusal::invalid(format!(
                "what is given for the user {} is no hash of a password; make it with PasswordHash::new",
                name.escape_debug()
            )));
        }
    }
    for (what, ranges) in
        [("where visitors may come from", &policy.allow), ("of trusted proxies", &policy.trusted_proxies)]
    {
        if ranges.len() > MAX_RANGES {
            return Err(Refusal::invalid(format!(
                "there are {} ranges {what}, at most {MAX_RANGES} are possible; join some",
                ranges.len()
            )));
        }
    }
    for (what, millis) in [("request", policy.request_timeout_ms), ("response", policy.response_timeout_ms)] {
        if millis.is_some_and(|millis| !(1..=MAX_TIMEOUT_MS).contains(&millis)) {
            return Err(Refusal::invalid(format!(
                "the {what} timeout is not 1 ms to 7 days; leave it out for the proxy's own"
            )));
        }
    }
    if let Some(page) = &policy.maintenance_page {
        check_page("the maintenance page", page)?;
    }
    for (status, page) in &policy.error_pages {
        if !(400..=599).contains(status) {
            return Err(Refusal::invalid(format!(
                "{status} is no status of an error; pages are for 400 to 599"
            )));
        }
        check_page(&format!("the page for {status}"), page)?;
    }
    Ok(())
}

/// A colon ends the name in what a browser sends (RFC 7617, 2).
fn check_user(name: &str) -> Result<(), Refusal> {
    let allowed = |character: char| character != ':' && !character.is_control();
    if (1..=MAX_USER).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "`{}` cannot be a user's name; use 1 to {MAX_USER} bytes without colons and control characters",
        name.chars().take(MAX_USER).collect::<String>().escape_debug()
    )))
}

fn check_page(what: &str, html: &str) -> Result<(), Refusal> {
    if html.len() <= MAX_PAGE {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{what} has {} bytes, at most {MAX_PAGE} are possible; put images and styles elsewhere",
        html.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PasswordHash;

    fn policy(json: serde_json::Value) -> RequestPolicy {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_policy_is_checked() {
        let hash = PasswordHash::new("secret");
        let page = "x".repeat(MAX_PAGE);
        for good in [
            policy(serde_json::json!({})),
            policy(serde_json::json!({ "basic_auth": { "änne b": hash } })),
            policy(
                serde_json::json!({ "error_pages": { "404": page, "599": page }, "maintenance_page": page }),
            ),
            policy(serde_json::json!({ "request_timeout_ms": 1, "response_timeout_ms": MAX_TIMEOUT_MS })),
        ] {
            assert!(check_policy(&good).is_ok());
        }
        let more = "x".repeat(MAX_PAGE + 1);
        for bad in [
            policy(serde_json::json!({ "basic_auth": { "a:b": hash } })),
            policy(serde_json::json!({ "basic_auth": { "": hash } })),
            policy(serde_json::json!({ "basic_auth": { "a\n": hash } })),
            policy(serde_json::json!({ "basic_auth": { "a": "secret" } })),
            policy(serde_json::json!({ "error_pages": { "200": "x" } })),
            policy(serde_json::json!({ "error_pages": { "404": more } })),
            policy(serde_json::json!({ "maintenance_page": more })),
            policy(serde_json::json!({ "request_timeout_ms": 0 })),
            policy(serde_json::json!({ "response_timeout_ms": u64::MAX })),
            policy(serde_json::json!({ "allow": vec!["10.0.0.0/8"; MAX_RANGES + 1] })),
        ] {
            let refusal = check_policy(&bad).unwrap_err();
            assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        }
    }
}
