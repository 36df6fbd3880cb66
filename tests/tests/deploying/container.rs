//! The image.

use crate::{Any, text};

/// Instructions of the last stage, in order; a continued line is one.
fn last_stage() -> Any<Vec<(String, String)>> {
    let joined = text("Containerfile")?.replace("\\\n", " ");
    let mut stage = Vec::new();
    for line in joined.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (instruction, rest) =
            line.split_once(' ').ok_or_else(|| format!("no words: {line}"))?;
        if instruction == "FROM" {
            stage.clear();
        }
        stage.push((instruction.to_owned(), rest.trim().to_owned()));
    }
    Ok(stage)
}

fn only(instruction: &str) -> Any<String> {
    let stage = last_stage()?;
    let mut found = stage.iter().filter(|(name, _)| name == instruction);
    match (found.next(), found.next()) {
        (Some((_, rest)), None) => Ok(rest.clone()),
        _ => Err(format!("{instruction} is not there once").into()),
    }
}

/// The arguments of `hindsight`.
pub(crate) fn arguments() -> Any<Vec<String>> {
    Ok(serde_json::from_str(&only("CMD")?)?)
}

#[test]
fn it_runs_as_nobody_and_holds_nothing_else() -> Any<()> {
    let user = only("USER")?;
    let number: u32 = user.split(':').next().unwrap_or_default().parse()?;
    assert!(number > 0, "Kubernetes can check a number only");
    assert!(only("FROM")?.contains("distroless"));
    assert_eq!(only("ENTRYPOINT")?, "[\"/usr/local/bin/hindsight\"]");
    assert_eq!(only("VOLUME")?, "[\"/var/lib/hindsight\"]");
    let stage = last_stage()?;
    let state = stage.iter().find(|(_, rest)| rest.ends_with("/var/lib/hindsight"));
    assert!(state.is_some_and(|(_, rest)| rest.contains(&format!("--chown={user}"))), "{state:?}");
    assert!(arguments()?.contains(&"/var/lib/hindsight".to_owned()));
    Ok(())
}
