//! Outputs. All of them render the same frozen report; none computes.
