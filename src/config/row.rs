//! A row of the table of keys.

use toml_edit::Value;

/// One key as data.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) accepts: fn() -> String,
    pub(super) default: fn() -> Option<Value>,
    pub(super) bounds: Option<(i32, i32)>,
    pub(super) required: bool,
    pub(super) doc: &'static str,
}
