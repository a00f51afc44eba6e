//! One statement on the state file, read or written, with that in the error. Each is prepared once.

use rusqlite::{Connection, Params, Row};

use super::error::{StoreResult, sql};

pub(super) trait Ask {
    /// Every row that answers, in its order.
    fn rows<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>>;

    /// The first row that answers, if one does.
    fn row<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<Option<T>>;

    /// The first row, where one has to answer.
    fn one<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<T>;

    /// Writes, and tells how many rows changed.
    fn change(&self, statement: &str, values: impl Params) -> StoreResult<usize>;

    fn write(&self, statement: &str, values: impl Params) -> StoreResult<()> {
        self.change(statement, values).map(drop)
    }
}

impl Ask for Connection {
    fn rows<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        let mut statement = self.prepare_cached(query)?;
        statement.query_and_then(values, read)?.collect()
    }

    fn row<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        let mut statement = self.prepare_cached(query)?;
        statement.query_and_then(values, read)?.next().transpose()
    }

    fn one<T>(
        &self,
        query: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> StoreResult<T>,
    ) -> StoreResult<T> {
        self.row(query, values, read)?.ok_or(rusqlite::Error::QueryReturnedNoRows.into())
    }

    fn change(&self, statement: &str, values: impl Params) -> StoreResult<usize> {
        let mut statement = self.prepare_cached(statement).map_err(sql("written"))?;
        statement.execute(values).map_err(sql("written"))
    }
}
