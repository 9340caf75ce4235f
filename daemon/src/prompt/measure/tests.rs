use super::*;
use expect_test::{Expect, expect};

fn check(window: &Window, expected: Expect) {
    expected.assert_eq(&format!(
        "size {} limit {} sure {} high {} comfortable {} a thousand is {}",
        window.size(),
        window.limit(),
        window.sure(),
        window.high_water(),
        window.comfortable(),
        window.scaled(1_000)
    ));
}

fn window(told: Option<u64>) -> Window {
    let mut window = Window::default();
    window.belongs_to(&ModelName("p/m".to_owned()), told);
    window
}

#[test]
fn a_window_that_nobody_knows_is_taken_for_a_common_one() {
    check(
        &window(None),
        expect!["size 128000 limit 112000 sure 112000 high 96000 comfortable 76800 a thousand is 1000"],
    );
    check(
        &window(Some(32_000)),
        expect!["size 32000 limit 28000 sure 28000 high 24000 comfortable 19200 a thousand is 1000"],
    );
}

#[test]
fn what_the_provider_counts_raises_estimates_and_never_lowers_them() {
    let mut window = window(Some(32_000));
    window.counted(1_000, 1_500);
    assert_eq!(window.scaled(1_000), 1_500);
    window.counted(1_000, 10);
    assert_eq!(window.scaled(1_000), 1_000);
    window.counted(1_000, 90_000);
    assert_eq!(window.scaled(1_000), 4_000);
    window.belongs_to(&ModelName("p/other".to_owned()), Some(32_000));
    assert_eq!(window.scaled(1_000), 1_000);
}

#[test]
fn a_refusal_teaches_how_much_is_too_much() {
    let mut window = window(None);
    window.refused(40_000);
    check(&window, expect!["size 128000 limit 112000 sure 34000 high 25500 comfortable 20400 a thousand is 1000"]);
}

#[test]
fn parts_are_spread_over_what_was_counted() {
    let context = ContextUse { instructions: 10, history: 20, tool_output: 30, files: 40 };
    let spread = spread(&context, 1_003);
    assert_eq!(spread, ContextUse { instructions: 102, history: 200, tool_output: 300, files: 401 });
    assert_eq!(total(&spread), 1_003);
}
