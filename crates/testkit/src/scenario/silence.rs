//! A story that takes minutes, because servers are patient with what does not answer.

use super::Action::{Dropped, Hang, Mute, Resume, Stale, Unmute};
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
