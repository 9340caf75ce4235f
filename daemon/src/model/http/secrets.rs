//! What of an endpoint nobody may see, taken out of the words that a server or a library says. Pure.
//!
//! Every error of a model passes here on its way out, whoever said it and however: a server may repeat what it was sent.

use crate::config::Endpoint;
use crate::model::ModelError;
use reqwest::Url;

const STARS: &str = "***";

/// Parts of names of an address's parameters whose values are keys.
const NAMES: &[&str] = &["auth", "key", "pass", "secret", "sig", "token"];

/// The secrets of an endpoint, in every form in which they are sent, the longest first.
pub(super) struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(STARS)
    }
}

impl Secrets {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let mut secrets = Vec::new();
        if let Some(key) = &endpoint.key {
            secrets.push(key.expose().trim().to_owned());
        }
        if let Ok(url) = Url::parse(&endpoint.base_url) {
            let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
            if !(user.is_empty() && password.is_empty()) {
                // As it is sent, for it is as good as the password.
                secrets.push(base64(format!("{user}:{password}").as_bytes()));
            }
            // A user without a password is a token.
            secrets.push(if password.is_empty() { user } else { password });
            secrets.extend(url.password().map(str::to_owned));
            secrets.extend(parameters(&url));
        }
        // What stands in JSON is escaped there; what stands in an address, otherwise.
        let forms = |secret: String| {
            let json = serde_json::to_string(&secret).unwrap_or_default();
            let json = json.trim_matches('"').to_owned();
            let percent = encoded(&secret);
            [secret, json, percent]
        };
        let mut secrets: Vec<String> = secrets.into_iter().filter(|secret| is_secret(secret)).flat_map(forms).collect();
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self(secrets)
    }

    /// Stars for every secret in a text.
    pub(super) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, STARS))
    }

    /// An error in whose words no secret is left.
    pub(super) fn redact_error(&self, error: ModelError) -> ModelError {
        let clean = |text: String| self.redact(&text);
        match error {
            ModelError::Unreachable { url, why } => ModelError::Unreachable { url: clean(url), why: clean(why) },
            ModelError::Misconfigured { url, why } => ModelError::Misconfigured { url: clean(url), why: clean(why) },
            ModelError::Status { url, status, message, retry_after } => {
                ModelError::Status { url: clean(url), status, message: clean(message), retry_after }
            }
            ModelError::Broken { url, why } => ModelError::Broken { url: clean(url), why: clean(why) },
            ModelError::Reported { url, message, retryable } => {
                ModelError::Reported { url: clean(url), message: clean(message), retryable }
            }
            ModelError::Silent { url, after } => ModelError::Silent { url: clean(url), after },
            ModelError::TooLarge { url, what, max } => ModelError::TooLarge { url: clean(url), what, max },
            ModelError::ContextFull { url, message } => {
                ModelError::ContextFull { url: clean(url), message: clean(message) }
            }
        }
    }
}

/// Whether a text is worth keeping. Local servers demand a key and take any; words such as `ollama` and `none` serve, and starring
/// them would spoil what errors say.
fn is_secret(text: &str) -> bool {
    text.len() >= 8 || (text.len() >= 4 && text.bytes().any(|byte| byte.is_ascii_digit()))
}

/// The values of an address's parameters that are keys by their names, as written and as meant.
fn parameters(url: &Url) -> Vec<String> {
    let is_key = |name: &str| NAMES.iter().any(|part| name.to_ascii_lowercase().contains(part));
    let meant = url.query_pairs().filter(|(name, _)| is_key(name)).map(|(_, value)| value.into_owned());
    let written = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    meant.chain(written.filter(|(name, _)| is_key(name)).map(|(_, value)| value.to_owned())).collect()
}

/// Percent-encoding undone (RFC 3986, 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encoded, but for the unreserved characters (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let character = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(character).collect()
}

/// Base64 with padding (RFC 4648, 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or_default();
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
