//! Stories that take minutes, because servers are patient with what does not answer.

use super::Action::{Dropped, Hang, Mute, Resume, Stale, Unlinked, Unmute};
use super::{Scenario, run, step};
use crate::servers::{V2_10, V2_15};
use crate::services::Service;
use crate::system::System;

/// Peers drop a hung server after about 90 s; servers drop a mute client after up to six minutes.
pub(super) fn hung_for_long() -> Scenario {
    let begin = vec![
        run("orders", Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2)),
        run("billing", Service::python("billing", "2.0.1").on(&["a4"]).without_reconnect()),
        run("mailer", Service::python("mailer", "0.9.0").on(&["a3"]).instances(2)),
    ];
    let fall_silent = vec![Hang("a4"), Hang("a5"), Mute("mailer")];
    Scenario {
        name: "hung-for-long",
        about: "The two servers of five that are on 2.10 hang until they are dropped, one of them with \
                the only instance of billing; mailer stays mute until its server closes its connections.",
        system: System::builder().cluster("A", &["a1", "a2", "a3"], V2_15).cluster(
            "A",
            &["a4", "a5"],
            V2_10,
        ),
        through: "a1",
        accounts: vec!["APP"],
        steps: vec![
            step("three on 2.15, two on 2.10; billing is on a4", begin),
            step("a4 and a5 hang; mailer is connected and mute", fall_silent),
            step("their peers have dropped a4 and a5", vec![Dropped("a4"), Dropped("a5")]),
            step("a4 and a5 go on", vec![Resume("a4"), Resume("a5")]),
            step("the connections of mailer were closed as stale", vec![Stale("mailer")]),
            step("mailer goes on", vec![Unmute("mailer")]),
            step("quiet again", vec![]),
        ],
        every: None,
    }
}

/// Gateways are dropped after about 45 s, leaf connections after minutes.
pub(super) fn hung_afar() -> Scenario {
    let begin = vec![
        run("orders", Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2)),
        run("billing", Service::python("billing", "2.0.1").on(&["b1"])),
        run("scan", Service::python("scan", "0.4.0").on(&["leaf-west"])),
    ];
    let system = System::builder().cluster("A", &["a1", "a2"], V2_15).cluster("B", &["b1"], V2_10);
    Scenario {
        name: "hung-afar",
        about: "The only server of cluster B hangs with billing until its gateways are dropped; a leaf \
                server hangs with scan until its hub drops it.",
        system: system.leaf("leaf-west", V2_15, "A", &["APP"]),
        through: "a1",
        accounts: vec!["APP"],
        steps: vec![
            step("everything runs; billing is on b1, scan behind leaf-west", begin),
            step("b1 and leaf-west hang", vec![Hang("b1"), Hang("leaf-west")]),
            step("the gateways to b1 are dropped", vec![Unlinked("b1")]),
            step("b1 goes on", vec![Resume("b1")]),
            step("the hub has dropped leaf-west", vec![Unlinked("leaf-west")]),
            step("leaf-west goes on", vec![Resume("leaf-west")]),
            step("quiet again", vec![]),
        ],
        every: None,
    }
}
