//! What two tools found in the same recording, as rows that can be compared.

use std::collections::BTreeSet;

use serde_json::Value;

/// Code, cluster or service, number of the epoch.
pub(super) type Row = (String, String, u64);

/// The rows of a report: one for every epoch in which a finding was seen.
pub(super) fn of_report(report: &Value) -> BTreeSet<Row> {
    let systems = report["systems"].as_array().into_iter().flatten();
    let findings = systems.flat_map(|system| system["findings"].as_array().into_iter().flatten());
    findings.flat_map(of_finding).collect()
}

fn of_finding(finding: &Value) -> Vec<Row> {
    let code = finding["code"].as_str().unwrap_or_default();
    let subject = &finding["subject"];
    let name = subject["service"].as_str().or_else(|| subject["cluster"].as_str()).unwrap_or("?");
    let epoch = |of: &str| finding[of]["epoch"].as_u64().unwrap_or(u64::MAX);
    let gaps: Vec<(u64, u64)> = finding["gaps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|gap| gap["reason"] != "not_recorded")
        .filter_map(|gap| Some((gap["from"].as_u64()?, gap["to"].as_u64()?)))
        .collect();
    (epoch("opened")..=epoch("last_seen"))
        .filter(|at| !gaps.iter().any(|(from, to)| (from..=to).contains(&at)))
        .map(|at| (code.to_owned(), name.to_owned(), at))
        .collect()
}

/// The rows of lines that hold code, name and epoch.
pub(super) fn of_lines(text: &str) -> BTreeSet<Row> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            Some((words.next()?, words.next()?, words.next()?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of_lines, of_report};

    #[test]
    fn a_finding_gives_a_row_for_every_epoch_it_was_seen_in() {
        let report = json!({"systems": [{"findings": [{
            "code": "SERVER_002", "subject": {"cluster": "A"},
            "opened": {"epoch": 2}, "last_seen": {"epoch": 5},
            "gaps": [{"from": 3, "to": 4, "reason": "not_seen"}],
        }]}]});
        assert_eq!(of_report(&report), of_lines("SERVER_002 A 2\nSERVER_002 A 5\n"));
    }
}
