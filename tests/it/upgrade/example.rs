//! `examples/recipes`, as a person would run it.

use std::path::Path;
use std::process::Command;

use super::registry::Registry;

#[test]
fn the_example_runs_the_whole_weekly_job() {
    let registry = Registry::new();
    for name in ["team/blog", "team/wiki"] {
        registry.image(name, &["1.0.0", "1.1.0", "2.0.0"]);
    }
    let temp = tempfile::Builder::new().prefix("offhours-example-").tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes/run.sh");
    let output = Command::new("sh")
        .arg(script)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", temp.path())
        .env("OFFHOURS", crate::world::BINARY)
        .env("REGISTRY", registry.host())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "blog: would go to 1.1.0+1.1.0",
        "PULL REQUESTS\n  blog 1.1.0+1.1.0: recipes/blog#1 — RESULT: SUCCESS\n  wiki 1.1.0+1.1.0: recipes/wiki#1 — RESULT: SUCCESS",
        "taken down: blog\ntaken down: wiki\n",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "it leaves nothing behind");
}
