use super::*;
use expect_test::{Expect, expect};

fn check(budget: &str, tokens: u64, session: u64, today: u64, expected: Expect) {
    let budget: Budget = toml::from_str(budget).unwrap();
    let usage = |cost: u64| Usage { input_tokens: tokens, cost: Some(cost), ..Usage::default() };
    let mut allowed = BTreeMap::new();
    let passed = budget.passed(&usage(0), &usage(session), &usage(today), &allowed);
    if let Some(passed) = &passed {
        // What was allowed once more lasts as long as the first time.
        allowed.insert(passed.key, passed.spent);
        assert_eq!(budget.passed(&usage(0), &usage(session), &usage(today), &allowed), None);
    }
    expected.assert_eq(&passed.map_or_else(|| "within".to_owned(), |passed| passed.words));
}

#[test]
fn what_is_not_limited_never_ends() {
    check("", u64::MAX / 2, u64::MAX, u64::MAX, expect!["within"]);
}

#[test]
fn the_limit_that_is_reached_is_named_with_its_key() {
    check("turn_tokens = 100", 99, 0, 0, expect!["within"]);
    check(
        "turn_tokens = 100",
        100,
        0,
        0,
        expect!["This turn used 100 tokens, and the budget for one is 100 (`turn_tokens` in [budget] of config.toml)."],
    );
    check(
        "session_usd = 2",
        0,
        2_500_000,
        0,
        expect!["This session cost $2.50, and the budget for one is $2.00 (`session_usd` in [budget] of config.toml)."],
    );
    check(
        "session_usd = 2\nday_usd = 0.5",
        0,
        100,
        510_000,
        expect![
            "The sessions of today cost $0.51, and the budget for a day is $0.50 (`day_usd` in [budget] of config.toml)."
        ],
    );
}

#[test]
fn a_price_without_a_cached_one_has_no_discount() {
    let price: RawPrice = toml::from_str("input = 1.25\noutput = 10").unwrap();
    let price = price.interpret();
    assert_eq!(price, Price { input: 1_250_000, cached: 1_250_000, output: 10_000_000 });
    let usage = Usage { input_tokens: 1_000_000, cached_tokens: 400_000, output_tokens: 100_000, ..Usage::default() };
    assert_eq!(Price { cached: 125_000, ..price }.of(&usage), 750_000 + 50_000 + 1_000_000);
    assert!(toml::from_str::<RawPrice>("input = -1\noutput = 10").is_err());
}

#[test]
fn a_yes_allows_something_even_where_nothing_was_to_be_used() {
    let budget: Budget = toml::from_str("turn_tokens = 0").unwrap();
    let passed = |tokens, allowed: &[(&'static str, u64)]| {
        let turn = Usage { input_tokens: tokens, ..Usage::default() };
        let allowed = allowed.iter().copied().collect();
        budget.passed(&turn, &Usage::default(), &Usage::default(), &allowed).is_some()
    };
    assert!(passed(0, &[]) && passed(100, &[]));
    assert!(!passed(100, &[("turn_tokens", 100)]) && passed(101, &[("turn_tokens", 100)]));
}
