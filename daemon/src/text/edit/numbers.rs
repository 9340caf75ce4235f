//! Line numbers that were quoted along with lines, in the forms `  12⇥`, `12: `, `12|` and `12→`.

/// Both blocks without the line numbers. None when not every line of the old block that shows anything has one in
/// rising order, or when only some lines of the new block have one.
pub(super) fn strip<'a>(old: &[&'a str], new: &[&'a str]) -> Option<(Vec<&'a str>, Vec<&'a str>)> {
    let mut last = 0;
    let mut stripped = Vec::with_capacity(old.len());
    for line in old {
        if line.trim().is_empty() {
            stripped.push(*line);
            continue;
        }
        let (number, rest) = split(line)?;
        if number <= last {
            return None;
        }
        last = number;
        stripped.push(rest);
    }
    let is_old = |line: &&str| line.trim().is_empty() || old.contains(line);
    let others: Vec<&str> = new.iter().copied().filter(|line| !is_old(line)).collect();
    let numbered = others.iter().filter(|line| split(line).is_some()).count();
    if numbered != 0 && numbered != others.len() {
        return None;
    }
    let bare = |line: &&'a str| match split(line) {
        Some((_, rest)) if numbered != 0 || is_old(line) => rest,
        _ => line,
    };
    Some((stripped, new.iter().map(bare).collect()))
}

/// The line number and the rest of the line.
fn split(line: &str) -> Option<(u64, &str)> {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at_checked(digits)?;
    let number = number.parse().ok()?;
    if rest.is_empty() {
        return Some((number, rest));
    }
    let rest = rest.strip_prefix('\t').or_else(|| {
        let rest = rest.trim_start_matches(' ');
        let bare = rest.strip_prefix(['|', '→']);
        bare.or_else(|| rest.strip_prefix(": ")).or_else(|| rest.strip_prefix(':').filter(|rest| rest.is_empty()))
    })?;
    Some((number, rest))
}
