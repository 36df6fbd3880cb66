//! The kit on itself: a real cluster, real services, and a server that dies.

use std::time::Duration;

use nats_hindsight_testkit::{
    Account, KitError, Result, Service, Sniffer, State, System, User, V2_10, V2_12, V2_15,
    wait_until,
};
use serde_json::{Value, json};

fn cluster() -> Result<System> {
    System::builder()
        .cluster("A", &["a1", "a2"], V2_12)
        .cluster("A", &["a3"], V2_15)
        .account(Account::new("APP").user(User::new("mute", "mute").deny_publish(&["$SRV.>"])))
        .start()
}

#[test]
fn a_killed_server_leaves_the_routes_and_comes_back_with_another_id() -> Result<()> {
    let mut system = cluster()?;
    let python =
        Service::python("orders", "1.2.0").on(&["a1", "a2"]).instances(2).start(&system)?;
    let rust = Service::rust("billing", "2.0.0").on(&["a3", "a1"]).start(&system)?;
    python.send(&system, "a3", "hello", 5)?;
    let failed = rust.send(&system, "a1", "fail", 2)?;
    assert_eq!((failed.requests, failed.errors), (2, 2));

    let first = system.id("a3")?;
    system.kill("a3")?;
    assert_eq!(system.state("a3")?, State::Down);
    system.wait_dropped("a3", Duration::from_secs(5))?;
    rust.running()[0].wait_answers(&system, &rust, "a2")?;

    system.restart_as("a3", V2_10)?;
    assert_ne!(system.id("a3")?, first);
    assert_eq!(system.monitor("a3", "/varz")?["version"], V2_10);
    Ok(())
}

#[test]
fn replies_name_neither_this_machine_nor_its_folders() -> Result<()> {
    let system = System::builder().standalone("s1", V2_15).jetstream().start()?;
    let mut client = system.client("s1", "SYS")?;
    let here = std::env::temp_dir().to_string_lossy().into_owned();
    for endpoint in ["VARZ", "JSZ", "STATSZ", "CONNZ", "EXPVARZ"] {
        let subject = format!("$SYS.REQ.SERVER.PING.{endpoint}");
        let reply = client.request(&subject, "", Duration::from_secs(5))?;
        let text = reply.map(|reply| String::from_utf8_lossy(&reply.payload).into_owned());
        let text = text.unwrap_or_default();
        assert!(text.contains("\"s1\"") || endpoint == "EXPVARZ", "{endpoint}: {text}");
        assert!(!text.contains(&here) && !text.contains(".cache"), "{endpoint}: {text}");
    }
    Ok(())
}

#[test]
fn users_are_held_to_their_permissions_and_passwords() -> Result<()> {
    let system = cluster()?;
    let address = system.address("a1")?;
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let login = |user: &str, password: &str| nats_hindsight_testkit::Login {
        port,
        creds: None,
        user: Some((user.to_owned(), password.to_owned())),
    };
    let wrong = nats_hindsight_testkit::Client::connect(&login("app", "wrong"));
    assert!(matches!(wrong, Err(KitError::Protocol(text)) if text.contains("Authorization")));
    let mut mute = nats_hindsight_testkit::Client::connect(&login("mute", "mute"))?;
    let denied = mute.request("$SRV.PING", "", Duration::from_secs(2));
    assert!(matches!(denied, Err(KitError::Protocol(text)) if text.contains("Permissions")));
    Ok(())
}

#[test]
fn a_hung_instance_is_silent_and_a_sniffer_hides_that_nobody_is_there() -> Result<()> {
    let system = System::builder().standalone("s1", V2_12).start()?;
    let mut orders = Service::python("orders", "1.0.0").start(&system)?;
    let mut client = system.client("s1", "APP")?;
    orders.running_mut()[0].hang()?;
    let silent = client.request("$SRV.PING.orders", "", Duration::from_millis(300))?;
    assert!(silent.is_none(), "{silent:?}");
    orders.running_mut()[0].resume()?;
    orders.running()[0].wait_answers(&system, &orders, "s1")?;

    orders.stop(1)?;
    wait_until("nobody is left", Duration::from_secs(5), || {
        let reply = client.request("$SRV.PING.orders", "", Duration::from_secs(1));
        match reply {
            Ok(Some(reply)) if reply.status == Some(503) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })?;
    let _sniffer = Sniffer::start(&system, "s1", "APP", "$SRV.>")?;
    wait_until("the listener hides it", Duration::from_secs(5), || {
        match client.request("$SRV.PING.orders", "", Duration::from_millis(300)) {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
}

#[test]
fn superclusters_and_leafs_find_each_other() -> Result<()> {
    let system = System::builder()
        .cluster("A", &["a1", "a2"], V2_12)
        .cluster("B", &["b1"], V2_15)
        .leaf("leaf1", V2_10, "A", &["APP", "SYS"])
        .start()?;
    let orders = Service::rust("orders", "1.0.0").on(&["leaf1"]).start(&system)?;
    orders.running()[0].wait_answers(&system, &orders, "b1")
}

#[test]
fn a_server_kept_apart_joins_by_a_reload_of_its_routes() -> Result<()> {
    let mut system = System::builder()
        .cluster("A", &["a1", "a2", "a3"], V2_15)
        .apart("A", "staging", V2_10)
        .start()?;
    assert_eq!(system.monitor("staging", "/routez")?["num_routes"], 0);
    let before = system.id("staging")?;
    system.join("staging")?;
    assert_ne!(system.monitor("staging", "/routez")?["num_routes"], 0);
    assert_eq!(system.id("staging")?, before);
    Ok(())
}

#[test]
fn streams_and_consumers_are_made_and_used() -> Result<()> {
    let system = System::builder().cluster("A", &["a1", "a2"], V2_12).jetstream().start()?;
    let mut client = system.client("a1", "APP")?;
    let here = json!({ "tags": ["a2"] });
    let config = json!({ "name": "ORDERS", "subjects": ["orders.>"], "placement": here });
    let made = client.add_stream(&config)?;
    assert_eq!(made["cluster"]["leader"], "a2", "{made}");
    for number in 0..3 {
        client.store(&format!("orders.{number}"), "an order")?;
    }
    let config = json!({ "durable_name": "billing", "ack_policy": "explicit" });
    client.add_consumer("ORDERS", &config)?;
    let taken = client.pull("ORDERS", "billing", 2)?;
    client.acknowledge(&taken[0])?;
    let info = client.jetstream("CONSUMER.INFO.ORDERS.billing", &Value::Null)?;
    let counts = [&info["ack_floor"]["stream_seq"], &info["num_ack_pending"], &info["num_pending"]];
    assert_eq!(counts, [1, 1, 1], "{info}");
    let missing = client.jetstream("STREAM.INFO.NONE", &Value::Null);
    assert!(matches!(missing, Err(KitError::Protocol(text)) if text.contains("10059")));
    Ok(())
}
