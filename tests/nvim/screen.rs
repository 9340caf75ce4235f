//! The stand-in for a screen itself: that it sees what a person would.

use pilotfish_tests::desk::Desk;
use pilotfish_tests::nvim::{Nvim, versions};

#[tokio::test]
async fn what_is_typed_is_drawn_with_its_groups() {
    for version in versions() {
        let desk = Desk::default();
        let nvim = Nvim::start(&desk, &version, 40, 6).await;
        nvim.input("ione 日本<CR>two<Esc>:match Error /two/<CR>").await;
        let screen = nvim.screen().await;
        let expected = "│one 日本\n│two\n 0..3 Error\n│~\n│~\n";
        assert!(screen.with_groups(&["Error"]).starts_with(expected), "{}", screen.with_groups(&["Error"]));
        assert_eq!(screen.cursor(), (1, 2));
        assert_eq!(nvim.mode().await, ("n".to_owned(), false));
        nvim.picture("screen").await;
        nvim.quit().await;
    }
}
