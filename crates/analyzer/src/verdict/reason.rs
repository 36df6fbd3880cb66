//! Why a verdict could not be reached, and what would cure that.

/// A reason for `unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A subject with an open interval got no verdict.
    NotSeen,
    /// The epochs are not in the order of the servers' clocks.
    OutOfOrder,
    /// The check failed on this epoch.
    CheckFailed,
    /// A server that is expected did not answer.
    ServerSilent,
    /// It is not certain who belongs to the cluster.
    MembershipUnknown,
    /// No other server of its cluster answered that could tell of it.
    NoPeer,
    /// No reply of a server tells its version.
    VersionUnseen,
    /// No VARZ of a server tells its settings.
    SettingsUnseen,
    /// No request was made that could tell.
    NotAsked,
    /// Replies of one epoch contradict each other.
    Contradiction,
    /// Instances that are known to exist did not answer.
    InstanceSilent,
    /// No reply told the version of the application.
    AppVersionUnseen,
    /// An instance that is known to exist told no contract that can be read.
    ContractUnseen,
    /// A facet that had fired is not seen now.
    FacetUnseen,
    /// Connections are not all known, so absence from them proves nothing.
    ConnectionsIncomplete,
    /// An instance that answered is on no list of connections, so another one need not be either.
    Unlisted,
    /// The service runs behind a leaf node and its absence is not proven.
    BehindLeaf,
    /// The account could not be asked.
    AccountUnreachable,
    /// Permissions forbid the question.
    Denied,
    /// A server that held instances restarted a moment ago.
    Settling,
    /// The name of a service cannot stand in a subject.
    Unaskable,
    /// Zero is not proven.
    ZeroUnproven,
    /// No reply tells the server's clock.
    ClockUnseen,
    /// Replies tell the server's clock, and nothing when they arrived.
    ClockUntimed,
    /// The JWT of a connection cannot be read.
    JwtUnreadable,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::NotSeen,
        Self::OutOfOrder,
        Self::CheckFailed,
        Self::ServerSilent,
        Self::MembershipUnknown,
        Self::NoPeer,
        Self::VersionUnseen,
        Self::SettingsUnseen,
        Self::NotAsked,
        Self::Contradiction,
        Self::InstanceSilent,
        Self::AppVersionUnseen,
        Self::ContractUnseen,
        Self::FacetUnseen,
        Self::ConnectionsIncomplete,
        Self::Unlisted,
        Self::BehindLeaf,
        Self::AccountUnreachable,
        Self::Denied,
        Self::Settling,
        Self::Unaskable,
        Self::ZeroUnproven,
        Self::ClockUnseen,
        Self::ClockUntimed,
        Self::JwtUnreadable,
    ];

    /// Stable name, as in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSeen => "not_seen",
            Self::OutOfOrder => "out_of_order",
            Self::CheckFailed => "check_failed",
            Self::ServerSilent => "server_silent",
            Self::MembershipUnknown => "membership_unknown",
            Self::NoPeer => "no_peer",
            Self::VersionUnseen => "version_unseen",
            Self::SettingsUnseen => "settings_unseen",
            Self::NotAsked => "not_asked",
            Self::Contradiction => "contradiction",
            Self::InstanceSilent => "instance_silent",
            Self::AppVersionUnseen => "app_version_unseen",
            Self::ContractUnseen => "contract_unseen",
            Self::FacetUnseen => "facet_unseen",
            Self::ConnectionsIncomplete => "connections_incomplete",
            Self::Unlisted => "unlisted",
            Self::BehindLeaf => "behind_leaf_node",
            Self::AccountUnreachable => "account_unreachable",
            Self::Denied => "denied",
            Self::Settling => "settling",
            Self::Unaskable => "unaskable",
            Self::ZeroUnproven => "zero_unproven",
            Self::ClockUnseen => "clock_unseen",
            Self::ClockUntimed => "clock_untimed",
            Self::JwtUnreadable => "jwt_unreadable",
        }
    }

    /// One sentence for a reader.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotSeen => "nothing in this epoch speaks of the subject",
            Self::OutOfOrder => {
                "the servers' own clocks did not advance since the previous epoch, so the two \
                 cannot be compared"
            }
            Self::CheckFailed => "the check failed on this epoch; the other checks went on",
            Self::ServerSilent => "a server that is expected did not answer",
            Self::MembershipUnknown => "it is not certain which servers belong to the cluster",
            Self::NoPeer => {
                "it did not answer, and no other server of its cluster did that could tell whether \
                 it is still there"
            }
            Self::VersionUnseen => "no reply of a server tells its version",
            Self::SettingsUnseen => "no VARZ of a server tells all its settings in a readable way",
            Self::NotAsked => "the recording holds no request that could tell",
            Self::Contradiction => "replies of this epoch contradict each other",
            Self::InstanceSilent => "instances that are known to exist did not answer",
            Self::AppVersionUnseen => {
                "no reply tells the version of the application; connections show language and \
                 library only"
            }
            Self::ContractUnseen => {
                "an instance that is known to exist gave no INFO that can be read, so what it \
                 announces is not known"
            }
            Self::FacetUnseen => "what differed before is not seen in this epoch",
            Self::ConnectionsIncomplete => {
                "not every server gave all its connections, so absence from them proves nothing"
            }
            Self::Unlisted => {
                "the instance that answered is on no list of connections, so another one that does \
                 not answer would not be seen either"
            }
            Self::BehindLeaf => {
                "the service runs behind a leaf node, so its absence from connections proves \
                 nothing"
            }
            Self::AccountUnreachable => "no connection to the account could ask",
            Self::Denied => "permissions forbid the question",
            Self::Settling => "a server that held instances restarted a moment ago",
            Self::Unaskable => {
                "no instance answered when everybody was asked, and this name cannot stand in a \
                 subject, so that it cannot be asked by name and no list of connections shows it"
            }
            Self::ZeroUnproven => "no answer came, and that there is no instance is not proven",
            Self::ClockUnseen => "no reply tells the server's clock",
            Self::ClockUntimed => {
                "replies tell the server's clock, but not when they arrived: archives of `nats \
                 audit gather` and saved replies never do"
            }
            Self::JwtUnreadable => {
                "the JWT of a connection cannot be read; servers hide those of bearer tokens"
            }
        }
    }

    /// What would cure it.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::NotSeen => "record the system again with the same connections",
            Self::OutOfOrder => "check the clock of the collector's machine",
            Self::CheckFailed => "report the problem named below; it is a defect of this tool",
            Self::ServerSilent | Self::NoPeer => {
                "look at that server: hung, leaving or cut off; record another epoch"
            }
            Self::MembershipUnknown => {
                "let the system user ask ROUTEZ and VARZ of every server, or give every server's \
                 --http URL"
            }
            Self::VersionUnseen => "let the system user ask VARZ or STATSZ",
            Self::SettingsUnseen => {
                "let the system user ask VARZ of every server, or give every server's --http URL"
            }
            Self::NotAsked => "record with a system account connection (--server or --context)",
            Self::Contradiction => "record another epoch",
            Self::InstanceSilent => "look at those instances; record another epoch",
            Self::AppVersionUnseen => {
                "record with a connection of the account (--account-server or --account-context)"
            }
            Self::ContractUnseen => {
                "record with a connection of the account (--account-server or --account-context) \
                 that may publish to $SRV.INFO"
            }
            Self::FacetUnseen | Self::ConnectionsIncomplete => {
                "let the system user ask CONNZ of every server"
            }
            Self::Unlisted => {
                "record another epoch; a service whose name cannot stand in a subject (blanks, \
                 dots, wildcards) is never listed"
            }
            Self::BehindLeaf => "record at the leaf node's side too",
            Self::AccountUnreachable => {
                "check the account's credentials (--account-server or --account-context)"
            }
            Self::Denied => "allow the user to publish to $SRV.> and to subscribe to its inbox",
            Self::Settling => "record another epoch after the restart",
            Self::Unaskable => {
                "give the service a name without blanks, dots and wildcards; of this one only an \
                 answer tells anything"
            }
            Self::ZeroUnproven => {
                "record with a connection of the account and a system account connection"
            }
            Self::ClockUnseen => "let the system user ask STATSZ",
            Self::ClockUntimed => "record with `hindsight collect`, which measures round trips",
            Self::JwtUnreadable => "look at the user where it was issued (`nsc describe user`)",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Reason;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
