use super::*;
use expect_test::{Expect, expect};

fn check(workspace: &str, repository: Option<(&str, &str, &str)>, expected: Expect) {
    let path = |path: &str| AbsPath::new(path).expect("absolute");
    let repository = repository.map(|(work_tree, git_dir, common_dir)| Repository {
        work_tree: path(work_tree),
        git_dir: path(git_dir),
        common_dir: path(common_dir),
    });
    let layers = plan(&path(workspace), &path(workspace), Mode::Agent, repository.as_ref());
    let line = |layer: &LayerPlan| {
        let writable: Vec<_> = layer.writable.iter().map(ToString::to_string).collect();
        format!("{:?} {} writes {}", layer.over, layer.lower, writable.join(" "))
    };
    expected.assert_eq(&layers.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn stands_over_the_work_tree_and_the_repository() {
    check("/none", None, expect!["Tree /none writes /none"]);
    check("/no/w", Some(("/no/w", "/no/w/.git", "/no/w/.git")), expect!["Tree /no/w writes /no/w"]);
    check("/no/w/sub", Some(("/no/w", "/no/w/.git", "/no/w/.git")), expect!["Tree /no/w writes /no/w/sub /no/w/.git"]);
    check(
        "/no/w",
        Some(("/no/w", "/no/m/.git/worktrees/w", "/no/m/.git")),
        expect![[r#"
            Tree /no/w writes /no/w
            GitDir /no/m/.git writes /no/m/.git"#]],
    );
    check(
        "/no/m/s/x",
        Some(("/no/m/s", "/no/m/.git/modules/s", "/no/m/.git/modules/s")),
        expect![[r#"
            Tree /no/m/s writes /no/m/s/x
            GitDir /no/m/.git/modules/s writes /no/m/.git/modules/s"#]],
    );
}
