//! The results, as a table in Markdown.

use std::fmt;

use super::contest::Taken;

/// Lines in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Table {
    times: Vec<String>,
    ratios: Vec<String>,
}

impl Table {
    /// What a command took.
    pub(super) fn times(&mut self, what: &str, who: &str, taken: &Taken) {
        let Taken { wall, cpu, memory, .. } = taken;
        let memory = *memory as f64 / 1e6;
        self.times.push(format!("| {what} | {who} | {wall:.2} s | {cpu:.2} s | {memory:.0} MB |"));
    }

    /// A ratio, and what it is to be, if anything was promised.
    pub(super) fn ratio(
        &mut self,
        what: &str,
        name: &str,
        ratio: f64,
        wanted: Option<(&'static str, f64)>,
    ) {
        let judged = wanted.map(|(sign, bound)| {
            let met = if sign == ">=" { ratio >= bound } else { ratio <= bound };
            format!("{sign} {bound} | {}", if met { "met" } else { "missed" })
        });
        let judged = judged.unwrap_or_else(|| "  |  ".to_owned());
        self.ratios.push(format!("| {what} | {name} | {ratio:.2} | {judged} |"));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| recording | who | wall | processors | memory |\n|---|---|---|---|---|")?;
        self.times.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "\n| recording | ratio | measured | wanted | |\n|---|---|---|---|---|")?;
        self.ratios.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn a_bound_is_met_or_missed() {
        let mut table = Table::default();
        table.ratio("a", "faster", 4.5, Some((">=", 4.0)));
        table.ratio("a", "memory", 4.5, Some(("<=", 4.0)));
        let text = table.to_string();
        assert!(text.contains("| a | faster | 4.50 | >= 4 | met |"), "{text}");
        assert!(text.contains("| a | memory | 4.50 | <= 4 | missed |"), "{text}");
    }
}
