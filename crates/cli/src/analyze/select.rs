//! Which checks run: all, but those the configuration switches off; the command line has the last
//! word.

use nats_hindsight_analyzer::check::Check;
use nats_hindsight_analyzer::registry;
use nats_hindsight_analyzer::settings::Settings;

use crate::error::CliError;
use crate::settings::names;

/// The checks to run.
pub(super) fn checks(
    only: &[String],
    skip: &[String],
    settings: &mut Settings,
) -> Result<Vec<&'static Check>, CliError> {
    for name in only {
        settings.disabled.remove(find(name)?.code);
    }
    for name in skip {
        settings.disabled.insert(find(name)?.code.to_owned());
    }
    let mut checks = if only.is_empty() {
        registry::all()
    } else {
        only.iter().map(|name| find(name)).collect::<Result<_, _>>()?
    };
    checks.retain(|check| !settings.disabled.contains(check.code));
    checks.sort_by_key(|check| check.code);
    checks.dedup_by_key(|check| check.code);
    if checks.is_empty() {
        return Err(CliError::Usage(
            "no check is left to run; look at --check, --skip and `enabled` in the configuration"
                .into(),
        ));
    }
    Ok(checks)
}

fn find(name: &str) -> Result<&'static Check, CliError> {
    names::check(name).map_err(CliError::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(only: &[&str], skip: &[&str], disabled: &[&str]) -> Result<Vec<&'static str>, String> {
        let own = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut settings =
            Settings { disabled: own(disabled).into_iter().collect(), ..Settings::default() };
        checks(&own(only), &own(skip), &mut settings)
            .map(|checks| checks.iter().map(|check| check.code).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_has_the_last_word() {
        assert_eq!(codes(&["server-lost", "HINT_001"], &[], &["HINT_001"]).unwrap(), ["HINT_001"]);
        assert!(!codes(&[], &[], &["HINT_001"]).unwrap().contains(&"HINT_001"));
        assert!(!codes(&[], &["server-lost"], &[]).unwrap().contains(&"HINT_001"));
        assert!(codes(&["HINT_001"], &["HINT_001"], &[]).unwrap_err().contains("no check is left"));
        assert!(codes(&["HINT_01"], &[], &[]).unwrap_err().contains("did you mean `HINT_001`"));
    }
}
