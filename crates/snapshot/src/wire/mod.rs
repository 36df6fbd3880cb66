//! Tolerant structs of the replies of NATS servers and services.
