//! `cargo xtask mutants`: takes every verdict of every check away, one at a time, and sees whether
//! a test notices.
//!
//! A verdict that can be replaced by `ok` without a test failing is not tested. The replacing
//! happens in a copy of the sources, never in the work tree.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use nats_hindsight_testkit::{Checkout, workspace_root};

use crate::Outcome;
use crate::sources::{between, rust_files};

/// Where the checks are.
const CHECKS: &str = "crates/analyzer/src/checks";

/// How a check says something, and what is said instead.
const VERDICTS: &[(&str, Instead)] = &[
    ("finding", Instead::Ok),
    ("unknown", Instead::Ok),
    ("unknown_but_cured", Instead::Ok),
    ("ended", Instead::Ok),
    ("ok_ended", Instead::Ok),
    ("not_applicable", Instead::Ok),
    ("ok", Instead::NotApplicable),
];

/// Replace every verdict of every check by `ok`, one at a time, and see whether a test fails
#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask mutants
  cargo xtask mutants --check SERVER_002
  cargo xtask mutants --list")]
pub(crate) struct Mutants {
    /// Only the verdicts of this check
    #[arg(long, value_name = "CODE")]
    check: Option<String>,
    /// Only say which there are
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    Ok,
    NotApplicable,
}

impl Instead {
    /// The words that replace a call. What it was given is still used, so that the rest compiles.
    fn of(self, verb: &str, subject: &str, arguments: &str) -> String {
        let other = match self {
            Self::Ok => "out.ok(said, std::collections::BTreeSet::new())",
            Self::NotApplicable => "out.not_applicable(said)",
        };
        format!(
            "{{ let said = ({subject}).clone(); \
             Judgement::default().{verb}({arguments}); {other} }}"
        )
    }
}

/// One verdict in the sources.
#[derive(Debug)]
struct Mutant {
    /// Code of the check.
    code: String,
    /// File, from the root of the workspace.
    file: PathBuf,
    line: usize,
    verb: &'static str,
    /// The whole file with this verdict replaced.
    mutated: String,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, file, line, verb, .. } = self;
        write!(f, "{code} {verb} at {}:{line}", file.display())
    }
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A test failed.
    Caught,
    /// Every test passed.
    Survived,
    /// It says nothing about the tests.
    DoesNotCompile,
}

impl Fate {
    const fn word(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Survived => "SURVIVED",
            Self::DoesNotCompile => "DOES NOT COMPILE",
        }
    }
}

impl Mutants {
    pub(crate) fn run(self) -> Outcome {
        let root = workspace_root();
        let mut mutants = Vec::new();
        for file in rust_files(&root.join(CHECKS))? {
            mutants.extend(of_file(&root, &file)?);
        }
        mutants.retain(|mutant| self.check.as_ref().is_none_or(|code| *code == mutant.code));
        let mut output = io::stdout();
        if self.list {
            for mutant in &mutants {
                writeln!(output, "{mutant}")?;
            }
            return Ok(true);
        }
        let copy = Copy { checkout: Checkout::new()? };
        for code in codes(&mutants) {
            if !copy.passes(&code)? {
                return Err(format!("the tests of {code} fail without any change").into());
            }
        }
        let mut fates = Vec::new();
        for mutant in &mutants {
            let fate = copy.fate(mutant)?;
            writeln!(output, "{:<16} {mutant}", fate.word())?;
            fates.push(fate);
        }
        let count = |wanted| fates.iter().filter(|fate| **fate == wanted).count();
        let (caught, survived) = (count(Fate::Caught), count(Fate::Survived));
        let broken = count(Fate::DoesNotCompile);
        writeln!(output, "{caught} caught, {survived} survived, {broken} did not compile")?;
        Ok(caught > 0 && survived + broken == 0)
    }
}

fn codes(mutants: &[Mutant]) -> Vec<String> {
    let mut codes: Vec<String> = mutants.iter().map(|mutant| mutant.code.clone()).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// A copy of the sources in which verdicts are replaced.
struct Copy {
    checkout: Checkout,
}

impl Copy {
    /// Whether the tests of a check pass: those named after it, and its cases.
    fn passes(&self, code: &str) -> io::Result<bool> {
        let own = code.to_lowercase();
        let mut command = self.checkout.cargo();
        command.args(["test", "--quiet", "--offline", "-p", "nats-hindsight-tests"]);
        command.args(["--test", "cases"]);
        let tests = self.checkout.root().join("tests/tests");
        if tests.join(&own).is_dir() || tests.join(format!("{own}.rs")).is_file() {
            command.args(["--test", &own]);
        }
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        Ok(status.success())
    }

    fn fate(&self, mutant: &Mutant) -> io::Result<Fate> {
        let file = self.checkout.root().join(&mutant.file);
        let original = fs::read_to_string(&file)?;
        fs::write(&file, &mutant.mutated)?;
        let fate = if !self.builds()? {
            Fate::DoesNotCompile
        } else if self.passes(&mutant.code)? {
            Fate::Survived
        } else {
            Fate::Caught
        };
        fs::write(&file, original)?;
        Ok(fate)
    }

    fn builds(&self) -> io::Result<bool> {
        let mut command = self.checkout.cargo();
        command.args(["build", "--quiet", "--offline", "-p", "nats-hindsight-tests"]);
        Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
    }
}

fn of_file(root: &Path, file: &Path) -> io::Result<Vec<Mutant>> {
    let text = fs::read_to_string(file)?;
    let Some(code) = between(&text, "code: \"", "\"") else { return Ok(Vec::new()) };
    let name = file.strip_prefix(root).unwrap_or(file);
    let mutants = mutations(&text).into_iter().map(|(line, verb, mutated)| Mutant {
        code: code.to_owned(),
        file: name.to_owned(),
        line,
        verb,
        mutated,
    });
    Ok(mutants.collect())
}

/// Every verdict of a file: its line, its verb, and the file without it.
fn mutations(text: &str) -> Vec<(usize, &'static str, String)> {
    let mut all = Vec::new();
    for (verb, instead) in VERDICTS {
        let call = format!("out.{verb}(");
        for (at, _) in text.match_indices(&call) {
            let (before, rest) = text.split_at(at);
            let Some((subject, length)) = first_argument(&rest[call.len()..]) else { continue };
            let after = &rest[call.len() + length..];
            let arguments = &rest[call.len()..call.len() + length - 1];
            let said = instead.of(verb, subject, arguments);
            let line = before.matches('\n').count() + 1;
            all.push((line, *verb, format!("{before}{said}{after}")));
        }
    }
    all.sort_by_key(|(line, _, _)| *line);
    all
}

/// The first argument of a call, and the length of all of them with the closing parenthesis.
fn first_argument(arguments: &str) -> Option<(&str, usize)> {
    let mut depth = 0_u32;
    let mut first = None;
    let mut in_text = false;
    let mut escaped = false;
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => {
                return Some((first.unwrap_or(&arguments[..at]).trim(), at + 1));
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 && first.is_none() => first = Some(&arguments[..at]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{first_argument, mutations};

    #[test]
    fn a_call_is_taken_as_a_whole() {
        let arguments = "server(&a, \"x)\\\"\"), Reason::B, vec![c(1), d]); more()";
        let (first, length) = first_argument(arguments).unwrap();
        assert_eq!(first, "server(&a, \"x)\\\"\")");
        assert_eq!(&arguments[length..], "; more()");
        assert_eq!(first_argument("subject) + 1"), Some(("subject", 8)));
        assert_eq!(first_argument("subject, never closed"), None);
    }

    #[test]
    fn every_verdict_is_replaced_alone() {
        let text = "a\n  out.finding(s.clone(), face(b));\n  out.ok(s, c);\n";
        let all = mutations(text);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].0, all[0].1), (2, "finding"));
        let ok = "out.ok(said, std::collections::BTreeSet::new()) };\n  out.ok(s, c);\n";
        assert!(all[0].2.ends_with(ok), "{}", all[0].2);
        assert!(all[0].2.contains(".finding(s.clone(), face(b));"), "{}", all[0].2);
        assert_eq!((all[1].0, all[1].1), (3, "ok"));
        assert!(all[1].2.starts_with("a\n  out.finding(s.clone(), face(b));\n"), "{}", all[1].2);
        assert!(all[1].2.ends_with("out.not_applicable(said) };\n"), "{}", all[1].2);
    }
}
