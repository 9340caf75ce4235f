use super::*;

/// Where the block stands in the text, and for each of its lines what it stands for.
fn check(text: &str, block: &[&str], tier: Tier, expected: &[&[Range<usize>]]) {
    let haystack = Haystack::new(text);
    let places = haystack.find(&Needle { lines: block, added: &[] }, tier, 0);
    let maps: Vec<Vec<Range<usize>>> = places.iter().map(|place| haystack.map(place, block)).collect();
    assert_eq!(maps, expected, "{block:?} in {text:?}");
    for (place, map) in places.iter().zip(&maps) {
        assert_eq!(map.first().map(|range| range.start), Some(place.lines.start));
        assert_eq!(map.last().map(|range| range.end), Some(place.lines.end));
    }
}

#[test]
fn finds_overlapping_places() {
    check("a\na\na\n", &["a", "a"], Tier::Exact, &[&[0..1, 1..2], &[1..2, 2..3]]);
    check("a\nb\na\nb\na\n", &["a", "b", "a"], Tier::Exact, &[&[0..1, 1..2, 2..3], &[2..3, 3..4, 4..5]]);
    check("a\n", &["b"], Tier::Exact, &[]);
    check("a\n", &[], Tier::Exact, &[]);
}

#[test]
fn blank_lines_stand_for_any_number() {
    check("a\n\n\nb\n", &["a", "b"], Tier::BlankLines, &[&[0..1, 3..4]]);
    check("a\n\n\nb\n", &["a", "", "b"], Tier::BlankLines, &[&[0..1, 1..3, 3..4]]);
    check("a\nb\n", &["a", "", "", "b"], Tier::BlankLines, &[&[0..1, 1..1, 1..1, 1..2]]);
    check("\n\na\n\n", &["", "a", "", ""], Tier::BlankLines, &[&[1..2, 2..3, 3..4, 4..4]]);
    check("a\n", &["", "", "a"], Tier::BlankLines, &[&[0..0, 0..0, 0..1]]);
    check("x\n\na\n", &["", "", "a"], Tier::BlankLines, &[&[1..1, 1..2, 2..3]]);
}
