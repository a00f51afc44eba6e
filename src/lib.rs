//! offhours: a control plane for coding agents that work while their owner is away from the keyboard.

pub mod adapters;
pub mod boundary;
pub mod cli;
pub mod commands;
pub mod config;
pub mod domain;
pub mod error;
pub mod ports;
pub mod store;
pub mod tick;
