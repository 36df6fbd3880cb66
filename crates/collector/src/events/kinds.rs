//! Which subjects are listened to, and how much of each is kept.

use crate::connect::Role;

/// Events of one subject, and the bounds within which they are kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Subject of the subscription.
    pub(crate) subject: &'static str,
    /// Events that may come at once.
    pub(crate) burst: u32,
    /// Events per second for which room is made again.
    pub(crate) per_second: u32,
    /// Bytes of bodies and subjects that are held until an epoch takes them.
    pub(crate) bytes: usize,
}

const MIB: usize = 1 << 20;

/// The last word of a server is worth more than everything else, so each kind has bounds of its
/// own: a flood of connections leaves room for it.
const OF_SYSTEM: &[Kind] = &[
    Kind { subject: "$SYS.SERVER.*.SHUTDOWN", burst: 1024, per_second: 16, bytes: MIB },
    Kind { subject: "$SYS.SERVER.*.LAMEDUCK", burst: 1024, per_second: 16, bytes: MIB },
    Kind { subject: "$SYS.SERVER.*.CLIENT.AUTH.ERR", burst: 128, per_second: 2, bytes: MIB / 2 },
    Kind { subject: "$SYS.ACCOUNT.*.CONNECT", burst: 1024, per_second: 16, bytes: 2 * MIB },
    Kind { subject: "$SYS.ACCOUNT.*.DISCONNECT", burst: 1024, per_second: 16, bytes: 2 * MIB },
];

/// Not `$JS.EVENT.ADVISORY.API`: servers publish one for every request to JetStream, and it holds
/// request and answer as text within text, where no list of fields finds a credential.
const OF_ACCOUNT: &[Kind] = &[
    Kind { subject: "$JS.EVENT.ADVISORY.STREAM.>", burst: 256, per_second: 4, bytes: MIB },
    Kind { subject: "$JS.EVENT.ADVISORY.CONSUMER.>", burst: 256, per_second: 4, bytes: MIB },
];

/// What a connection listens to.
pub(crate) fn kinds(role: Role) -> &'static [Kind] {
    match role {
        Role::System => OF_SYSTEM,
        Role::Account => OF_ACCOUNT,
    }
}
