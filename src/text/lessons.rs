//! Lessons in texts about runs.

/// For a receipt: `3, 7`, or that there were none.
pub fn given(ids: &[i64]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
