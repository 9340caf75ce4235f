//! What a Neovim has drawn, folded from its `redraw` events (the `ext_linegrid` and `ext_hlstate` extensions of its UI protocol). Pure.

use rmpv::Value;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// How a cell is coloured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The highlight groups, the lowest first, as far as they have names.
    pub groups: Vec<String>,
    /// Colours as 0xRRGGBB; the screen's own where there is none.
    pub foreground: Option<u64>,
    /// Likewise.
    pub background: Option<u64>,
    /// `bold`, `italic`, `underline`, `strikethrough`, `reverse` and the like, those that hold.
    pub styles: BTreeSet<String>,
}

/// A place for one character. The right half of a wide one is empty.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// The character, with what combines with it.
    pub text: String,
    look: u64,
}

/// Rows of cells.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    rows: Vec<Vec<Cell>>,
    looks: HashMap<u64, Look>,
    colours: (u64, u64),
    cursor: (usize, usize),
}

impl Screen {
    /// The cells, from the top.
    #[must_use]
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// How a cell is coloured.
    #[must_use]
    pub fn look(&self, cell: &Cell) -> Look {
        self.looks.get(&cell.look).cloned().unwrap_or_default()
    }

    /// The foreground and the background of what has none of its own, as 0xRRGGBB.
    #[must_use]
    pub fn colours(&self) -> (u64, u64) {
        self.colours
    }

    /// Row and column of the cursor, from 0.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        self.cursor
    }

    /// The text of a row, without blanks at its end.
    #[must_use]
    pub fn line(&self, row: usize) -> String {
        let text: String = self.rows.get(row).into_iter().flatten().map(|cell| cell.text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// All of the text.
    #[must_use]
    pub fn text(&self) -> String {
        (0..self.rows.len()).map(|row| self.line(row) + "\n").collect()
    }

    /// Whether a row holds a text.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        (0..self.rows.len()).any(|row| self.line(row).contains(text))
    }

    /// The rows with the groups of one's choice: below a row that has any stands from which column to before which.
    #[must_use]
    pub fn with_groups(&self, groups: &[&str]) -> String {
        let mut text = String::new();
        for (row, cells) in self.rows.iter().enumerate() {
            text += &format!("│{}\n", self.line(row));
            for (from, to, names) in self.runs(cells, groups) {
                text += &format!(" {from}..{to} {names}\n");
            }
        }
        text
    }

    fn runs(&self, cells: &[Cell], groups: &[&str]) -> Vec<(usize, usize, String)> {
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (column, cell) in cells.iter().enumerate() {
            let look = self.look(cell);
            let names: Vec<&str> =
                look.groups.iter().map(String::as_str).filter(|name| groups.contains(name)).collect();
            let names = names.join("+");
            match runs.last_mut() {
                Some((_, to, last)) if *last == names => *to = column + 1,
                _ => runs.push((column, column + 1, names)),
            }
        }
        runs.retain(|(.., names)| !names.is_empty());
        runs
    }

    /// Takes one event: its name, then the arguments of each time it happened.
    pub(super) fn take(&mut self, event: &Value) {
        let Some((name, calls)) = event.as_array().and_then(|parts| parts.split_first()) else { return };
        for call in calls {
            let Some(arguments) = call.as_array() else { continue };
            let number = |at: usize| arguments.get(at).and_then(Value::as_i64).unwrap_or_default();
            let place = |at: usize| usize::try_from(number(at)).unwrap_or_default();
            match name.as_str().unwrap_or_default() {
                "grid_resize" => self.resize(place(1), place(2)),
                "grid_clear" => self.resize(self.rows.first().map_or(0, Vec::len), self.rows.len()),
                "grid_cursor_goto" => self.cursor = (place(1), place(2)),
                "grid_line" => self.write(place(1), place(2), arguments.get(3)),
                "grid_scroll" => self.scroll((place(1), place(2)), (place(3), place(4)), number(5)),
                "hl_attr_define" => self.define(arguments),
                "default_colors_set" => {
                    let colour = |at: usize, default: u64| u64::try_from(number(at)).unwrap_or(default);
                    self.colours = (colour(0, 0), colour(1, 0xFF_FF_FF));
                }
                _ => {}
            }
        }
    }

    fn resize(&mut self, columns: usize, rows: usize) {
        let empty = Cell { text: " ".to_owned(), look: 0 };
        self.rows = vec![vec![empty; columns]; rows];
    }

    // Cells are `[text, look, times]`; a look that is left out is that of the cell before.
    fn write(&mut self, row: usize, column: usize, cells: Option<&Value>) {
        let Some(line) = self.rows.get_mut(row) else { return };
        let (mut at, mut look) = (column, 0);
        for cell in cells.and_then(Value::as_array).into_iter().flatten() {
            let Some(parts) = cell.as_array() else { continue };
            let text = parts.first().and_then(Value::as_str).unwrap_or_default();
            look = parts.get(1).and_then(Value::as_u64).unwrap_or(look);
            for _ in 0..parts.get(2).and_then(Value::as_u64).unwrap_or(1) {
                if let Some(place) = line.get_mut(at) {
                    *place = Cell { text: text.to_owned(), look };
                }
                at += 1;
            }
        }
    }

    // Moves the rows of a part up by so many, or down by a negative number. What is left free is written afterwards.
    fn scroll(&mut self, (top, bottom): (usize, usize), (left, right): (usize, usize), by: i64) {
        let before = self.rows.clone();
        for row in top..bottom {
            let from = i64::try_from(row).unwrap_or_default() + by;
            let Some(from) = usize::try_from(from).ok().filter(|from| (top..bottom).contains(from)) else { continue };
            let moved = before.get(from).and_then(|cells| cells.get(left..right));
            if let (Some(to), Some(moved)) =
                (self.rows.get_mut(row).and_then(|cells| cells.get_mut(left..right)), moved)
            {
                to.clone_from_slice(moved);
            }
        }
    }

    fn define(&mut self, arguments: &[Value]) {
        let [id, colours, _, states, ..] = arguments else { return };
        let mut look = Look::default();
        for (key, value) in colours.as_map().into_iter().flatten() {
            match (key.as_str().unwrap_or_default(), value) {
                ("foreground", value) => look.foreground = value.as_u64(),
                ("background", value) => look.background = value.as_u64(),
                (style, Value::Boolean(true)) => _ = look.styles.insert(style.to_owned()),
                _ => {}
            }
        }
        for state in states.as_array().into_iter().flatten() {
            let named = |name: &str| {
                let entries = state.as_map().into_iter().flatten();
                entries.filter(|(key, _)| key.as_str() == Some(name)).find_map(|(_, value)| value.as_str())
            };
            if let Some(name) = named("hi_name").filter(|name| !name.is_empty()).or(named("ui_name")) {
                look.groups.push(name.to_owned());
            }
        }
        self.looks.insert(id.as_u64().unwrap_or_default(), look);
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
