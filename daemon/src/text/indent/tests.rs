use super::*;

fn check(pairs: &[(&str, &str)], added: &[&str], unit: Option<usize>, expected: Option<Shift>) {
    assert_eq!(Shift::find(pairs, added, unit), expected, "{pairs:?} {added:?}");
}

#[test]
fn finds_the_one_shift_of_all_lines() {
    check(&[("", ""), ("  ", "  ")], &[], None, Some(Shift::None));
    check(&[("", "\t"), ("  ", "\t  ")], &["x"], None, Some(Shift::Add("\t".to_owned())));
    check(&[("    ", "  "), ("      ", "    ")], &["  x"], None, Some(Shift::Remove("  ".to_owned())));
    check(&[("    ", "\t"), ("        ", "\t\t")], &[], None, Some(Shift::ToTabs { unit: 4, tabs: 0 }));
    check(&[("  ", "\t\t\t")], &["    x"], None, Some(Shift::ToTabs { unit: 2, tabs: 2 }));
    check(&[("\t", "  "), ("\t\t\t", "      ")], &[], None, Some(Shift::ToSpaces { unit: 2, spaces: 0 }));
    check(&[("\t", "   ")], &["\tx"], None, Some(Shift::ToSpaces { unit: 1, spaces: 2 }));
    check(&[("\t", "    ")], &["\t\tx"], Some(2), Some(Shift::ToSpaces { unit: 2, spaces: 2 }));
}

#[test]
fn finds_none_where_there_is_more_than_one_or_none() {
    check(&[], &[], None, None);
    check(&[("", "  "), ("  ", "  ")], &[], None, None);
    check(&[(" ", "\t")], &[], None, None);
    check(&[("    ", "\t")], &["   x"], None, None);
    check(&[("    ", "\t"), ("        ", "\t")], &[], None, None);
    check(&[("\t", "    ")], &["\t\tx"], None, None);
    check(&[("\t", "  "), ("\t\t", "  ")], &[], None, None);
    check(&[("    ", "")], &["  x"], None, None);
    check(&[(" \t", "\t ")], &[], None, None);
}

#[test]
fn the_unit_is_what_most_lines_go_deeper_by() {
    let check = |text: &str, expected| assert_eq!(unit(&crate::text::shape::split(text)), expected, "{text:?}");
    check("a\n  b\n    c\nd\n", Some(2));
    check("a\n    b\n\n        c\n      d\n", Some(4));
    check("a\nb\n", None);
    check("a\n\tb\n", None);
    check("", None);
}
