//! Edits of users that log in with a JWT.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::wire::UserClaims;
use serde_json::{Value, json};

use super::{Epoch, Recording, Reply};

/// Name of the user of a connection, from its JWT.
fn user(row: &Value) -> Option<String> {
    UserClaims::of(row["jwt"].as_str()?)?.name
}

impl Recording {
    /// Account id and public key of a user, by the name its issuer gave it, as the subject of a
    /// verdict.
    ///
    /// # Panics
    /// If no connection is of such a user.
    pub fn user(&self, name: &str) -> String {
        let found = self.epochs.iter().find_map(|epoch| {
            let row = epoch
                .connections()
                .map(|(_, row)| row)
                .find(|row| user(row).as_deref() == Some(name))?;
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            Some(format!("{}/{}", text("account"), text("authorized_user")))
        });
        found.unwrap_or_else(|| panic!("no connection is of the user {name}"))
    }
}

impl Epoch {
    /// Edits every connection of a user; tells how many there are.
    fn edit_user(&mut self, name: &str, edit: impl Fn(&mut Value)) {
        let mut count = 0;
        for row in self.pages().filter_map(Reply::rows).flatten() {
            if user(row).as_deref() == Some(name) {
                edit(row);
                count += 1;
            }
        }
        assert!(count > 0, "no connection is of the user {name}");
    }

    fn edit_claims(&mut self, name: &str, edit: impl Fn(&mut Value)) {
        self.edit_user(name, |row| {
            let jwt = row["jwt"].as_str().unwrap_or_default().to_owned();
            let parts: Vec<&str> = jwt.split('.').collect();
            let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap_or_default();
            let mut claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
            edit(&mut claims);
            let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
            row["jwt"] = format!("{}.{claims}.{}", parts[0], parts[2]).into();
        });
    }

    /// The credentials of a user expire so long after this epoch; `None` is never.
    pub fn set_expiry(&mut self, name: &str, left: Option<SignedDuration>) {
        let at = left.and_then(|left| self.header.start.checked_add(left).ok());
        self.edit_claims(name, |claims| claims["exp"] = json!(at.map_or(0, Timestamp::as_second)));
    }

    /// One claim of a user is something else.
    pub fn set_claim(&mut self, name: &str, claim: &str, value: &Value) {
        self.edit_claims(name, |claims| claims[claim] = value.clone());
    }

    /// A server hides the JWT of a user, as it does with bearer tokens.
    pub fn hide_jwt(&mut self, name: &str) {
        self.edit_user(name, |row| row["jwt"] = "[REDACTED]".into());
    }

    /// The same, and the user is not told either.
    pub fn hide_user(&mut self, name: &str) {
        self.edit_user(name, |row| {
            row["jwt"] = "[REDACTED]".into();
            row["authorized_user"] = "".into();
        });
    }

    /// A user's connections carry no service.
    pub fn strip_services(&mut self, name: &str) {
        self.edit_user(name, |row| row["subscriptions_list"] = json!(["orders.call"]));
    }

    /// No connection of a user is left.
    pub fn disconnect(&mut self, name: &str) {
        for page in self.pages() {
            let Some(rows) = page.rows() else { continue };
            let before = rows.len();
            rows.retain(|row| user(row).as_deref() != Some(name));
            page.count_rows(before);
        }
    }

    /// Every server listed all of its connections, not only those of services.
    pub fn list_everybody(&mut self) {
        self.pages().for_each(|page| page.line.filter = None);
    }

    /// Accounts and users stand in the files of the servers.
    pub fn leave_operator_mode(&mut self) {
        self.forget_jwts();
        for reply in self.replies.iter_mut().filter(|r| r.line.endpoint == Endpoint::VARZ) {
            if let Some(data) = reply.body["data"].as_object_mut() {
                data.retain(|key, _| !key.starts_with("trusted_operators"));
            }
        }
    }

    /// No connection shows a JWT.
    pub fn forget_jwts(&mut self) {
        for row in self.pages().filter_map(Reply::rows).flatten() {
            row.as_object_mut().map(|row| row.remove("jwt"));
        }
    }
}
