use super::*;

fn check(text: &str, bom: bool, line_ending: LineEnding, final_newline: bool, bodies: &[&str]) {
    assert_eq!(TextShape::of(text), TextShape { bom, line_ending, final_newline }, "{text:?}");
    let (mark, rest) = split_bom(text);
    let lines = split(rest);
    assert_eq!(lines.iter().map(|line| line.body).collect::<Vec<_>>(), bodies, "{text:?}");
    let whole: String = lines.iter().flat_map(|line| [line.body, line.ending]).collect();
    assert_eq!(format!("{mark}{whole}"), text);
}

#[test]
fn tells_what_a_text_looks_like() {
    check("", false, LineEnding::Lf, false, &[]);
    check("a", false, LineEnding::Lf, false, &["a"]);
    check("a\n\nb\n", false, LineEnding::Lf, true, &["a", "", "b"]);
    check("a\r\nb", false, LineEnding::CrLf, false, &["a", "b"]);
    check("a\r\nb\n", false, LineEnding::Mixed, true, &["a", "b"]);
    check("a\rb\r\r\n\r", false, LineEnding::CrLf, false, &["a\rb\r", "\r"]);
    check("\u{feff}a\n", true, LineEnding::Lf, true, &["a"]);
    check("\u{feff}", true, LineEnding::Lf, false, &[]);
}
