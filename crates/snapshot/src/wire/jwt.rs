//! The JWT of a user: `header.claims.signature`, each part in URL-safe base64 without padding.
//!
//! Only the claims are read. The signature is scrubbed from recordings, and nothing here could
//! say whether it was good; the server that let the user in did.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Longest JWT that is read, in bytes. Servers take connect options of 4 KiB unless told otherwise.
const LONGEST: usize = 64 << 10;

/// What the claims of a user say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserClaims {
    /// Public key of the user.
    pub sub: Option<String>,
    /// Name its issuer gave it.
    pub name: Option<String>,
    /// Public key that signed: the account's, or one of its signing keys.
    pub iss: Option<String>,
    /// Seconds since 1970 at which it expires; missing or 0 is never.
    pub exp: Option<i64>,
}

impl UserClaims {
    /// Reads the claims of a JWT; none if it is no JWT, its claims cannot be read, or it was
    /// hidden by the server, as those of bearer tokens are.
    pub fn of(jwt: &str) -> Option<Self> {
        let mut parts = Some(jwt).filter(|jwt| jwt.len() <= LONGEST)?.split('.');
        let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        // A list would be read as fields in order, which claims never are.
        let claims = Some(claims).filter(|claims| claims.first() == Some(&b'{'))?;
        serde_json::from_slice(&claims).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("h.{}.[REDACTED]", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims_are_read_without_a_signature() {
        let claims = UserClaims::of(&jwt(
            r#"{"sub":"UX","name":"orders","iss":"AX","exp":1795313540,"nats":{"type":"user"}}"#,
        ));
        let claims = claims.unwrap_or_default();
        assert_eq!((claims.sub.as_deref(), claims.exp), (Some("UX"), Some(1_795_313_540)));
        assert_eq!((claims.name.as_deref(), claims.iss.as_deref()), (Some("orders"), Some("AX")));
    }

    #[test]
    fn every_field_may_be_missing_or_null() {
        assert_eq!(UserClaims::of(&jwt("{}")), Some(UserClaims::default()));
        let nulls = r#"{"sub":null,"name":null,"iss":null,"exp":null}"#;
        assert_eq!(UserClaims::of(&jwt(nulls)), Some(UserClaims::default()));
    }

    #[test]
    fn what_is_no_jwt_is_not_guessed() {
        let long = jwt(&format!(r#"{{"name":"{}"}}"#, "x".repeat(LONGEST)));
        for bad in ["", "[REDACTED]", "a.b", "a.!.c", &jwt("[]"), &jwt(r#"{"exp":"soon"}"#), &long]
        {
            assert_eq!(UserClaims::of(bad), None, "{}", &bad[..bad.len().min(40)]);
        }
    }
}
