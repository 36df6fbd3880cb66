//! Recorded connections, as templates for many of the same kind.

use nats_hindsight_testkit::Template;
use serde_json::Value;

use super::chance::Dice;

/// What differs from connection to connection.
#[derive(Clone, Copy, Debug)]
enum Hole {
    Cid,
    Port,
    /// Id of a service instance, or the unique part of an inbox.
    Id,
    /// The account, in quotes.
    Account,
    /// The part of a time behind the full second.
    Fraction,
    /// A count, by its name.
    Count(&'static str),
}

/// Counts in a row.
const COUNTS: [&str; 4] = ["in_msgs", "out_msgs", "in_bytes", "out_bytes"];

/// Cids of copies begin here.
const FIRST: usize = 1000;

/// A recorded connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// The server on which it was recorded.
    pub(super) server: String,
    /// Its cid there.
    pub(super) cid: u64,
    /// Whether it is an instance of a service.
    pub(super) is_service: bool,
    /// As the list with subscriptions has it.
    full: Template<Hole>,
    /// As the list of its account has it.
    brief: Template<Hole>,
    /// Its subscriptions, as they are listed by themselves.
    subscriptions: Vec<Template<Hole>>,
}

/// A copy of a connection, on a server of the archive.
#[derive(Clone, Debug)]
pub(super) struct Copied<'a> {
    pub(super) client: &'a Client,
    pub(super) account: usize,
    /// Position of its server.
    pub(super) server: usize,
    /// Position among the connections of the server.
    pub(super) number: usize,
}

/// The cid of a row, or of a subscription.
pub(super) fn cid(row: &str) -> Option<u64> {
    serde_json::from_str::<Value>(row).ok()?["cid"].as_u64()
}

impl Client {
    /// From a connection's row in the list of its server and in that of its account, and the rows
    /// of its subscriptions.
    pub(super) fn new(
        server: &str,
        full: &str,
        brief: &str,
        subscriptions: &[&String],
    ) -> Option<Self> {
        let row: Value = serde_json::from_str(full).ok()?;
        let number = |key: &str| row[key].as_u64();
        let subjects = || {
            let listed = row["subscriptions_list_detail"].as_array().into_iter().flatten();
            listed.filter_map(|of| of["subject"].as_str())
        };
        let instance = subjects().find_map(|subject| {
            subject.strip_prefix("$SRV.PING.").and_then(|rest| rest.split_once('.')).map(|is| is.1)
        });
        let inbox = || subjects().find_map(|subject| subject.split('.').nth(1));
        let cid = number("cid")?;
        let mut words = vec![
            (format!("\"cid\": {cid}"), Hole::Cid),
            (format!("\"port\": {}", number("port")?), Hole::Port),
            (instance.or_else(inbox)?.to_owned(), Hole::Id),
            ("\"APP\"".to_owned(), Hole::Account),
            ("\"SYS\"".to_owned(), Hole::Account),
        ];
        for key in COUNTS {
            words.push((format!("\"{key}\": {},", number(key)?), Hole::Count(key)));
        }
        for key in ["start", "last_activity"] {
            let fraction = row[key].as_str()?.rsplit_once('.')?.1;
            words.push((fraction.to_owned(), Hole::Fraction));
        }
        let template = |text: &str| Template::new(text, &words);
        Some(Self {
            server: server.to_owned(),
            cid,
            is_service: instance.is_some(),
            full: template(full),
            brief: template(brief),
            subscriptions: subscriptions.iter().map(|row| template(row)).collect(),
        })
    }
}

impl Copied<'_> {
    pub(super) fn full(&self) -> String {
        self.fill(&self.client.full)
    }

    pub(super) fn brief(&self) -> String {
        self.fill(&self.client.brief)
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = String> {
        self.client.subscriptions.iter().map(|row| self.fill(row))
    }

    fn fill(&self, template: &Template<Hole>) -> String {
        let mut dice = Dice::of(self.server, self.number);
        let id = dice.id();
        let port = 32_768 + dice.roll() % 28_000;
        // What differs from line to line of a connection is the same in every list of it.
        template.fill(|hole, text| {
            let word = match hole {
                Hole::Cid => format!("\"cid\": {}", FIRST + self.number),
                Hole::Port => format!("\"port\": {port}"),
                Hole::Id => id.clone(),
                Hole::Account => format!("\"ACC{}\"", self.account),
                Hole::Fraction => format!("{:09}Z", dice.roll() % 1_000_000_000),
                Hole::Count(key) => format!("\"{key}\": {},", dice.roll() % 100_000),
            };
            text.push_str(&word);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, Copied, cid};

    #[test]
    fn copies_have_a_cid_and_an_id_of_their_own() {
        let full = r#"{"cid": 38,"port": 4,"start": "09:44:04.12Z","last_activity": "09:44:04.34Z","in_msgs": 1,"out_msgs": 1,"in_bytes": 1,"out_bytes": 1,"subscriptions_list_detail": [{"subject": "$SRV.PING.billing.X1","cid": 38}]}"#;
        let client = Client::new("a1", full, full, &[]).unwrap();
        let copy = |number| Copied { client: &client, account: 7, server: 1, number }.full();
        assert!(client.is_service);
        assert_eq!((cid(&copy(0)), cid(&copy(1))), (Some(1000), Some(1001)));
        assert!(!copy(0).contains("X1") && copy(0).contains("$SRV.PING.billing."));
        assert_eq!(copy(5), copy(5));
    }
}
