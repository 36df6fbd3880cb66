//! The story of `cargo xtask demo`: much of what the checks know, in five epochs.

use super::Action::{End, More, Pause, Requests, Restart};
use super::{Scenario, run, seconds, step};
use crate::servers::{V2_12, V2_15};
use crate::services::Service;
use crate::system::System;

/// What counts as recent when the demo is judged, because nobody waits minutes for a demo.
pub const RECENT: std::time::Duration = seconds(5);

/// One upgrade that is not finished, one rollout that stalls, one service that ends.
pub fn demo() -> Scenario {
    let orders = |version| Service::python("orders", version).on(&["a1", "a2", "a3"]);
    let begin = vec![
        run("old", orders("1.2.0").instances(3)),
        run("billing", Service::rust("billing", "2.0.1").on(&["a2", "a1"])),
        Requests("old", 12),
        Requests("billing", 6),
    ];
    let upgrade = vec![Restart("a3", V2_15), run("new", orders("1.3.0")), End("old", 1)];
    let longer = RECENT + seconds(1);
    Scenario {
        name: "demo",
        about: "A server is upgraded and the others are not, a rollout stalls, a service ends.",
        system: System::builder().cluster("A", &["a1", "a2", "a3"], V2_12),
        through: "a1",
        accounts: vec!["APP"],
        every: None,
        steps: vec![
            step("everything runs: a1, a2, a3; orders 1.2.0 (3 instances), billing", begin),
            step("server a3 is upgraded; the rollout of orders 1.3.0 begins", upgrade),
            step(
                "two of three instances of orders are on 1.3.0",
                vec![More("new", 1), End("old", 1)],
            ),
            step("nothing moves any more: upgrade and rollout stall", vec![Pause(longer)]),
            step("the only instance of billing ends", vec![End("billing", 1)]),
        ],
    }
}
