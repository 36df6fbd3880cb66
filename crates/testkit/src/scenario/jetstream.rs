//! Stories about streams, recorded with everything that servers tell of them.

use super::Action::{Requests, Restart, Stream};
use super::{Scenario, run, step};
use crate::servers::V2_14;
use crate::services::Service;
use crate::system::System;

pub(super) fn jetstream() -> Scenario {
    let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
    Scenario {
        name: "jetstream",
        about: "Three servers with streams of one and of three replicas; one server restarts.",
        system: System::builder().cluster("A", &["a1", "a2", "a3"], V2_14).jetstream(),
        through: "a1",
        accounts: vec!["APP"],
        steps: vec![
            step("no stream yet", vec![run("orders", orders)]),
            step(
                "two streams of three replicas and one of one",
                vec![Stream("ORDERS", 3), Stream("AUDIT", 3), Stream("CACHE", 1)],
            ),
            step("requests", vec![Requests("orders", 10)]),
            step("a3 was restarted", vec![Restart("a3", V2_14)]),
        ],
        every: None,
    }
}
