use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header::AUTHORIZATION};
use zeroize::Zeroizing;

/// Some clients leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who a visitor says he is, as he said it: `user:password` (RFC 7617, 2). Wiped when dropped.
pub(super) struct Credentials(Zeroizing<Vec<u8>>);

impl Credentials {
    /// `None` when there are none, more than one, or others than those of basic auth.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (field, more) = (fields.next()?, fields.next());
        let (scheme, encoded) = field.to_str().ok()?.split_once(' ')?;
        if more.is_some() || !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = BASE64.decode(encoded.trim()).ok()?;
        text.contains(&b':').then(|| Self(Zeroizing::new(text)))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A user's name has no colon, a password may have some.
    pub(super) fn user(&self) -> Option<&str> {
        std::str::from_utf8(self.0.split(|&byte| byte == b':').next()?).ok()
    }

    pub(super) fn password(&self) -> Zeroizing<Vec<u8>> {
        let password = self.0.splitn(2, |&byte| byte == b':').nth(1).unwrap_or_default();
        Zeroizing::new(password.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(fields: &[&'static str]) -> Option<(String, Vec<u8>)> {
        let headers = fields.iter().map(|&field| (AUTHORIZATION, HeaderValue::from_static(field))).collect();
        let found = Credentials::read(&headers)?;
        Some((found.user()?.to_owned(), found.password().to_vec()))
    }

    #[test]
    fn user_and_password_are_told_apart_by_the_first_colon() {
        let expected = Some(("Aladdin".to_owned(), b"open:sesame".to_vec()));
        assert_eq!(read(&["Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ=="]), expected);
        assert_eq!(read(&["bAsIc  QWxhZGRpbjpvcGVuOnNlc2FtZQ"]), expected, "case and padding do not matter");
        assert_eq!(read(&["Basic Og=="]), Some((String::new(), Vec::new())));
    }

    #[test]
    fn anything_else_is_nobody() {
        for fields in [
            &[][..],
            &["Basic"],
            &["Basic QWxhZGRpbg=="],
            &["Basic !"],
            &["Bearer QWxhZGRpbjpvcGVuOnNlc2FtZQ=="],
            &["Basic Og==", "Basic Og=="],
        ] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
    }
}
