//! Edits of lists of connections, and of what an account connection could ask.

use jiff::{SignedDuration, Timestamp};
use nats_hindsight_snapshot::Endpoint;
use nats_hindsight_snapshot::lines::{CaptureLine, PageLine, Status};
use serde_json::{Value, json};

use super::services::is_verb;
use super::{Epoch, Reply};

/// Keys under which a row lists its subscriptions.
const LISTS: &[&str] = &["subscriptions_list", "subscriptions_list_detail"];

/// Subject of one entry of a list of subscriptions.
fn subject(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("subject")?.as_str())
}

/// Whether a subscription is one of an instance.
fn is_of(entry: &Value, id: &str) -> bool {
    subject(entry).is_some_and(|s| s.starts_with("$SRV.") && s.ends_with(&format!(".{id}")))
}

fn entries(row: &Value) -> impl Iterator<Item = &Value> {
    LISTS.iter().filter_map(|key| row.get(*key)?.as_array()).flatten()
}

/// Whether a row lists an instance.
pub(super) fn lists(row: &Value, id: &str) -> bool {
    entries(row).any(|entry| is_of(entry, id))
}

fn lists_service(row: &Value, service: &str) -> bool {
    let wanted = format!("$SRV.PING.{service}");
    entries(row).any(|entry| subject(entry) == Some(&wanted))
}

impl Reply {
    /// Rows of a list of open connections.
    pub(super) fn rows(&mut self) -> Option<&mut Vec<Value>> {
        if self.line.endpoint != Endpoint::CONNZ {
            return None;
        }
        self.body.get_mut("data")?.get_mut("connections")?.as_array_mut()
    }

    fn server(&self) -> &str {
        self.body["server"]["id"].as_str().unwrap_or_default()
    }

    fn server_name(&self) -> &str {
        self.body["server"]["name"].as_str().unwrap_or_default()
    }

    /// Lets the counts of a page be those of its rows.
    pub(super) fn count_rows(&mut self, before: usize) {
        let Some(now) = self.rows().map(|rows| rows.len()) else { return };
        let data = &mut self.body["data"];
        let total = data["total"].as_u64().unwrap_or(0) + now as u64;
        data["total"] = total.saturating_sub(before as u64).into();
        data["num_connections"] = now.into();
    }
}

impl Epoch {
    pub(super) fn pages(&mut self) -> impl Iterator<Item = &mut Reply> {
        self.replies.iter_mut().filter(|reply| reply.line.endpoint == Endpoint::CONNZ)
    }

    /// Rows of open connections with the id of the server that holds them.
    pub fn connections(&self) -> impl Iterator<Item = (&str, &Value)> {
        let pages = self.replies.iter().filter(|reply| reply.line.endpoint == Endpoint::CONNZ);
        pages.flat_map(|page| {
            let rows = page.body["data"]["connections"].as_array();
            rows.into_iter().flatten().map(|row| (page.server(), row))
        })
    }

    fn edit_rows(&mut self, id: &str, edit: impl Fn(&mut Value, Option<Timestamp>)) {
        for page in self.pages() {
            let now = page.body["data"]["now"].as_str().and_then(|text| text.parse().ok());
            let rows = page.rows().into_iter().flatten();
            rows.filter(|row| lists(row, id)).for_each(|row| edit(row, now));
        }
    }

    /// No connection lists an instance: its own row goes, and what leaf connections say of it.
    pub(super) fn unlist(&mut self, id: &str) {
        for page in self.pages() {
            let Some(rows) = page.rows() else { continue };
            let before = rows.len();
            rows.retain(|row| row["kind"] != "Client" || !lists(row, id));
            for row in rows.iter_mut() {
                for key in LISTS {
                    let Some(list) = row.get_mut(*key).and_then(Value::as_array_mut) else {
                        continue;
                    };
                    list.retain(|entry| !is_of(entry, id));
                }
            }
            page.count_rows(before);
        }
    }

    /// A further connection like that of an instance, for another one.
    pub(super) fn copy_rows(&mut self, of: &str, id: &str) {
        let number = id.bytes().fold(1000_u64, |sum, byte| sum * 31 % 99_991 + u64::from(byte));
        for page in self.pages() {
            let Some(rows) = page.rows() else { continue };
            let before = rows.len();
            let like = |row: &&Value| row["kind"] == "Client" && lists(row, of);
            let copies: Vec<Value> = rows.iter().filter(like).cloned().collect();
            for copy in copies {
                let text = copy.to_string().replace(of, id);
                let mut copy: Value = serde_json::from_str(&text).unwrap_or(copy);
                copy["cid"] = (10_000 + number).into();
                rows.push(copy);
            }
            page.count_rows(before);
        }
    }

    /// The row of an instance announces another service name.
    pub(super) fn rename_row(&mut self, id: &str, from: &str, to: &str) {
        self.edit_rows(id, |row, _| {
            let text = row.to_string();
            let text = text.replace(&format!(".{from}.{id}"), &format!(".{to}.{id}"));
            let text = text.replace(&format!(".{from}\""), &format!(".{to}\""));
            *row = serde_json::from_str(&text).unwrap_or_default();
        });
    }

    /// The client of an instance is written in another language.
    pub fn set_language(&mut self, id: &str, lang: &str) {
        self.edit_rows(id, |row, _| row["lang"] = lang.into());
    }

    /// The client of an instance uses another version of its library.
    pub fn set_library(&mut self, id: &str, version: &str) {
        self.edit_rows(id, |row, _| row["version"] = version.into());
    }

    /// An instance has been connected for that long.
    pub fn set_connected_for(&mut self, id: &str, age: SignedDuration) {
        self.edit_rows(id, |row, now| {
            let start = now.and_then(|now| now.checked_sub(age).ok());
            row["start"] = start.map_or(Value::Null, |start| start.to_string().into());
        });
        self.set_started(id, age);
    }

    /// An instance started and connected that long before the epoch started.
    pub fn set_begun(&mut self, id: &str, age: SignedDuration) {
        let start = self.start().checked_sub(age).ok();
        self.edit_rows(id, |row, _| {
            row["start"] = start.map_or(Value::Null, |start| start.to_string().into());
        });
        self.set_started(id, age);
    }

    /// An instance is connected to another server.
    ///
    /// # Panics
    /// If no connection lists it: an edit of nothing proves nothing.
    pub fn move_connection(&mut self, id: &str, server: &str) {
        let row = self.connections().find(|(_, row)| lists(row, id)).map(|(_, row)| row.clone());
        let Some(row) = row else { panic!("no connection lists {id}") };
        self.unlist(id);
        let account = row["account"].clone();
        for page in self.pages().filter(|page| page.server_name() == server) {
            let of = page.line.filter.as_ref().and_then(|filter| filter.account.clone());
            if of.is_some_and(|of| account != of.as_str()) {
                continue;
            }
            let Some(rows) = page.rows() else { continue };
            let before = rows.len();
            rows.push(row.clone());
            page.count_rows(before);
        }
    }

    /// Lists of connections were taken that late in the epoch.
    pub fn list_connections_at(&mut self, at_us: u64) {
        let first = self.pages().map(|page| page.line.arrival_us).min().unwrap_or(0);
        for page in self.pages() {
            page.line.arrival_us = page.line.arrival_us - first + at_us;
        }
    }

    /// Each server was asked once for all its connections, not by account and subject.
    pub fn unfilter_connections(&mut self) {
        let account = |reply: &Reply| reply.line.filter.as_ref().and_then(|f| f.account.clone());
        self.replies.retain(|reply| {
            reply.line.endpoint != Endpoint::CONNZ || account(reply).as_deref() == Some("APP")
        });
        self.pages().for_each(|page| page.line.filter = None);
    }

    /// Nothing tells the account of the connections that list a service.
    pub fn forget_accounts(&mut self, service: &str) {
        for row in self.pages().filter_map(Reply::rows).flatten() {
            if lists_service(row, service)
                && let Some(row) = row.as_object_mut()
            {
                row.remove("account");
                row.remove("name_tag");
            }
        }
    }

    /// No connection lists a service.
    pub fn unlist_service(&mut self, service: &str) {
        for page in self.pages() {
            let Some(rows) = page.rows() else { continue };
            let before = rows.len();
            rows.retain(|row| !lists_service(row, service));
            page.count_rows(before);
        }
    }

    /// No list of open connections was taken.
    pub fn drop_connections(&mut self) {
        self.drop_endpoint(&Endpoint::CONNZ);
    }

    /// The lists of one server end with a full page, so that more may follow.
    pub fn cut_connections(&mut self, server: &str) {
        for page in self.pages().filter(|page| page.server_name() == server) {
            let rows = page.rows().map_or(0, |rows| rows.len()) as u64;
            page.line.page = Some(PageLine { offset: 0, limit: rows.max(1) });
            if rows == 0 {
                page.line.page = Some(PageLine { offset: 1, limit: 1 });
            }
        }
    }

    /// Every list comes one row to a page, ending with an empty page; totals move by `moved` from
    /// the second page on.
    pub fn page_connections(&mut self, moved: i64) {
        let mut paged = Vec::new();
        for reply in std::mem::take(&mut self.replies) {
            let mut whole = reply.clone();
            let Some(rows) = whole.rows().map(std::mem::take) else {
                paged.push(reply);
                continue;
            };
            for offset in 0..=rows.len() {
                let mut page = whole.clone();
                page.line.page = Some(PageLine { offset: offset as u64, limit: 1 });
                page.line.arrival_us += offset as u64;
                let data = &mut page.body["data"];
                data["connections"] = json!(rows.get(offset..=offset).unwrap_or_default());
                if offset > 0 {
                    data["total"] = (data["total"].as_i64().unwrap_or(0) + moved).into();
                }
                paged.push(page);
            }
        }
        self.replies = paged;
    }

    /// The connections of a service are those of a leaf node's side: one row of kind `Leafnode`
    /// lists them, and the leaf server itself answers nothing.
    pub fn put_behind_leaf(&mut self, service: &str, leaf: &str) {
        self.turn_into_leaf(leaf, |row| lists_service(row, service));
    }

    /// The connection of one instance is that of a leaf node's side.
    pub fn put_instance_behind_leaf(&mut self, id: &str, leaf: &str) {
        self.turn_into_leaf(leaf, |row| lists(row, id));
    }

    fn turn_into_leaf(&mut self, leaf: &str, wanted: impl Fn(&Value) -> bool) {
        let mut account = Value::Null;
        for page in self.pages() {
            let version = page.body["server"]["ver"].clone();
            let rows = page.rows().into_iter().flatten();
            for row in rows.filter(|row| wanted(row)) {
                account = row["account"].clone();
                row["kind"] = "Leafnode".into();
                row["name"] = leaf.into();
                row["version"] = version.clone();
                row.as_object_mut().and_then(|row| row.remove("lang"));
            }
        }
        for reply in self.replies.iter_mut().filter(|r| r.line.endpoint == Endpoint::LEAFZ) {
            reply.body["data"]["leafs"] = json!([{ "name": leaf, "account": account }]);
        }
    }

    /// No leaf connection stands.
    pub fn drop_leafs(&mut self) {
        for reply in &mut self.replies {
            if reply.line.endpoint == Endpoint::LEAFZ {
                reply.body["data"]["leafs"] = json!([]);
            } else if let Some(rows) = reply.rows() {
                rows.retain(|row| row["kind"] != "Leafnode");
            }
        }
    }

    /// The connection to an account failed: nothing was asked in it.
    pub fn lose_account(&mut self, account: &str) {
        self.retain(
            |reply| reply.line.account.as_deref() != Some(account),
            |capture| capture.account.as_deref() != Some(account),
        );
        for connection in &mut self.header.connections {
            if connection.account.as_deref() == Some(account) {
                connection.account = None;
                connection.account_name = None;
                "authorization violation".clone_into(&mut connection.state);
            }
        }
    }

    /// The connection to an account failed after it had stood: what was to be asked was skipped.
    pub fn lose_account_meanwhile(&mut self, account: &str) {
        self.replies.retain(|reply| reply.line.account.as_deref() != Some(account));
        let of_account = |c: &&mut CaptureLine| c.account.as_deref() == Some(account);
        for capture in self.captures.iter_mut().filter(of_account) {
            capture.status = Status::Skipped;
            capture.attempts.clear();
        }
        for connection in &mut self.header.connections {
            if connection.account.as_deref() == Some(account) {
                "the connection was lost".clone_into(&mut connection.state);
            }
        }
    }

    /// What a bundle of a stranger holds: servers and connections, no word of a service.
    pub fn without_verbs(&mut self) {
        self.retain(|r| r.line.account.is_none(), |c| c.account.is_none());
        self.retain(|r| !is_verb(&r.line.endpoint), |c| !is_verb(&c.endpoint));
        self.header.asked.endpoints.retain(|endpoint| !is_verb(endpoint));
        self.header.connections.retain(|connection| connection.kind != "account");
    }

    /// Only an account connection was there: nothing that needs the system account was asked.
    pub fn without_system(&mut self) {
        self.retain(|r| r.line.account.is_some(), |c| c.account.is_some());
        self.header.connections.retain(|connection| connection.kind == "account");
    }

    /// An account has an id that is not its name, as in operator mode. Where no name is given,
    /// nothing in this epoch tells it.
    pub fn set_account_id(&mut self, account: &str, id: &str, name: Option<&str>) {
        self.replace(&format!("\"{account}\""), &format!("\"{id}\""));
        for connection in &mut self.header.connections {
            if connection.account.as_deref() == Some(id) {
                connection.account_name = name.map(str::to_owned);
            }
        }
        for reply in &mut self.replies {
            for row in reply.rows().into_iter().flatten() {
                if row["account"] == id {
                    row["name_tag"] = name.map_or(Value::Null, Into::into);
                }
            }
        }
    }
}
