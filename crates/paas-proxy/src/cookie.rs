//! Cookies of our own beside those of the app (RFC 6265).

use http::{HeaderMap, HeaderValue, header::COOKIE};

/// How many entries one cookie of ours has at most.
pub(crate) const ENTRIES: usize = 4;
/// What stands between them.
pub(crate) const SEPARATOR: &str = "~";

/// Takes a cookie out of a request's header and gives its value. The others stay byte for byte.
pub(crate) fn take(headers: &mut HeaderMap, name: &str) -> Option<String> {
    let field = headers.get(COOKIE)?;
    let found = field.as_bytes().split(|byte| *byte == b';').find_map(|pair| value_of(pair, name))?;
    let found = String::from_utf8_lossy(found).into_owned();
    let others: Vec<&[u8]> =
        field.as_bytes().split(|byte| *byte == b';').filter(|pair| value_of(pair, name).is_none()).collect();
    let others = others.join(&b';');
    let others = others.trim_ascii_start();
    match HeaderValue::from_bytes(others) {
        Ok(others) if !others.is_empty() => drop(headers.insert(COOKIE, others)),
        _ => drop(headers.remove(COOKIE)),
    }
    Some(found)
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let place = pair.iter().position(|byte| *byte == b'=')?;
    let (found, value) = (pair.get(..place)?, pair.get(place + 1..)?);
    (found.trim_ascii() == name.as_bytes()).then(|| value.trim_ascii())
}

/// The field that gives a browser a cookie until it is closed. Scripts do not see it, and other sites' requests do not bring it.
pub(crate) fn session(name: &str, value: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(field: &str) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(field).unwrap())]);
        let value = take(&mut headers, "paas_target");
        (value, headers.get(COOKIE).map(|field| field.to_str().unwrap().to_owned()))
    }

    #[test]
    fn the_others_stay_as_they_are() {
        let (value, rest) = taken("a=1;b = \"x=y\" ; paas_target=T;  c;paas_targets=2");
        assert_eq!(value.as_deref(), Some("T"));
        assert_eq!(rest.as_deref(), Some("a=1;b = \"x=y\" ;  c;paas_targets=2"));
        assert_eq!(taken("paas_target=T; a=1").1.as_deref(), Some("a=1"));
        assert_eq!(taken("a=1; paas_target=T").1.as_deref(), Some("a=1"));
        assert_eq!(taken("a=1; b").1.as_deref(), Some("a=1; b"));
    }

    #[test]
    fn a_header_of_ours_alone_is_gone() {
        assert_eq!(taken("paas_target=T; paas_target=U"), (Some("T".into()), None));
        assert_eq!(taken("a=paas_target"), (None, Some("a=paas_target".into())));
    }
}
