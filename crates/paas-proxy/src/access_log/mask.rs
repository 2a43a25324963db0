use std::borrow::Cow;

use percent_encoding::percent_decode_str;

const MASK: &str = "***";

/// A parameter with one of these in its name holds a secret: `reset_token`, `X-Amz-Signature`, `client_assertion`.
const WITHIN: [&str; 10] = [
    "token",
    "secret",
    "passw",
    "signature",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "assertion",
    "jwt",
];
/// Or with one of these as its name.
const WHOLE: [&str; 11] = [
    "auth",
    "authorization",
    "key",
    "pwd",
    "sig",
    "code",
    "code_verifier",
    "session",
    "sid",
    "otp",
    "ticket",
];

/// A URL, or a path and query, with the values of the parameters masked whose names say that they are secrets.
pub(super) fn masked(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let (query, fragment) = query.find('#').map_or((query, ""), |at| query.split_at(at));
    if !query.split('&').any(|pair| secret_value(pair).is_some()) {
        return Cow::Borrowed(url);
    }
    let mut text = String::with_capacity(url.len());
    text.push_str(path);
    for (place, pair) in query.split('&').enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        match secret_value(pair) {
            Some(name) => {
                text.push_str(name);
                text.push('=');
                text.push_str(MASK);
            }
            None => text.push_str(pair),
        }
    }
    text.push_str(fragment);
    Cow::Owned(text)
}

/// The name of a parameter whose value is a secret.
fn secret_value(pair: &str) -> Option<&str> {
    let (name, value) = pair.split_once('=')?;
    (!value.is_empty() && is_secret(name)).then_some(name)
}

/// By the name that the app sees: `%63ode` is `code`.
fn is_secret(name: &str) -> bool {
    let name: Cow<'_, [u8]> = percent_decode_str(name).into();
    let contains =
        |word: &str| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    WHOLE.iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes()))
        || WITHIN.iter().any(|word| contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        for (url, expected) in [
            ("/", "/"),
            ("/token=1", "/token=1"),
            ("/?page=2&q=token", "/?page=2&q=token"),
            ("/?reset_token=abc", "/?reset_token=***"),
            ("/?a=1&Access_Token=a=b&b=2", "/?a=1&Access_Token=***&b=2"),
            ("/?x-amz-signature=1&X-Amz-Date=2", "/?x-amz-signature=***&X-Amz-Date=2"),
            ("https://a.test/?key=1#part", "https://a.test/?key=***#part"),
            ("/?keyword=1&token=&token", "/?keyword=1&token=&token"),
            ("/?password[]=1?2", "/?password[]=***"),
            ("/cb?Code=1&state=2&SESSION=3", "/cb?Code=***&state=2&SESSION=***"),
            ("/?jwt=1&sid=2&otp=3&ticket=4", "/?jwt=***&sid=***&otp=***&ticket=***"),
            ("/?assertion=1&client_assertion=2", "/?assertion=***&client_assertion=***"),
            ("/?postcode=1&sidebar=2&tickets=3&sessions=4", "/?postcode=1&sidebar=2&tickets=3&sessions=4"),
            ("/?%63ode=1&%74%6F%6ben=2&%4Aw%54=3", "/?%63ode=***&%74%6F%6ben=***&%4Aw%54=***"),
            // What is no encoding stands for itself.
            ("/?%6=1&co%de=2&%2563ode=3", "/?%6=1&co%de=2&%2563ode=3"),
        ] {
            assert_eq!(masked(url), expected);
        }
    }
}
