//! Edits of servers.
