//! Stories about users that log in with a JWT.

use std::time::Duration;

use super::Action::{End, More, Pause, Requests};
use super::{Scenario, run, seconds, step};
use crate::operator::Validity;
use crate::servers::V2_15;
use crate::services::Service;
use crate::system::System;

const fn hours(count: u64) -> Validity {
    Validity::For(Duration::from_hours(count))
}

pub(super) fn expiring_credentials() -> Scenario {
    let system = System::builder().operator_mode().cluster("A", &["a1", "a2", "a3"], V2_15);
    let orders = Service::rust("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
    let billing = Service::rust("billing", "2.0.1").on(&["a2", "a3"]).instances(2);
    let mailer = || Service::rust("mailer", "0.9.0").on(&["a3"]);
    let begin = vec![
        run("orders", orders.creds("orders", Validity::Forever)),
        run("billing", billing.creds("billing", hours(240))),
        run("mailer", mailer().creds("mailer", hours(12))),
        Requests("orders", 6),
    ];
    let renew = vec![run("renewed", mailer().creds("mailer", hours(24 * 90))), Pause(seconds(1))];
    Scenario {
        name: "expiring-credentials",
        about: "Operator mode: the user orders never expires, billing does in ten days, mailer in \
                twelve hours, until it gets new credentials.",
        system,
        through: "a1",
        accounts: vec!["APP"],
        every: None,
        steps: vec![
            step("three users, each with a service", begin),
            step("one more billing with credentials of its own", vec![More("billing", 1)]),
            step("mailer runs with old and with renewed credentials", renew),
            step("only the renewed mailer runs", vec![End("mailer", 1)]),
            step("billing has ended", vec![End("billing", 3)]),
        ],
    }
}
