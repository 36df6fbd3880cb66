//! Columns that line up, as many as fit.

use super::canvas::{COLUMNS, Canvas, Tone};
use crate::render::plain;

/// Columns of the widest cell.
const WIDEST: usize = 24;
/// Columns of the widest cell of which a part would say nothing.
const WIDEST_WHOLE: usize = 32;
/// Columns to which a wide cell shrinks where not everything fits.
const NARROW: usize = 14;
/// Columns to which an id shrinks where even that is too much: what stands behind it says more.
const NARROWEST: usize = 9;
/// Spaces between columns.
const BETWEEN: usize = 2;

/// A table under construction; all its columns have the same number of cells.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<Column>,
}

struct Column {
    head: String,
    cells: Vec<String>,
    width: usize,
}

impl Column {
    /// Part of an id is enough to find it; part of a time or a reason says nothing.
    fn whole(&self) -> bool {
        matches!(self.head.as_str(), "time" | "reason")
    }

    /// Columns it takes when it is as narrow as it can be.
    fn least(&self) -> usize {
        match self.head.as_str() {
            _ if self.whole() => self.width,
            "id" => self.width.min(NARROWEST),
            _ => self.width.min(NARROW),
        }
    }
}

impl Table {
    /// Adds a column on the right.
    pub(super) fn column(&mut self, head: &str, cells: Vec<String>) {
        let widest = cells.iter().map(|cell| plain::width(cell)).max().unwrap_or(0);
        let mut column = Column { head: head.to_owned(), cells, width: 0 };
        let most = if column.whole() { WIDEST_WHOLE } else { WIDEST };
        column.width = widest.max(plain::width(head)).min(most);
        self.columns.push(column);
    }

    /// Draws the columns that fit, and names the others, which stand in the JSON report.
    pub(super) fn draw(mut self, canvas: &mut Canvas, indent: usize) {
        let room = COLUMNS.saturating_sub(indent);
        let mut left_out = Vec::new();
        while self.columns.len() > 1 && self.least() > room {
            left_out.extend(self.columns.pop().map(|column| column.head));
        }
        left_out.reverse();
        self.shrink(room);
        if self.columns.len() > 1 {
            canvas.line(indent, &[(Tone::Faint, &self.line(|column| &column.head))]);
        }
        let rows = self.columns.first().map_or(0, |column| column.cells.len());
        for row in 0..rows {
            let text = self.line(|column| column.cells.get(row).map_or("", String::as_str));
            canvas.line(indent, &[(Tone::Plain, &text)]);
        }
        if !left_out.is_empty() {
            let more = format!("… in the JSON report only: {}", left_out.join(", "));
            canvas.line(indent, &[(Tone::Faint, &more)]);
        }
    }

    /// Columns it takes when all of them are as narrow as they can be.
    fn least(&self) -> usize {
        let columns = self.columns.iter().map(|column| column.least() + BETWEEN);
        columns.sum::<usize>().saturating_sub(BETWEEN)
    }

    /// Narrows wide columns until all fit or none is wide: ids first, of which a part is enough to
    /// find them, then the widest.
    fn shrink(&mut self, room: usize) {
        let total = |columns: &[Column]| -> usize {
            columns.iter().map(|column| column.width + BETWEEN).sum::<usize>()
        };
        while total(&self.columns) > room + BETWEEN {
            let wide =
                self.columns.iter_mut().filter(|column| column.width > NARROW && !column.whole());
            match wide.max_by_key(|column| (column.head == "id", column.width)) {
                Some(column) => column.width = NARROW,
                None => break,
            }
        }
        let lacking = total(&self.columns).saturating_sub(room + BETWEEN);
        let id = self.columns.iter_mut().find(|column| column.head == "id");
        // Only where that makes all of it fit: else nothing is won.
        if let Some(id) = id.filter(|id| lacking > 0 && id.width >= NARROWEST + lacking) {
            id.width = NARROWEST;
        }
    }

    fn line<'a>(&'a self, cell: impl Fn(&'a Column) -> &'a str) -> String {
        let cells: Vec<String> =
            self.columns.iter().map(|column| plain::pad(cell(column), column.width)).collect();
        cells.join(&" ".repeat(BETWEEN))
    }
}
