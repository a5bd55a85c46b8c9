//! What the lists of stored things share: conditions with their values, an order, a page.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};

/// A list of the rows of a table.
#[derive(Debug)]
pub(super) struct List {
    table: &'static str,
    clauses: Vec<String>,
    values: Vec<Sql>,
    order: Option<Order>,
}

/// By what rows are sorted: an expression, and the row where that is equal, each ascending or not.
#[derive(Debug)]
struct Order {
    by: String,
    ascending: bool,
    equals_ascending: bool,
}

impl Order {
    /// As a clause, or the other way round.
    fn clause(&self, reversed: bool) -> String {
        let direction = |ascending: bool| if ascending == reversed { "DESC" } else { "ASC" };
        let Self { by, ascending, equals_ascending } = self;
        format!(" ORDER BY {by} {}, rowid {}", direction(*ascending), direction(*equals_ascending))
    }
}

impl List {
    pub(super) fn of(table: &'static str) -> Self {
        Self { table, clauses: Vec::new(), values: Vec::new(), order: None }
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
    /// insertion or in the opposite one, so that two listings never disagree.
    pub(super) fn sort(
        &mut self,
        column: Option<&str>,
        columns: &[&str],
        ascending: bool,
        equals_ascending: bool,
    ) {
        self.order = column.filter(|name| columns.contains(name)).map(|name| Order {
            by: name.to_owned(),
            ascending,
            equals_ascending,
        });
    }

    /// Sorted by what a column is as a number, as agno 3.1.10 sorts contents: texts are all alike.
    pub(super) fn sort_by_number(&mut self, column: &str, columns: &[&str], ascending: bool) {
        let sign = if ascending { 1 } else { -1 };
        self.order = columns.contains(&column).then(|| Order {
            by: format!("{column} * {sign}"),
            ascending: true,
            equals_ascending: true,
        });
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

    /// One page of so many rows in all.
    pub(super) fn page<T>(
        &self,
        connection: &Connection,
        columns: &str,
        (limit, offset): (i64, i64),
        total: i64,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let Self { table, values, .. } = self;
        let filtered = self.filtered();
        // Rows are passed over from the nearer end.
        let (left, reversed) = (total.saturating_sub(offset), self.order.is_some() && offset > total / 2);
        let (limit, offset) = match (reversed, limit < 0 || limit > left) {
            (false, _) => (limit, offset),
            (true, true) => (left.max(0), 0),
            (true, false) => (limit, left - limit),
        };
        let order = |reversed| self.order.as_ref().map_or_else(String::new, |order| order.clause(reversed));
        let (passing, shown) = (order(reversed), order(false));
        let mut statement = connection.prepare_cached(&format!(
            // That happens in the index alone.
            "SELECT {columns} FROM {table} WHERE rowid IN \
             (SELECT rowid FROM {table}{filtered}{passing} LIMIT {limit} OFFSET {offset}){shown}"
        ))?;
        statement.query_map(params_from_iter(values), read)?.collect()
    }
}
