//! Stories about what servers say by themselves: one collector runs all the time and listens.

use super::Action::{End, Kill, LameDuck, Left, Stop};
use super::{Scenario, Step, run, seconds, step};
use crate::servers::{V2_10, V2_12, V2_15};
use crate::services::Service;
use crate::system::System;

/// Long enough for each step, and short enough to meet a lame duck before it has left.
const EVERY: std::time::Duration = seconds(6);

fn scenario(name: &'static str, about: &'static str, version: &str, steps: Vec<Step>) -> Scenario {
    Scenario {
        name,
        about,
        system: System::builder().cluster("A", &["a1", "a2", "a3"], version),
        through: "a1",
        accounts: vec!["APP"],
        steps,
        every: Some(EVERY),
    }
}

fn begin() -> Vec<super::Action> {
    let billing = Service::rust("billing", "2.0.1").on(&["a3"]).without_reconnect();
    let orders = Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2);
    vec![run("orders", orders), run("billing", billing)]
}

pub(super) fn clean_stop() -> Scenario {
    scenario(
        "clean-stop",
        "a3 is stopped with a service that does not reconnect, and stays away; the collector listens.",
        V2_10,
        vec![
            step("everything runs; billing is on a3", begin()),
            step("the same", vec![]),
            step("a3 was stopped, and billing is gone with it", vec![Stop("a3")]),
            step("it stays away", vec![]),
        ],
    )
}

pub(super) fn killed() -> Scenario {
    scenario(
        "killed",
        "a3 is killed with a service that does not reconnect, and orders ends; the collector listens.",
        V2_15,
        vec![
            step("everything runs; billing is on a3", begin()),
            step("the same", vec![]),
            step("a3 was killed, orders ended", vec![Kill("a3"), End("orders", 2)]),
            step("both stay away", vec![]),
        ],
    )
}

pub(super) fn lame_duck() -> Scenario {
    // A lame duck sends its clients away one by one, and ends when none is left.
    let mailer = Service::rust("mailer", "0.9.0").on(&["a3"]).without_reconnect().instances(12);
    let mut with_clients = begin();
    with_clients.push(run("mailer", mailer));
    scenario(
        "lame-duck",
        "a3 goes into lame duck mode and has left in the end; the collector listens.",
        V2_12,
        vec![
            step("everything runs, most of it on a3", with_clients),
            step("the same", vec![]),
            step("a3 is leaving", vec![LameDuck("a3")]),
            step("it has left", vec![Left("a3")]),
        ],
    )
}
