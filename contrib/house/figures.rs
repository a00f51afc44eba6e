//! The figures of the house: how large it is, and what the rules of tests/it/architecture.rs hold it to.
//!
//!     cargo run --features testing --example house
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a program for the people who build it"
)]

mod graph;

use std::path::Path;

use graph::{Graph, sources};

fn main() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&top.join("src"));
    let graph = Graph::of(&sources);
    let mut lengths: Vec<(usize, &str)> = sources.iter().map(|s| (s.lines.len(), s.name.as_str())).collect();
    lengths.sort_unstable();
    let lines: usize = lengths.iter().map(|(n, _)| n).sum();
    let (longest, name) = lengths.last().unwrap();
    let circles = graph.circles();
    println!("lines without tests      {lines}");
    println!("files                    {}", lengths.len());
    println!("median file              {}", lengths[lengths.len() / 2].0);
    println!("longest file             {longest} (src/{name})");
    let long: Vec<&(usize, &str)> = lengths.iter().filter(|(n, _)| *n > 500).collect();
    println!("files over 500           {}", long.len());
    for (lines, name) in long {
        println!("  {lines} src/{name}");
    }
    println!("circles                  {}", circles.len());
    for circle in &circles {
        println!("  {} files:", circle.len());
        for file in circle {
            let names = graph.names[file].iter().filter(|to| circle.contains(*to)).map(String::as_str);
            println!("    {file} -> {}", names.collect::<Vec<_>>().join(" "));
        }
    }
    println!("functions with a world   {}", graph.takes_world.len());
    println!("exceptions               {}", exceptions(top));
}

/// Rows of the table in the rules of the house.
fn exceptions(top: &Path) -> usize {
    let text = std::fs::read_to_string(top.join("tests/it/architecture.rs")).unwrap_or_default();
    let table =
        text.split("const EXCEPTIONS").nth(1).and_then(|t| t.split("\n];").next()).unwrap_or_default();
    table.lines().filter(|line| line.trim_start().starts_with("why:")).count()
}
