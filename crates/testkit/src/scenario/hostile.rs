//! A story in which everybody chooses names that are to deceive whoever reads about them.

use serde_json::json;

use super::Action::{Age, Assets, Kill, Leave, Pause, Reload, Restart, Strangers};
use super::{Scenario, seconds, step};
use crate::plan::{Account, User};
use crate::servers::{V2_12, V2_15};
use crate::strangers::Stranger;
use crate::system::System;

/// Names of this story, for those who look for them in what is printed: of the cluster, the servers,
/// the account, the services, and everything that may hold any text.
///
/// They hold what terminals obey (ESC, C1 controls, BEL, NUL, line breaks), what turns or hides text
/// (bidi controls, characters of no width), and what other readers obey (HTML, Markdown, formulas of
/// spreadsheets, commands of build systems). Some are wide, combined, or very long.
pub const HOSTILE: [&str; 8] = [CLUSTER, FIRST, SECOND, LONG, ACCOUNT, SERVICE, UNSPEAKABLE, TEXT];

const CLUSTER: &str = "\u{1b}[31mC\u{202e}<b>|`注文`\u{9b}2J";
const FIRST: &str = "=cmd|'calc'!A1\u{1b}]0;owned\u{7}";
const SECOND: &str = "\u{202e}gnp\u{200b}.exe\u{2066}注文e\u{301}\r\n::error::x";
const LONG: &str = "@SUM(1+1)<img/src=x>[x](http://evil.example)\0注文注文注文注文注文注文注文注文注文注文\
                    注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文注文\u{1b}[2J\u{85}end";
const ACCOUNT: &str = "-A\u{1b}[8mP\u{2028}P\u{feff}注文*_`";
/// Can stand in a subject, and so can be asked for by name.
const SERVICE: &str = "+<img/src=x;注文\u{202e}e\u{301}|`x`\u{200b}\u{2069}@s";
/// Cannot.
const UNSPEAKABLE: &str = "\u{1b}[2J\n# no\theading\0\u{9d}0;owned\u{9c} <script>alert(1)</script>";
const TEXT: &str = "\u{1b}]8;;http://evil.example\u{7}click\u{1b}]8;;\u{7}\r\n\u{0}\u{8}\u{7f}\u{9b}31m\
                    \u{202e}\u{2066}\u{200b}\u{ad}=HYPERLINK(\"http://evil.example\")\n::error::x\n| a | **b** | <b>";

/// Longer than the scaled thresholds that tests use for *recent*.
const LATER: std::time::Duration = seconds(4);

fn instance(server: &str, service: &str, id: &str, version: &str, text: &str) -> Stranger {
    Stranger::new(ACCOUNT, server, TEXT)
        .library(&format!("\u{1b}[31m{version}注"), "<b>1\u{202e}\n")
        .serves(service, id, version, text)
}

fn assets() -> super::Action {
    let stream = json!({
        "name": "\u{1b}[7m=1+1|@x\u{202e}gnp\u{7}", "subjects": ["hostile"], "num_replicas": 1,
        "description": TEXT, "metadata": { TEXT: TEXT },
    });
    let consumer = json!({
        "durable_name": "\u{9b}2J-1+1\u{2066}", "ack_policy": "explicit",
        "description": TEXT, "metadata": { TEXT: TEXT },
    });
    Assets(Box::new((stream, consumer)))
}

pub(super) fn hostile_names() -> Scenario {
    let user = User::new("hostile", "hostile");
    let system = System::builder()
        .cluster(CLUSTER, &[FIRST, SECOND, LONG], V2_12)
        .account(Account::with(ACCOUNT, user))
        .jetstream();
    let begin = Strangers(
        "old",
        vec![
            instance(FIRST, SERVICE, "one\u{1b}[2J", "1.0.0", TEXT),
            instance(SECOND, SERVICE, "two\u{202e}", "1.0.0", TEXT),
            instance(FIRST, UNSPEAKABLE, "three", "1.0.0", TEXT),
        ],
    );
    let new = || {
        vec![
            instance(FIRST, SERVICE, "four|<b>", "2.0.0", "other\u{1b}[2J"),
            instance(SECOND, SERVICE, "six", "1.0.0", "other\u{1b}[2J"),
            instance(SECOND, UNSPEAKABLE, "five\n", "2.0.0\u{1b}[2J", TEXT),
        ]
    };
    let reload = Reload(SECOND, "max_payload: 8MB");
    let rollout = vec![Restart(LONG, V2_15), Strangers("new", new()), reload, Age(LONG, LATER)];
    let down = vec![Kill(LONG), Leave("old"), Leave("new")];
    Scenario {
        name: "hostile-names",
        about: "Servers, clients, services and streams have names that are to deceive; a server \
                is upgraded alone and killed later, a service is rolled out halfway and goes down.",
        system,
        through: FIRST,
        accounts: vec!["APP", ACCOUNT],
        steps: vec![
            step("everything runs", vec![begin, assets(), Age(FIRST, LATER)]),
            step("one server and half of the instances are new", rollout),
            step("the same", vec![Pause(LATER)]),
            step("the new server was killed, all services are gone", down),
            step("the same", vec![Pause(LATER)]),
        ],
        every: None,
    }
}
