//! Stories about more than one cluster or account.

use super::Action::{End, Hang, More, Pause, Requests, Resume};
use super::{Scenario, run, seconds, step};
use crate::plan::Account;
use crate::servers::{V2_10, V2_12, V2_14, V2_15};
use crate::services::Service;
use crate::system::System;

pub(super) fn supercluster() -> Scenario {
    let system = System::builder().cluster("A", &["a1", "a2", "a3"], V2_12).cluster(
        "B",
        &["b1", "b2"],
        V2_14,
    );
    let begin = vec![
        run("orders in A", Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2)),
        run("orders in B", Service::python("orders", "1.2.0").on(&["b1"])),
        run("billing in B", Service::rust("billing", "2.0.1").on(&["b2"])),
    ];
    Scenario {
        name: "supercluster",
        about: "Cluster A on 2.12 and cluster B on 2.14, joined by gateways, each of one version.",
        system,
        through: "a1",
        accounts: vec!["APP"],
        every: None,
        steps: vec![
            step("services in both clusters", begin),
            step("requests", vec![Requests("orders in A", 10)]),
            step("billing in B ended", vec![End("billing in B", 1)]),
            step("billing in B is back", vec![More("billing in B", 1)]),
        ],
    }
}

pub(super) fn leaf_nodes() -> Scenario {
    let system = System::builder()
        .cluster("hub", &["h1", "h2", "h3"], V2_14)
        .leaf("leaf-east", V2_10, "hub", &["APP", "SYS"])
        .leaf("leaf-west", V2_15, "hub", &["APP"]);
    let begin = vec![
        run("orders", Service::python("orders", "1.2.0").on(&["h2"])),
        run("orders in the east", Service::python("orders", "1.2.0").on(&["leaf-east"])),
        run("scan", Service::rust("scan", "0.4.0").on(&["leaf-west"]).instances(2)),
    ];
    Scenario {
        name: "leaf-nodes",
        about: "A hub on 2.14 with leaf servers on 2.10 (its system account bound) and 2.15 (not \
                bound), and a service that runs only behind the second.",
        system,
        through: "h1",
        accounts: vec!["APP"],
        every: None,
        steps: vec![
            step("services at the hub and behind both leaf servers", begin),
            step("requests", vec![Requests("orders", 10), Requests("scan", 4)]),
            step("leaf-west hangs: scan does not answer", vec![Hang("leaf-west")]),
            step("leaf-west goes on", vec![Resume("leaf-west")]),
            step("all of scan ended, leaf-west stands", vec![End("scan", 2)]),
            step("scan is back", vec![More("scan", 2)]),
        ],
    }
}

pub(super) fn two_accounts() -> Scenario {
    let system =
        System::builder().cluster("A", &["a1", "a2", "a3"], V2_15).account(Account::new("APP2"));
    let begin = vec![
        run("app", Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2)),
        run(
            "app2",
            Service::python("orders", "2.0.0").on(&["a3", "a2"]).instances(2).account("APP2"),
        ),
    ];
    Scenario {
        name: "two-accounts",
        about: "Two accounts have a service of the same name and different versions; one goes down.",
        system,
        through: "a1",
        accounts: vec!["APP", "APP2"],
        every: None,
        steps: vec![
            step("1.2.0 in APP, 2.0.0 in APP2", begin),
            step("the same", vec![Requests("app", 5), Requests("app2", 5)]),
            step("gone from APP2", vec![End("app2", 2)]),
            step("still gone", vec![Pause(seconds(2))]),
        ],
    }
}
