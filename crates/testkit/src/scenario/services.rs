//! Stories about services on a cluster that is well.

use super::Action::{End, Failures, More, Mute, Pause, Requests, Send, Sniff, Unmute};
use super::{Action, Scenario, Step, run, seconds, step};
use crate::servers::{V2_12, V2_14, V2_15};
use crate::services::Service;
use crate::system::System;

/// Longer than the scaled threshold that tests use for *recent*.
const LATER: std::time::Duration = seconds(4);

fn scenario(name: &'static str, about: &'static str, version: &str, steps: Vec<Step>) -> Scenario {
    let system = System::builder().cluster("A", &["a1", "a2", "a3"], version);
    Scenario { name, about, system, through: "a1", accounts: vec!["APP"], steps, every: None }
}

fn orders(version: &str) -> Service {
    Service::python("orders", version).on(&["a1", "a2", "a3"])
}

fn billing(version: &str) -> Service {
    Service::rust("billing", version).on(&["a2", "a3", "a1"])
}

pub(super) fn service_down() -> Scenario {
    let begin = vec![
        run("orders", orders("1.2.0").instances(3)),
        run("billing", billing("2.0.1").instances(3)),
        Requests("orders", 9),
        Requests("billing", 6),
        Failures("orders", 3),
    ];
    let mailer = Service::python("mailer", "0.9.0").on(&["a2"]);
    scenario(
        "service-down",
        "orders goes from three instances to none and comes back; billing goes down to one; mailer is new.",
        V2_12,
        vec![
            step("three instances each", begin),
            step("no orders, one billing", vec![End("orders", 3), End("billing", 2)]),
            step("still no orders; mailer is new", vec![run("mailer", mailer), Pause(seconds(2))]),
            step("three orders again", vec![More("orders", 3)]),
            step("quiet again", vec![Requests("orders", 3)]),
        ],
    )
}

pub(super) fn service_silent() -> Scenario {
    let begin = vec![
        run("orders", orders("1.2.0").instances(2)),
        run("billing", billing("2.0.1").instances(2)),
    ];
    scenario(
        "service-silent",
        "All instances of orders stop answering but stay connected, and answer again later.",
        V2_15,
        vec![
            step("everything answers", begin),
            step("orders is connected and silent", vec![Mute("orders")]),
            step("the same", vec![Pause(seconds(2))]),
            step("orders answers again", vec![Unmute("orders")]),
        ],
    )
}

pub(super) fn service_rollout() -> Scenario {
    scenario(
        "service-rollout",
        "orders goes from 1.2.0 to 1.3.0, new instances before old ones, with a pause of one epoch.",
        V2_14,
        vec![
            step("three on 1.2.0", vec![run("old", orders("1.2.0").instances(3))]),
            step("one on 1.3.0 added", vec![run("new", orders("1.3.0"))]),
            step("one old one ended", vec![End("old", 1)]),
            step("a pause", vec![Requests("new", 6)]),
            step("three new ones, one old one", vec![More("new", 2), End("old", 1)]),
            step("the last old one ended", vec![End("old", 1)]),
        ],
    )
}

/// Requests by which the versions of `orders` and `billing` differ: `orders` 1.3.0 fails on one
/// that 1.2.0 serves, `billing` 2.1.0 serves one that 2.0.1 fails on.
fn load() -> Vec<Action> {
    vec![
        Requests("orders", 90),
        Send("orders", "refund", 30),
        Requests("billing", 40),
        Send("billing", "credit", 20),
    ]
}

pub(super) fn rollout_under_load() -> Scenario {
    let before = vec![
        run("orders", orders("1.2.0").instances(3)),
        run("billing", billing("2.0.1").fails_on("credit").instances(2)),
    ];
    let swap = vec![
        run("orders 1.3.0", orders("1.3.0").fails_on("refund")),
        run("billing 2.1.0", billing("2.1.0")),
    ];
    let go_on = vec![More("orders 1.3.0", 2), End("orders", 2)];
    let finish = vec![Requests("orders", 60), End("orders", 1)];
    scenario(
        "rollout-under-load",
        "A client sends requests while orders is rolled out to the end and billing halfway; of \
         each service one version answers some of them with errors.",
        V2_14,
        vec![
            step("one version each, at work", then(before, load())),
            step("one new instance each, at work", then(swap, load())),
            step("the same, at work", load()),
            step("two of orders replaced after more work", then(load(), go_on)),
            step("the last one of orders ended after more work", finish),
            step("at work on what is left", vec![Requests("orders 1.3.0", 30)]),
        ],
    )
}

fn then(mut first: Vec<Action>, mut second: Vec<Action>) -> Vec<Action> {
    first.append(&mut second);
    first
}

pub(super) fn stalled_rollout() -> Scenario {
    scenario(
        "stalled-rollout",
        "The rollout of orders 1.3.0 stops when three of four instances have it.",
        V2_12,
        vec![
            step("four on 1.2.0", vec![run("old", orders("1.2.0").instances(4))]),
            step("one replaced", vec![run("new", orders("1.3.0")), End("old", 1)]),
            step("three replaced", vec![More("new", 2), End("old", 2)]),
            step("nothing moves", vec![Pause(LATER)]),
            step("nothing moves", vec![Pause(LATER), Requests("new", 12)]),
        ],
    )
}

pub(super) fn canary() -> Scenario {
    let swap = vec![End("old", 1), run("new", orders("1.3.0").endpoint("refund", "orders.refund"))];
    scenario(
        "canary",
        "One of four instances of orders runs 1.3.0, which announces one endpoint more, and stays.",
        V2_15,
        vec![
            step("four on 1.2.0", vec![run("old", orders("1.2.0").instances(4))]),
            step("one replaced by 1.3.0", swap),
            step("it stays", vec![Pause(LATER), Requests("old", 40)]),
            step("it stays", vec![Pause(LATER), Requests("old", 40)]),
        ],
    )
}

pub(super) fn language_mix() -> Scenario {
    let rust = Service::rust("orders", "1.2.0").on(&["a3"]);
    scenario(
        "language-mix",
        "orders runs at one version in Python and in Rust; in the end the one in Rust is gone.",
        V2_14,
        vec![
            step("two in Python", vec![run("python", orders("1.2.0").instances(2))]),
            step("one in Rust added", vec![run("rust", rust)]),
            step("the same", vec![Pause(LATER), Requests("python", 9)]),
            step("only Python again", vec![End("rust", 1)]),
        ],
    )
}

pub(super) fn contract_drift() -> Scenario {
    let blue = orders("1.2.0").queue_group("blue");
    let refunds = billing("2.0.1").endpoint("refund", "billing.refund");
    let begin = vec![
        run("orders", orders("1.2.0").instances(2)),
        run("billing", billing("2.0.1").instances(2)),
    ];
    let drift = vec![End("orders", 1), run("blue", blue), run("refunds", refunds)];
    let cure = vec![End("blue", 1), More("orders", 1), End("refunds", 1)];
    scenario(
        "contract-drift",
        "At one version an instance of orders joins another queue group and one of billing has an endpoint more; both are replaced, then orders is left with one.",
        V2_15,
        vec![
            step("two alike each", begin),
            step("another queue group, an endpoint more", drift),
            step("the same", vec![Pause(LATER), Requests("orders", 9)]),
            step("alike again", cure),
            step("one of orders", vec![End("orders", 1)]),
            step("two of orders", vec![More("orders", 1)]),
        ],
    )
}

pub(super) fn sniffer() -> Scenario {
    let begin = vec![Sniff("$SRV.>"), run("orders", orders("1.2.0").instances(2))];
    scenario(
        "sniffer",
        "Somebody subscribes to $SRV.>, so that nobody says that orders has no responders.",
        V2_12,
        vec![
            step("two orders and a listener", begin),
            step("no orders", vec![End("orders", 2)]),
            step("still no orders", vec![Pause(seconds(2))]),
            step("two orders again", vec![More("orders", 2)]),
        ],
    )
}
