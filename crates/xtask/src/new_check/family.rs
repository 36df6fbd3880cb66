//! Families of checks: their lists in the sources.

use std::fs;
use std::path::Path;

/// Whether the family has yet to be made; an error where it is neither there nor asked for.
pub(super) fn is_new(checks: &Path, family: &str, wanted: bool) -> Result<bool, String> {
    let is_word = !family.is_empty() && family.bytes().all(|b| b.is_ascii_lowercase());
    if !is_word {
        return Err(format!("`{family}` is no family: one lower case word, such as server"));
    }
    if checks.join(family).join("mod.rs").is_file() {
        return Ok(false);
    }
    if wanted {
        return Ok(true);
    }
    Err(format!(
        "there is no family {family} (there are {}); add --new-family to make it",
        families(checks).join(", ")
    ))
}

/// The families there are.
fn families(checks: &Path) -> Vec<String> {
    let entries = fs::read_dir(checks).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("mod.rs").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Makes a family without checks.
pub(super) fn create(checks: &Path, family: &str) -> Result<(), Box<dyn std::error::Error>> {
    let folder = checks.join(family);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("mod.rs"), include_str!("templates/family.rs.txt"))?;
    let path = checks.join("mod.rs");
    let text = fs::read_to_string(&path)?;
    let text = with_module(&text, &format!("pub mod {family};"))
        .and_then(|text| with_entry(&text, "FAMILIES", &format!("{family}::CHECKS")))
        .ok_or_else(|| format!("{} has no list FAMILIES to add to", path.display()))?;
    Ok(fs::write(path, text)?)
}

/// Names a check in its family.
pub(super) fn add(path: &Path, stem: &str) -> Result<(), Box<dyn std::error::Error>> {
    let text = fs::read_to_string(path)?;
    let text = with_module(&text, &format!("mod {stem};"))
        .and_then(|text| with_entry(&text, "CHECKS", &format!("&{stem}::CHECK")))
        .ok_or_else(|| format!("{} has no list CHECKS to add to", path.display()))?;
    Ok(fs::write(path, text)?)
}

/// The text with one more module: before the first one that sorts behind it, else behind the last
/// one, else before the first import.
fn with_module(text: &str, module: &str) -> Option<String> {
    let is_module = |line: &str| {
        line.ends_with(';') && (line.starts_with("mod ") || line.starts_with("pub mod "))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let behind = lines.iter().position(|line| is_module(line) && *line > module);
    let last = lines.iter().rposition(|line| is_module(line));
    let at = if let Some(at) = behind.or(last.map(|last| last + 1)) {
        at
    } else {
        let first = lines.iter().position(|line| line.starts_with("use "))?;
        lines.insert(first, "");
        first
    };
    lines.insert(at, module);
    Some(lines.join("\n") + "\n")
}

/// The text with one more entry in a list, in its place by the alphabet.
fn with_entry(text: &str, list: &str, entry: &str) -> Option<String> {
    let start = text.find(&format!("pub const {list}:"))?;
    let open = start + text[start..].find("= &[")? + "= &[".len();
    let close = open + text[open..].find("];")?;
    let mut entries: Vec<&str> =
        text[open..close].split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    let at = entries.iter().position(|known| *known > entry).unwrap_or(entries.len());
    entries.insert(at, entry);
    Some(format!("{}{}{}", &text[..open], entries.join(", "), &text[close..]))
}

#[cfg(test)]
mod tests {
    use super::{with_entry, with_module};

    #[test]
    fn a_module_and_an_entry_find_their_place() {
        let text = "//! Docs.\n\nmod a;\nmod c;\n\nuse x;\n\npub const CHECKS: &[&Check] = &[&a::CHECK, &c::CHECK];\n";
        let more = with_entry(&with_module(text, "mod b;").unwrap(), "CHECKS", "&b::CHECK");
        let wanted = "//! Docs.\n\nmod a;\nmod b;\nmod c;\n\nuse x;\n\npub const CHECKS: &[&Check] = &[&a::CHECK, &b::CHECK, &c::CHECK];\n";
        assert_eq!(more.as_deref(), Some(wanted));
        let last = with_module(text, "mod d;").unwrap();
        assert!(last.contains("mod c;\nmod d;\n\nuse x;"), "{last}");
    }

    #[test]
    fn a_family_without_checks_takes_its_first() {
        let text = include_str!("templates/family.rs.txt");
        let more =
            with_entry(&with_module(text, "mod b;").unwrap(), "CHECKS", "&b::CHECK").unwrap();
        assert!(more.contains("\nmod b;\n\nuse crate"), "{more}");
        assert!(more.contains("= &[&b::CHECK];"), "{more}");
    }

    #[test]
    fn a_file_without_the_list_is_refused() {
        assert_eq!(with_entry("mod a;\n", "CHECKS", "&b::CHECK"), None);
        assert_eq!(with_module("fn main() {}\n", "mod b;"), None);
    }
}
