//! `hindsight checks` and `hindsight explain`.

use std::process::ExitCode;

use clap::Args;
use nats_hindsight_analyzer::check::Check;
use nats_hindsight_analyzer::render::{json, page};
use nats_hindsight_analyzer::{listing, registry};

use crate::error::CliError;
use crate::output::{Format, print_plain};
use crate::settings::names;

const CHECKS_EXAMPLES: &str = "\
Examples:
  hindsight checks
  hindsight checks --format json | jq '.[].code'";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  hindsight explain SERVER_002
  hindsight explain server-version-mismatch";

#[derive(Debug, Args)]
#[command(after_help = CHECKS_EXAMPLES)]
pub(crate) struct ChecksArgs {
    /// Shape of the list.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// Code or slug of the check.
    #[arg(value_name = "CODE|SLUG")]
    check: String,
}

/// Lists all checks.
pub(crate) fn list(args: &ChecksArgs) -> Result<ExitCode, CliError> {
    let checks = registry::all();
    let text = match args.format {
        Format::Json => json::render(&listing::rows(&checks)),
        Format::Text => table(&checks),
    };
    print_plain(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(checks: &[&'static Check]) -> String {
    let row = |cells: [&str; 5]| {
        let [code, slug, severity, category, judges] = cells;
        format!("{code:<12} {slug:<28} {severity:<9} {category:<12} {judges}\n")
    };
    let head = row(["code", "slug", "severity", "category", "judges"]);
    let rows = checks.iter().map(|check| {
        row([check.code, check.slug, check.severity.as_str(), check.category, check.subject])
    });
    std::iter::once(head).chain(rows).collect()
}

/// Prints the page of one check.
pub(crate) fn explain(args: &ExplainArgs) -> Result<ExitCode, CliError> {
    let check = names::check(&args.check).map_err(CliError::Usage)?;
    print_plain(&page::check(check))?;
    Ok(ExitCode::SUCCESS)
}
