//! Stories about the servers of one cluster.

use super::Action::{
    Age, Dropped, Hang, Join, Kill, Pause, Reload, Requests, Restart, Resume, Start, Stop,
};
use super::{Scenario, Step, run, seconds, step};
use crate::plan::SystemBuilder;
use crate::servers::{V2_10, V2_12, V2_14, V2_15};
use crate::services::Service;
use crate::system::System;

/// Older than every scaled threshold that tests use for *recent*.
const OLD: std::time::Duration = seconds(6);
/// Longer than such a threshold, so that what happened before is no longer recent one epoch later.
const LATER: std::time::Duration = seconds(4);

fn scenario(
    name: &'static str,
    about: &'static str,
    system: SystemBuilder,
    steps: Vec<Step>,
) -> Scenario {
    Scenario { name, about, system, through: "a1", accounts: vec!["APP"], steps, every: None }
}

fn three(version: &str) -> SystemBuilder {
    System::builder().cluster("A", &["a1", "a2", "a3"], version)
}

fn orders() -> Service {
    Service::python("orders", "1.2.0").on(&["a1", "a2", "a3"]).instances(2)
}

pub(super) fn healthy() -> Scenario {
    let orders = orders().instances(3).metadata("team", "shop").description("Takes orders");
    let billing = Service::rust("billing", "2.0.1").on(&["a2", "a3"]).instances(2);
    let begin = vec![
        run("orders", orders),
        run("billing", billing),
        Requests("orders", 12),
        Requests("billing", 6),
    ];
    scenario(
        "healthy",
        "Three servers of one version and two services of one version each, at work.",
        three(V2_15),
        vec![
            step("everything runs", begin),
            step("more requests", vec![Requests("orders", 20)]),
            step("more requests", vec![Requests("billing", 20)]),
            step("more requests", vec![Requests("orders", 5), Requests("billing", 5)]),
        ],
    )
}

pub(super) fn rolling_upgrade() -> Scenario {
    scenario(
        "rolling-upgrade",
        "One server after the other goes from 2.12 to 2.14, until all are there.",
        three(V2_12),
        vec![
            step("all on 2.12", vec![run("orders", orders())]),
            step("a3 upgraded", vec![Restart("a3", V2_14)]),
            step("a2 upgraded", vec![Restart("a2", V2_14)]),
            step("a1 upgraded: done", vec![Restart("a1", V2_14)]),
            step("all on 2.14", vec![]),
        ],
    )
}

pub(super) fn forgotten_server() -> Scenario {
    let upgrade = vec![
        run("orders", orders().on(&["a1", "a2"])),
        Age("a5", OLD),
        Restart("a1", V2_14),
        Restart("a2", V2_14),
        Restart("a3", V2_14),
        Restart("a4", V2_14),
        Age("a4", OLD),
    ];
    scenario(
        "forgotten-server",
        "Four of five servers were upgraded before the recording began; a5 was forgotten on 2.10.",
        System::builder().cluster("A", &["a1", "a2", "a3", "a4", "a5"], V2_10),
        vec![
            step("a5 is on 2.10, the others on 2.14", upgrade),
            step("the same", vec![Pause(seconds(2))]),
            step("the same", vec![Pause(seconds(2))]),
        ],
    )
}

pub(super) fn tie() -> Scenario {
    let old = System::builder().cluster("A", &["a1", "a2"], V2_12);
    scenario(
        "tie",
        "Two servers on 2.12 and two on 2.15: no side is the odd one.",
        old.cluster("A", &["a3", "a4"], V2_15),
        vec![
            step("two and two", vec![Age("a4", OLD)]),
            step("the same", vec![Pause(seconds(2))]),
            step("the same", vec![Pause(seconds(2))]),
        ],
    )
}

pub(super) fn staging_joined() -> Scenario {
    scenario(
        "staging-joined",
        "A server on 2.10 that ran apart joins a clean cluster by a reload of its routes, and is stopped later.",
        three(V2_14).apart("A", "staging1", V2_10),
        vec![
            step("three on 2.14", vec![run("orders", orders()), Age("staging1", OLD)]),
            step("the same", vec![]),
            step("staging1 on 2.10 has joined", vec![Join("staging1")]),
            step("it is still there", vec![Pause(LATER)]),
            step("it was stopped", vec![Stop("staging1")]),
        ],
    )
}

pub(super) fn rollback() -> Scenario {
    scenario(
        "rollback",
        "All servers go from 2.12 to 2.15, then a2 goes back to 2.12 and stays there.",
        three(V2_12),
        vec![
            step("all on 2.12", vec![]),
            step("a3 upgraded", vec![Restart("a3", V2_15)]),
            step("all upgraded", vec![Restart("a2", V2_15), Restart("a1", V2_15)]),
            step("a2 rolled back", vec![Restart("a2", V2_12)]),
            step("it stays", vec![Pause(LATER)]),
            step("it stays", vec![Pause(LATER)]),
        ],
    )
}

pub(super) fn restart_same_version() -> Scenario {
    let named = System::builder().cluster("A", &["a1", "a2"], V2_14);
    scenario(
        "restart-same-version",
        "A named and an unnamed server are restarted with the version they had.",
        named.cluster("A", &["unnamed"], V2_14).unnamed(),
        vec![
            step("three servers, one without a name", vec![run("orders", orders().on(&["a1"]))]),
            step("a2 restarted", vec![Restart("a2", V2_14)]),
            step("the unnamed one restarted", vec![Restart("unnamed", V2_14)]),
            step("quiet again", vec![]),
        ],
    )
}

pub(super) fn server_lost() -> Scenario {
    let pinned = || Service::rust("billing", "2.0.1").on(&["a3"]).without_reconnect();
    let begin = vec![
        run("orders", orders().on(&["a3", "a2", "a1"]).instances(1)),
        run("billing", pinned()),
        run("mailer", Service::python("mailer", "0.9.0").on(&["a1"])),
    ];
    scenario(
        "server-lost",
        "a3 is killed with a service that does not reconnect, stays away, and comes back with a new id.",
        three(V2_12),
        vec![
            step("everything runs; orders and billing are on a3", begin),
            step("a3 killed: orders has moved, billing is gone with it", vec![Kill("a3")]),
            step("a3 stays away", vec![Pause(seconds(2))]),
            step("a3 is back", vec![Start("a3")]),
            step("billing is back too", vec![run("billing again", pinned())]),
        ],
    )
}

pub(super) fn hung_server() -> Scenario {
    let begin = vec![
        run("orders", orders().on(&["a1", "a2"])),
        run("billing", Service::python("billing", "2.0.1").on(&["a3"]).without_reconnect()),
    ];
    scenario(
        "hung-server",
        "a3 hangs with the only instance of billing, is dropped by its peers after about 90 s, and goes on.",
        three(V2_15),
        vec![
            step("everything runs; billing is on a3", begin),
            step("a3 hangs, its peers still have routes to it", vec![Hang("a3")]),
            step("the same 30 s later", vec![Pause(seconds(30))]),
            step("its peers have dropped it", vec![Dropped("a3")]),
            step("a3 goes on", vec![Resume("a3")]),
            step("quiet again", vec![]),
        ],
    )
}

pub(super) fn settings_skew() -> Scenario {
    let odd = three(V2_14).settings("max_payload: 8MB\nping_interval: \"20s\"");
    let deadline = "write_deadline: \"5s\"";
    scenario(
        "settings-skew",
        "a3 runs with settings of its own until it reloads the common ones; then a new write_deadline \
         is rolled out by reloads, one server at a time.",
        odd,
        vec![
            step("a3 has another max_payload and ping_interval", vec![Age("a3", OLD)]),
            step("the same", vec![Pause(LATER)]),
            step("a3 reloaded with the common settings", vec![Reload("a3", "")]),
            step("a1 reloaded with another write_deadline", vec![Reload("a1", deadline)]),
            step("a2 too", vec![Reload("a2", deadline)]),
            step("a3 too: done", vec![Reload("a3", deadline)]),
        ],
    )
}
