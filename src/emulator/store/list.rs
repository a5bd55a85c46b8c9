//! What the lists of stored things share: conditions with their values, an order, a page.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};

/// A list of the rows of a table.
#[derive(Debug)]
pub(super) struct List {
    table: &'static str,
    clauses: Vec<String>,
    values: Vec<Sql>,
    order: String,
}

impl List {
    pub(super) fn of(table: &'static str) -> Self {
        Self { table, clauses: Vec::new(), values: Vec::new(), order: String::new() }
    }

    /// Only rows that fulfil a condition, whose `?` is the value.
    pub(super) fn only(&mut self, clause: &str, value: &str) {
        self.values.push(Sql::Text(value.to_owned()));
        self.clauses.push(clause.replace('?', &format!("?{}", self.values.len())));
    }

    /// The same where there is something to compare with.
    pub(super) fn only_some(&mut self, clause: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.only(clause, value);
        }
    }

    /// Sorted by a column; a name that is none of them means no order at all. Equal values come in the order of
    /// insertion, so that two listings never disagree.
    pub(super) fn sort(&mut self, column: Option<&str>, columns: &[&str], ascending: bool, equals: &str) {
        if let Some(name) = column.filter(|name| columns.contains(name)) {
            let direction = if ascending { "ASC" } else { "DESC" };
            self.order = format!(" ORDER BY {name} {direction}, rowid {equals}");
        }
    }

    /// Sorted by what a column is as a number, as agno 3.1.10 sorts contents: texts are all alike.
    pub(super) fn sort_by_number(&mut self, column: &str, columns: &[&str], ascending: bool) {
        if columns.contains(&column) {
            let sign = if ascending { 1 } else { -1 };
            self.order = format!(" ORDER BY {column} * {sign}, rowid");
        }
    }

    fn filtered(&self) -> String {
        let all = self.clauses.join(" AND ");
        if all.is_empty() { all } else { format!(" WHERE {all}") }
    }

    /// How many rows there are in all.
    pub(super) fn count(&self, connection: &Connection) -> rusqlite::Result<i64> {
        connection
            .prepare_cached(&format!("SELECT count(*) FROM {}{}", self.table, self.filtered()))?
            .query_row(params_from_iter(&self.values), |row| row.get(0))
    }

    /// One page of the rows.
    pub(super) fn page<T>(
        &self,
        connection: &Connection,
        columns: &str,
        (limit, offset): (i64, i64),
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let Self { table, order, values, .. } = self;
        let filtered = self.filtered();
        let mut statement = connection.prepare_cached(&format!(
            // The rows before the page are passed over in the index alone.
            "SELECT {columns} FROM {table} WHERE rowid IN \
             (SELECT rowid FROM {table}{filtered}{order} LIMIT {limit} OFFSET {offset}){order}"
        ))?;
        statement.query_map(params_from_iter(values), read)?.collect()
    }
}
