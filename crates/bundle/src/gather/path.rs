//! What names of entries tell: their page always, the rest only where the manifest is lost.

use std::borrow::Cow;

use super::kind::ArtifactKind;
use super::manifest::Tags;
use super::texts::{Id, Texts};

/// Where everything of a capture is.
const CAPTURE: &str = "capture/";

/// Where the manifest is.
const MANIFEST: &str = "capture/misc/manifest.json";

/// A name with slashes: archives made on Windows have backslashes in some names, and whoever packs
/// them again may turn those around.
pub(super) fn slashed(name: &str) -> Cow<'_, str> {
    if name.contains('\\') { Cow::Owned(name.replace('\\', "/")) } else { Cow::Borrowed(name) }
}

/// Whether a name is that of the manifest of the capture in this folder.
pub(super) fn is_manifest(slashed: &str, root: &str) -> bool {
    slashed.strip_prefix(root) == Some(MANIFEST)
}

/// The folder around the capture that an entry seems to be of: none, or one, which may have any
/// name. It is empty or ends in a slash.
pub(super) fn root_of_entry(slashed: &str) -> Option<&str> {
    if slashed.starts_with(CAPTURE) {
        return Some("");
    }
    let (folder, rest) = slashed.split_once('/')?;
    (!folder.is_empty() && rest.starts_with(CAPTURE)).then(|| &slashed[..=folder.len()])
}

/// The number of a page, of any width; 0 where the artifact has no pages.
pub(super) fn page(slashed: &str) -> u32 {
    let file = slashed.rsplit('/').next().unwrap_or(slashed);
    let stem = file.split('.').next().unwrap_or(file);
    let digits = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit());
    if digits { stem.parse().unwrap_or(u32::MAX) } else { 0 }
}

/// What a path tells of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) tags: Tags,
    /// The folder `<cluster>__<server>`. It is not split: names may hold `__` themselves.
    pub(super) folder: Id,
}

/// Reads a path below the folder around the capture, as a last resort.
pub(super) fn read(path: &str, texts: &mut Texts) -> Option<Told> {
    let parts: Vec<&str> = path.strip_prefix(CAPTURE)?.split('/').collect();
    let (family, rest) = parts.split_first()?;
    let mut told = Told::default();
    let tags = &mut told.tags;
    match (*family, rest) {
        ("clusters", [cluster, server, file @ ..]) => {
            tags.cluster = texts.cluster(cluster);
            tags.server = texts.id(server);
            tags.kind = texts.id(kind(file)?);
        }
        ("accounts", [account, "servers", folder, file @ ..]) => {
            tags.account = texts.id(account);
            told.folder = texts.id(folder);
            tags.kind = texts.id(kind(file)?);
        }
        ("accounts", [account, "streams", stream, "replicas", folder, file @ ..]) => {
            tags.account = texts.id(account);
            tags.stream = texts.id(stream);
            told.folder = texts.id(folder);
            tags.kind = texts.id(kind(file)?);
        }
        ("profiles", [cluster, file]) => {
            tags.cluster = texts.cluster(cluster);
            told.folder = texts.id(file.strip_suffix(".prof")?);
            tags.kind = texts.id(ArtifactKind::Profile.as_str());
        }
        ("misc", [file]) => tags.special = texts.id(file.rsplit_once('.')?.0),
        _ => return None,
    }
    Some(told)
}

/// The kind by `<type>.json` or `<type>/<page>.json`.
fn kind<'a>(file: &[&'a str]) -> Option<&'a str> {
    let name = match file {
        [file] => file.strip_suffix(".json")?,
        [kind, page] => page.strip_suffix(".json").map(|_| *kind)?,
        _ => return None,
    };
    // Without a manifest only what is known can be told from what lies about.
    (!matches!(ArtifactKind::named(name), ArtifactKind::Other(_))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_any_width() {
        for (name, expected) in [
            ("capture/a/0001.json", 1),
            ("capture/a/12345.json", 12_345),
            ("capture/a/99999999999.json", u32::MAX),
            ("capture/a/subs.json", 0),
            ("capture/a/1a.json", 0),
            ("capture/a/.json", 0),
            ("", 0),
        ] {
            assert_eq!(page(name), expected, "{name}");
        }
    }

    #[test]
    fn paths_of_every_family() {
        let mut texts = Texts::default();
        for (path, expected) in [
            ("capture/clusters/A/a1/health/0001.json", "health A a1 - - - -"),
            ("capture/clusters/unclustered/solo/subs.json", "subs - solo - - - -"),
            (
                "capture/accounts/$G/servers/A__a__1/account_subs/1.json",
                "account_subs - - $G - - A__a__1",
            ),
            (
                "capture/accounts/X/streams/S/replicas/A__a1/stream_info.json",
                "stream_info - - X S - A__a1",
            ),
            ("capture/profiles/A/a1__heap.prof", "profile A - - - - a1__heap"),
            ("capture/misc/audit_gather_log.log", "- - - - - audit_gather_log -"),
            ("capture/clusters/A/a1/of_the_future/0001.json", ""),
            ("capture/clusters/A/a1/health/more/0001.json", ""),
            ("capture/accounts/X/health.json", ""),
            ("capture/readme", ""),
            ("elsewhere/clusters/A/a1/health.json", ""),
        ] {
            let told = read(path, &mut texts).map_or(String::new(), |Told { tags, folder }| {
                let Tags { kind, cluster, server, account, stream, special, .. } = tags;
                let ids = [kind, cluster, server, account, stream, special, folder];
                ids.map(|id| texts.get(id).map_or("-", AsRef::as_ref)).join(" ")
            });
            assert_eq!(told, expected, "{path}");
        }
    }

    #[test]
    fn a_capture_is_in_the_root_or_one_folder_deeper() {
        for (name, root) in [
            ("capture/x", Some("")),
            ("ticket/capture/x", Some("ticket/")),
            ("a/b/capture/x", None),
            ("/capture/x", None),
            ("captures/x", None),
        ] {
            assert_eq!(root_of_entry(name), root, "{name}");
        }
    }
}
