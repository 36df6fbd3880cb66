//! A book of mistakes and the answers to them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) type Any<T> = Result<T, Box<dyn std::error::Error>>;

/// Secrets that are handed over in every place where people put them; none may be repeated.
pub(crate) const SECRET: &str = "hunter2";

/// Mistakes and answers so far.
pub(crate) struct Book {
    home: TempDir,
    text: String,
    count: usize,
    /// What differs from run to run, and what stands for it.
    names: Vec<(String, &'static str)>,
}

/// One mistake on its way into the book.
pub(crate) struct Mistake<'a> {
    pub(crate) title: &'a str,
    /// The arguments; `DIR` is the folder of the book.
    pub(crate) args: &'a [&'a str],
    /// The exit code it has to have.
    pub(crate) code: i32,
}

impl Book {
    pub(crate) fn new() -> Any<Self> {
        let home = tempfile::tempdir()?;
        let path = home.path().display().to_string();
        // Without a network the machine says something else about a name that nobody has.
        let offline = "Temporary failure in name resolution".to_owned();
        let names = vec![(path, "DIR"), (offline, "Name or service not known")];
        Ok(Self { home, text: String::new(), count: 0, names })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Any<()> {
        Ok(std::fs::write(self.path(name), content)?)
    }

    /// Shows something that differs from run to run under a name.
    pub(crate) fn call(&mut self, what: &str, name: &'static str) {
        self.names.insert(0, (what.to_owned(), name));
    }

    /// A chapter of mistakes of one kind.
    pub(crate) fn chapter(&mut self, title: &str) {
        let _ = writeln!(self.text, "# {title}\n");
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Makes a mistake.
    pub(crate) fn add(&mut self, title: &str, args: &[&str], code: i32) -> Any<()> {
        self.add_with(&Mistake { title, args, code }, |_| {})
    }

    /// Makes a mistake, with a word to the command before it runs.
    pub(crate) fn add_with(
        &mut self,
        mistake: &Mistake<'_>,
        prepare: impl FnOnce(&mut Command),
    ) -> Any<()> {
        let mut command = self.command(mistake.args)?;
        prepare(&mut command);
        let output = command.output()?;
        let (stdout, stderr) = (String::from_utf8(output.stdout.clone())?, text(&output)?);
        assert!(!stderr.contains(SECRET) && !stdout.contains(SECRET), "{}", mistake.title);
        let code = output.status.code();
        assert_eq!(code, Some(mistake.code), "{}: {stderr}", mistake.title);
        self.count += 1;
        let shown: Vec<&str> = mistake.args.iter().map(|arg| quoted(arg)).collect();
        let _ = writeln!(self.text, "## {}\n", mistake.title);
        let _ = writeln!(self.text, "$ hindsight {}", self.calm(&shown.join(" ")));
        let answer = format!("{}{}", problems(&stdout), remarks(&stderr));
        let _ = writeln!(self.text, "{}exit {}\n", self.calm(&answer), mistake.code);
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Any<Command> {
        let mut command = Command::new(nats_hindsight_testkit::hindsight()?);
        let folder = self.home.path().display().to_string();
        command.args(args.iter().map(|arg| arg.replace("DIR", &folder)));
        if args.first() == Some(&"collect") {
            if !args.contains(&"--out") {
                command.arg("--out").arg(self.path("out"));
            }
            if !args.contains(&"--timeout") {
                command.args(["--timeout", "700ms"]);
            }
        }
        command.current_dir(self.folder()).stdin(Stdio::null());
        for name in ["NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.path("config")).env("COLUMNS", "80");
        Ok(command)
    }

    /// What is the same in every run.
    fn calm(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (what, name)| text.replace(what, name))
    }
}

fn text(output: &Output) -> Any<String> {
    let stderr = String::from_utf8(output.stderr.clone())?;
    assert!(!stderr.contains('\u{1b}'), "no colours where no terminal is: {stderr}");
    Ok(stderr)
}

fn quoted(arg: &str) -> &str {
    if arg.is_empty() { "\"\"" } else { arg }
}

/// Of a report, the part that says what could not be read. The rest is in other snapshots.
fn problems(stdout: &str) -> String {
    let lines = stdout.lines().skip_while(|line| *line != "Problems");
    lines.take_while(|line| !line.is_empty()).fold(String::new(), |text, line| text + line + "\n")
}

/// Standard error without the table of endpoints, whose rows and times are not what this is about.
fn remarks(stderr: &str) -> String {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let number = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
        line.starts_with("  endpoint ") || (line.starts_with("  ") && number && name != "and")
    };
    let headline = |line: &str| line.contains(" answered, ") && line.ends_with(" s");
    stderr
        .lines()
        .filter(|line| !row(line) && !headline(line))
        .fold(String::new(), |text, line| text + line + "\n")
}
