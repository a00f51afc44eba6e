//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::boundary;

/// Writes beside the place and renames, keeping the rights of a file that is there already.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("part");
    let mut file = File::create(&temp)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    boundary::pass("file.rename");
    fs::rename(&temp, path)?;
    boundary::pass("file.rename");
    Ok(())
}

/// Writes a file that must not be there yet, whole or not at all.
pub fn create_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("part");
    let mut file = File::create(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    boundary::pass("file.create");
    let (from, to) = (temp.as_path(), path);
    let here = rustix::fs::CWD;
    let made = rustix::fs::renameat_with(here, from, here, to, rustix::fs::RenameFlags::NOREPLACE);
    boundary::pass("file.create");
    if made.is_err() {
        drop(fs::remove_file(&temp));
    }
    made.map_err(io::Error::from)
}
