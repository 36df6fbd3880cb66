//! Edits of services.
