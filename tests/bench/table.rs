//! The table that is printed: what was measured, against which goal and which reference. Pure.

use std::fmt;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// 2^20 bytes.
    Mebibytes,
    /// 2^10 bytes.
    Kibibytes,
    /// A million bytes.
    Megabytes,
    /// Things.
    Count,
}

impl Unit {
    fn write(self, value: f64) -> String {
        let digits = match value.abs() {
            _ if self == Unit::Count => 0,
            size if size < 1.0 => 3,
            size if size < 100.0 => 2,
            _ => 0,
        };
        let name = match self {
            Unit::Milliseconds => " ms",
            Unit::Seconds => " s",
            Unit::Mebibytes => " MiB",
            Unit::Kibibytes => " KiB",
            Unit::Megabytes => " MB",
            Unit::Count => "",
        };
        format!("{value:.digits$}{name}")
    }
}

/// One thing that was measured, some times.
#[derive(Debug)]
pub struct Row {
    what: String,
    unit: Unit,
    samples: Vec<f64>,
    goal: Option<f64>,
    reference: Option<(String, f64)>,
}

impl Row {
    /// What was measured, with no goal.
    pub fn new(what: impl Into<String>, unit: Unit, samples: Vec<f64>) -> Self {
        Self { what: what.into(), unit, samples, goal: None, reference: None }
    }

    /// The most that the median may be.
    pub fn goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// What the same costs, in the same unit, where nothing of ours is done.
    pub fn against(mut self, name: &str, samples: &[f64]) -> Self {
        if !samples.is_empty() {
            self.reference = Some((name.to_owned(), median(samples)));
        }
        self
    }

    fn cells(&self) -> [String; 7] {
        if self.samples.is_empty() {
            return [
                self.what.clone(),
                "0".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                String::new(),
                String::new(),
                String::new(),
            ];
        }
        let middle = median(&self.samples);
        let goal = self.goal.map_or_else(String::new, |goal| format!("<= {}", self.unit.write(goal)));
        let verdict = match self.goal {
            None => "",
            Some(goal) if middle <= goal => "met",
            Some(_) => "MISSED",
        };
        let reference = self.reference.as_ref().map_or_else(String::new, |(name, value)| {
            format!("{:.1} x {name} ({})", middle / value, self.unit.write(*value))
        });
        [
            self.what.clone(),
            self.samples.len().to_string(),
            self.unit.write(middle),
            self.unit.write(percentile(&self.samples, 0.95)),
            goal,
            verdict.to_owned(),
            reference,
        ]
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    remarks: Vec<String>,
}

impl Table {
    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a sentence below the table.
    pub fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["what", "runs", "median", "p95", "goal", "", "reference of this run"].map(str::to_owned);
        let lines: Vec<[String; 7]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..7).map(width).collect();
        for line in &lines {
            let [what, runs, middle, high, goal, verdict, reference] = line;
            let [w0, w1, w2, w3, w4, w5, _] = widths[..] else { return Err(fmt::Error) };
            let text =
                format!("{what:w0$}  {runs:>w1$}  {middle:>w2$}  {high:>w3$}  {goal:>w4$}  {verdict:w5$}  {reference}");
            writeln!(f, "{}", text.trim_end())?;
        }
        for remark in &self.remarks {
            writeln!(f, "- {remark}")?;
        }
        write!(f, "A goal is for the median.")
    }
}

/// The middle one; of an even number the lower of the two in the middle.
pub fn median(samples: &[f64]) -> f64 {
    percentile(samples, 0.5)
}

/// The least sample that this part of all does not exceed. NaN of none.
pub fn percentile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are small"
    )]
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
