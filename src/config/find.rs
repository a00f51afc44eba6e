//! Where the configuration file is, and its bytes as text.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A thousand repos with a table each fit many times; a file larger than this is a mistake.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The configuration file: `--config`, `$OFFHOURS_CONFIG`, `$XDG_CONFIG_HOME/offhours/config.toml` (with
/// `$HOME/.config` where that is not set), `/etc/offhours/config.toml`. An empty variable counts as not set.
///
/// # Errors
/// Kind `Config` where the file that was named, or each of the places, does not exist.
pub fn find(explicit: Option<&Path>, env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = explicit
        .map(|path| (path.to_owned(), "--config"))
        .or_else(|| set("OFFHOURS_CONFIG").map(|path| (path, "OFFHOURS_CONFIG")));
    if let Some((path, by)) = named {
        // Not `is_file`: a pipe that a shell made is good too.
        if path.exists() {
            return Ok(path);
        }
        let what = format!("{by} names the configuration file {}, and there is no such file", path.display());
        return Err(Error::config(what).hint(how_to_make_one(&path)));
    }
    let home = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let mut places: Vec<PathBuf> = home.map(|dir| dir.join("offhours/config.toml")).into_iter().collect();
    places.push(PathBuf::from("/etc/offhours/config.toml"));
    if let Some(found) = places.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let shown: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    let what = format!("looked for a configuration file at {} and found none", shown.join(" and "));
    let hint = places.first().map(|path| how_to_make_one(path)).unwrap_or_default();
    Err(Error::config(what).hint(hint))
}

/// Where a configuration file would be, whether there is one or not: the first of the places that is somebody's own.
///
/// # Errors
/// Kind `Config` where nothing names a place.
pub fn place(explicit: Option<&Path>, env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    explicit
        .map(Path::to_owned)
        .or_else(|| set("OFFHOURS_CONFIG"))
        .or_else(|| {
            let home = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
            home.map(|dir| dir.join("offhours/config.toml"))
        })
        .ok_or_else(|| {
            Error::config("there is no place for the configuration file: HOME is not set")
                .hint("name one with --config FILE")
        })
}

fn how_to_make_one(path: &Path) -> String {
    format!(
        "`offhours init` makes {} (`offhours config reference` explains every key), or name another with --config",
        path.display()
    )
}

/// The text of a configuration file.
///
/// # Errors
/// Kind `Config` where it cannot be read, is too large, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(|e| {
        Error::config(format!("reading the configuration {}: {e}", path.display()))
            .hint("see that the file exists and that you may read it")
    })?;
    decode(path, bytes)
}

/// The bytes of a configuration file as text.
///
/// # Errors
/// Kind `Config` where they are too many or not UTF-8.
pub fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    refuse_too_large(path, bytes.len())?;
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().map(|b| usize::from(*b == b'\n')).sum::<usize>();
        Error::config(format!("{}, line {line}: this is not UTF-8 text", path.display()))
            .hint("save the file as UTF-8; if it is not the configuration, name the right one with --config")
    })
}

pub(super) fn refuse_too_large(path: &Path, bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let what =
        format!("{} is larger than {} MiB, too large for a configuration", path.display(), MAX_BYTES >> 20);
    Err(Error::config(what).hint("if it is not the configuration, name the right one with --config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_is_named_wins_and_must_exist() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("xdg/offhours")).unwrap();
        std::fs::create_dir_all(at("home/.config/offhours")).unwrap();
        let files =
            ["explicit.toml", "env.toml", "xdg/offhours/config.toml", "home/.config/offhours/config.toml"];
        for file in files {
            std::fs::write(at(file), "").unwrap();
        }
        let env = |known: &[&str]| {
            let pairs =
                [("OFFHOURS_CONFIG", at("env.toml")), ("XDG_CONFIG_HOME", at("xdg")), ("HOME", at("home"))];
            let known: Vec<(String, OsString)> = pairs
                .into_iter()
                .filter(|(name, _)| known.contains(name))
                .map(|(name, value)| (name.to_owned(), value.into_os_string()))
                .collect();
            move |name: &str| known.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let all = env(&["OFFHOURS_CONFIG", "XDG_CONFIG_HOME", "HOME"]);
        assert_eq!(find(Some(&at("explicit.toml")), &all), Ok(at("explicit.toml")));
        assert_eq!(find(None, &all), Ok(at("env.toml")));
        assert_eq!(find(None, &env(&["XDG_CONFIG_HOME", "HOME"])), Ok(at(files[2])));
        assert_eq!(find(None, &env(&["HOME"])), Ok(at(files[3])));

        let missing = find(Some(&at("nowhere.toml")), &all).unwrap_err();
        assert_eq!(missing.kind, crate::error::Kind::Config);
        assert!(missing.what.contains("--config names"), "{missing}");
        assert!(missing.hint.unwrap().contains("config reference"));
        let broken = |name: &str| (name == "OFFHOURS_CONFIG").then(|| at("gone.toml").into_os_string());
        assert!(find(None, &broken).unwrap_err().what.contains("OFFHOURS_CONFIG names"));
        assert_eq!(read(&at("env.toml")), Ok(String::new()));
        assert!(read(dir.path()).unwrap_err().what.starts_with("reading the configuration"));
    }

    #[test]
    fn bytes_that_are_no_text_are_a_sentence_with_a_line() {
        let error = decode(Path::new("c.toml"), b"a = 1\nb = \"\xff\"\n".to_vec()).unwrap_err();
        assert_eq!(error.what, "c.toml, line 2: this is not UTF-8 text");
        let error = decode(Path::new("c.toml"), vec![b'#'; MAX_BYTES + 1]).unwrap_err();
        assert!(error.what.contains("too large"), "{error}");
    }
}
