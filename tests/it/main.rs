//! Stories through the real binary: real git, real processes, real `SQLite`, a local forge.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::use_debug,
    clippy::invisible_characters,
    unreachable_pub,
    reason = "tests stop at the first surprise, and work with the world itself"
)]

mod afterwards;
mod agents;
mod answers;
mod architecture;
mod badinput;
mod canary;
mod commands;
mod contract;
mod crash;
mod cutoff;
mod desk;
mod earlier;
mod emulator;
mod faults;
mod foreground;
mod forge;
mod generated;
mod harvest;
mod hostile;
mod kept;
mod lessons;
mod locks;
mod migrations;
mod model;
mod network_forge;
mod network_forge_admin;
mod network_forge_app;
mod network_forge_checks;
mod network_forge_hostile;
mod network_forge_said;
mod network_forge_trust;
mod network_forge_watch;
mod notify;
mod page;
mod peers;
mod pipeline;
mod pipelines;
mod published;
mod pulls;
mod races;
mod readme;
mod resumed;
mod reviews;
mod runaway;
mod runners;
mod sandbox;
mod schedule;
mod secrets;
mod selection;
mod setup;
mod stories;
mod supervisor;
mod t3;
mod templates;
mod tmux;
mod upgrade;
mod weekend;
mod world;
mod yesterday;
