//! `cargo xtask load`: what recording costs the servers, as the table of `docs/load.md`.

use std::io::{self, Write};

use clap::Args;
use nats_hindsight_testkit::{LoadPlan, LoadRow, V2_10, V2_15, measure_load};

use crate::Outcome;
use crate::build::{self, Profile};

/// Measure what recording costs the servers, per epoch and server
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask load
  cargo xtask load --epochs 30")]
pub(crate) struct Load {
    /// Epochs that are averaged over, for each line
    #[arg(long, default_value_t = 10)]
    epochs: u32,
}

/// Servers, connections and streams: one thing at a time grows.
const SIZES: [(usize, usize, usize); 4] = [(3, 30, 5), (3, 600, 5), (3, 30, 40), (9, 30, 5)];

impl Load {
    pub(crate) fn run(self) -> Outcome {
        // Servers are measured, to which it is the same how the collector was built.
        let hindsight = build::hindsight(Profile::Dev)?;
        let mut output = io::stdout();
        writeln!(
            output,
            "| servers | version | connections | streams | profile | requests | replies | messages \
             in | bytes out | CPU | snapshot | took |\n|--:|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for version in [V2_10, V2_15] {
            for (servers, connections, streams) in SIZES {
                let epochs = self.epochs;
                let plan = LoadPlan { version, servers, connections, streams, epochs };
                for row in measure_load(plan, &hindsight)? {
                    writeln!(output, "{}", line(&plan, &row))?;
                }
            }
        }
        Ok(true)
    }
}

fn line(plan: &LoadPlan, row: &LoadRow) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.1} kB | {:.1} ms | {:.1} kB | {:.2} s |",
        plan.servers,
        plan.version,
        plan.connections,
        plan.streams,
        row.profile,
        row.requests,
        row.replies,
        row.messages_in,
        row.bytes_out / 1000.0,
        row.cpu.as_secs_f64() * 1000.0,
        row.snapshot / 1000.0,
        row.took.as_secs_f64(),
    )
}
