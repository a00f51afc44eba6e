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
