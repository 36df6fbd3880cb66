//! What is asked for the recorded replies, with the options a collector would use.

/// One request to the system account.
pub(super) struct Ask {
    /// Name of the file, which begins with that of the endpoint.
    pub(super) name: &'static str,
    /// The subject; `<id>` stands for the id of the server.
    pub(super) subject: &'static str,
    /// What the request says.
    pub(super) body: &'static str,
}

/// One request to a monitor port.
pub(super) struct Get {
    /// Name of the file in `http`.
    pub(super) name: &'static str,
    /// The path with its query.
    pub(super) path: &'static str,
}

const JSZ: &str = "$SYS.REQ.SERVER.<id>.JSZ";
const JSZ_BODY: &str = r#"{"accounts":true,"streams":true,"consumer":true,"config":true,"raft":true,"leader_only":false,"offset":0,"limit":1024}"#;
const JSZ_PAGE: &str = r#"{"accounts":true,"streams":true,"consumer":true,"config":true,"raft":true,"leader_only":false,"offset":1,"limit":1}"#;
const JSZ_PATH: &str =
    "/jsz?accounts=1&streams=1&consumers=1&config=1&raft=1&leader-only=0&limit=1024";
const HEALTHZ: &str = "$SYS.REQ.SERVER.<id>.HEALTHZ";
const ACCOUNTZ: &str = "$SYS.REQ.SERVER.<id>.ACCOUNTZ";
const IPQUEUESZ: &str = "$SYS.REQ.SERVER.<id>.IPQUEUESZ";
const RAFTZ: &str = "$SYS.REQ.SERVER.<id>.RAFTZ";

const fn ask(name: &'static str, subject: &'static str, body: &'static str) -> Ask {
    Ask { name, subject, body }
}

const fn get(name: &'static str, path: &'static str) -> Get {
    Get { name, path }
}

/// Asked of the server that leads the replicated stream, while everything runs.
pub(super) const OF_THE_LEADER: &[Ask] = &[
    ask("VARZ", "$SYS.REQ.SERVER.<id>.VARZ", ""),
    ask("STATSZ", "$SYS.REQ.SERVER.<id>.STATSZ", ""),
    ask("CONNZ", "$SYS.REQ.SERVER.<id>.CONNZ", r#"{"subscriptions":true}"#),
    ask("CONNZ_ERROR", "$SYS.REQ.SERVER.<id>.CONNZ", r#"{"filter_subject":"orders.>"}"#),
    ask("ROUTEZ", "$SYS.REQ.SERVER.<id>.ROUTEZ", ""),
    ask("GATEWAYZ", "$SYS.REQ.SERVER.<id>.GATEWAYZ", r#"{"accounts":true}"#),
    ask("SUBSZ", "$SYS.REQ.SERVER.<id>.SUBSZ", ""),
    ask("JSZ", JSZ, JSZ_BODY),
    ask("JSZ_PAGE", JSZ, JSZ_PAGE),
    ask("JSZ_UNKNOWN_ACCOUNT", JSZ, r#"{"accounts":true,"account":"NOBODY"}"#),
    ask("JSZ_BAD_REQUEST", JSZ, r#"{"accounts":"#),
    ask("ACCOUNTZ", ACCOUNTZ, ""),
    ask("ACCOUNTZ_DETAIL", ACCOUNTZ, r#"{"account":"APP"}"#),
    ask("ACCOUNTZ_DETAIL_IMPORTS", ACCOUNTZ, r#"{"account":"OPS"}"#),
    ask("ACCOUNTZ_DETAIL_UNKNOWN", ACCOUNTZ, r#"{"account":"NOBODY"}"#),
    ask("ACCOUNTZ_DETAIL_SYSTEM", ACCOUNTZ, r#"{"account":"SYS"}"#),
    ask("ACCOUNT_STATZ", "$SYS.REQ.ACCOUNT.PING.STATZ", r#"{"include_unused":true}"#),
    ask("ACCOUNT_STATZ_USED", "$SYS.REQ.ACCOUNT.PING.STATZ", ""),
    ask("ACCOUNT_STATZ_ONE", "$SYS.REQ.ACCOUNT.PING.STATZ", r#"{"accounts":["OPS","NOBODY"]}"#),
    ask("HEALTHZ", HEALTHZ, r#"{"details":true}"#),
    ask("HEALTHZ_STREAM", HEALTHZ, r#"{"details":true,"account":"APP","stream":"MISSING"}"#),
    ask("RAFTZ", RAFTZ, ""),
    ask("RAFTZ_ACCOUNT", RAFTZ, r#"{"account":"APP"}"#),
    ask("RAFTZ_OTHER_ACCOUNT", RAFTZ, r#"{"account":"OPS"}"#),
    ask("IPQUEUESZ", IPQUEUESZ, ""),
    ask("IPQUEUESZ_ALL", IPQUEUESZ, r#"{"all":true}"#),
    ask("EXPVARZ", "$SYS.REQ.SERVER.<id>.EXPVARZ", ""),
];

/// Asked of the server that the leaf server has connected to.
pub(super) const OF_THE_HUB: &[Ask] = &[ask("LEAFZ", "$SYS.REQ.SERVER.<id>.LEAFZ", "")];

/// Asked of a server that one of the other cluster has connected to.
pub(super) const OF_AN_INBOUND_GATEWAY: &[Ask] =
    &[ask("GATEWAYZ_INBOUND", "$SYS.REQ.SERVER.<id>.GATEWAYZ", r#"{"accounts":true}"#)];

/// Asked of the leader of the meta group.
pub(super) const OF_THE_META_LEADER: &[Ask] =
    &[ask("JSZ_META_LEADER", JSZ, ""), ask("RAFTZ_META_LEADER", RAFTZ, "")];

/// Asked of a server that follows.
pub(super) const OF_A_FOLLOWER: &[Ask] = &[ask("JSZ_FOLLOWER", JSZ, JSZ_BODY)];

/// Asked of the leader after one follower has left.
pub(super) const ONE_DOWN: &[Ask] = &[ask("JSZ_ONE_DOWN", JSZ, JSZ_BODY)];

/// Asked of the former leader after both followers have left.
pub(super) const QUORUM_LOST: &[Ask] = &[
    ask("JSZ_QUORUM_LOST", JSZ, JSZ_BODY),
    ask("HEALTHZ_QUORUM_LOST", HEALTHZ, r#"{"details":true}"#),
    ask("RAFTZ_QUORUM_LOST", RAFTZ, ""),
    ask("RAFTZ_ACCOUNT_QUORUM_LOST", RAFTZ, r#"{"account":"APP"}"#),
];

/// The same at its monitor port.
pub(super) const QUORUM_LOST_OVER_HTTP: &[Get] =
    &[get("HEALTHZ_QUORUM_LOST", "/healthz?details=1")];

/// Asked at the monitor port of the leader, while everything runs.
pub(super) const OVER_HTTP: &[Get] = &[
    get("GATEWAYZ", "/gatewayz?accs=1"),
    get("SUBSZ", "/subsz"),
    get("JSZ", JSZ_PATH),
    get("ACCOUNTZ", "/accountz"),
    get("ACCOUNTZ_DETAIL", "/accountz?acc=APP"),
    get("ACCOUNT_STATZ", "/accstatz?unused=1"),
    get("HEALTHZ", "/healthz?details=1"),
    get("RAFTZ", "/raftz"),
    get("RAFTZ_ACCOUNT", "/raftz?acc=APP"),
    get("IPQUEUESZ", "/ipqueuesz"),
    get("IPQUEUESZ_ALL", "/ipqueuesz?all=1"),
    get("EXPVARZ", "/debug/vars"),
    get("EXPVARZ_PATH", "/expvarz"),
];

/// Asked at the monitor port of the leaf server, whose JetStream has a domain and no peers.
pub(super) const OF_THE_LEAF: &[Get] =
    &[get("LEAFZ_LEAF", "/leafz"), get("JSZ_LEAF", JSZ_PATH), get("RAFTZ_LEAF", "/raftz")];
