use super::request;
use crate::path::AbsPath;
use crate::sandbox::Spec;
use crate::sandbox::wire::Protection;
use expect_test::{Expect, expect};
use pilotfish_protocol::Mode;
use std::fmt::Write;
use std::path::Path;

fn spec(mode: Mode, workspace: &str, env: &[(&str, &str)]) -> Spec {
    let workspace = AbsPath::new(workspace).expect("absolute");
    Spec {
        mode,
        cwd: workspace.clone(),
        workspace,
        argv: vec!["make".to_owned(), "all".to_owned()],
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        time_limit: None,
    }
}

/// Shows what is granted where only `existing` and what is below them exists.
fn check(spec: &Spec, existing: &[&str], expected: Expect) {
    let exists = |path: &Path| existing.iter().any(|root| path.starts_with(root));
    // Links are few, and there is one to test with: what is called /link is /data.
    let resolve = |path: &Path| match path.strip_prefix("/link") {
        Ok(below) => Some(Path::new("/data").join(below)),
        Err(_) => exists(path).then(|| path.to_owned()),
    };
    let mut shown = String::new();
    match request(spec, &resolve) {
        Ok(request) => {
            for grant in &request.grants {
                writeln!(shown, "{:?} {}", grant.access, grant.path.display()).expect("a string");
            }
            for folder in &request.private {
                writeln!(shown, "private {}", folder.display()).expect("a string");
            }
            for (name, value) in &request.env {
                writeln!(shown, "{}={}", name.display(), value.display()).expect("a string");
            }
        }
        Err(error) => writeln!(shown, "{error}").expect("a string"),
    }
    expected.assert_eq(&shown);
}

const HOME: &[(&str, &str)] = &[("HOME", "/home/u")];

#[test]
fn read_only_mode_grants_no_writing_but_to_private_folders() {
    check(
        &spec(Mode::ReadOnly, "/home/u/work", HOME),
        &["/usr", "/lib64", "/etc/passwd", "/etc/ssl", "/etc/shadow", "/home/u/.cargo", "/home/u/.ssh", "/home/u/work"],
        expect![[r#"
            Execute /usr
            Execute /lib64
            Read /etc/passwd
            Read /etc/ssl/cert.pem
            Read /etc/ssl/certs
            Read /etc/ssl/openssl.cnf
            Execute /home/u/.cargo/bin
            Execute /home/u/.cargo/registry
            Execute /home/u/.cargo/git
            Write /dev
            Execute /home/u/work
            private /tmp
            private /var/tmp
            private /home/u
            HOME=/home/u
            TMPDIR=/tmp
        "#]],
    );
}

#[test]
fn agent_mode_grants_the_workspace() {
    check(
        &spec(Mode::Agent, "/home/u/work", HOME),
        &["/usr", "/home/u/work"],
        expect![[r#"
        Execute /usr
        Write /dev
        WriteExecute /home/u/work
        private /tmp
        private /var/tmp
        private /home/u
        HOME=/home/u
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn toolchains_are_found_where_their_variables_say() {
    let env = [("HOME", "/home/u"), ("CARGO_HOME", "/srv/cargo"), ("GOPATH", "relative"), ("PYENV_ROOT", "/")];
    check(
        &spec(Mode::Agent, "/w", &env),
        &["/srv/cargo", "/home/u/go"],
        expect![[r#"
        Execute /srv/cargo/bin
        Execute /srv/cargo/registry
        Execute /srv/cargo/git
        Execute /home/u/go/bin
        Execute /home/u/go/pkg/mod
        Write /dev
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /home/u
        CARGO_HOME=/srv/cargo
        GOPATH=relative
        PYENV_ROOT=/
        HOME=/home/u
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn a_place_that_holds_the_home_folder_is_not_shown() {
    check(
        &spec(Mode::Agent, "/w", &[("HOME", "/opt/app/home")]),
        &["/usr", "/opt/app/home/.cargo"],
        expect![[r#"
            Execute /usr
            Execute /opt/app/home/.cargo/bin
            Execute /opt/app/home/.cargo/registry
            Execute /opt/app/home/.cargo/git
            Write /dev
            WriteExecute /w
            private /tmp
            private /var/tmp
            private /opt/app/home
            HOME=/opt/app/home
            TMPDIR=/tmp
        "#]],
    );
}

#[test]
fn a_home_folder_behind_a_link_stays_out_of_sight() {
    let home = [("HOME", "/link/u"), ("PYENV_ROOT", "/data/u")];
    check(
        &spec(Mode::Agent, "/data/u", &home),
        &["/data"],
        expect![[r#"
        cannot confine commands to /data/u: it holds the home folder, and with it keys and passwords; open a folder below it
    "#]],
    );
    check(
        &spec(Mode::Agent, "/data/u/work", &[("HOME", "/link/u"), ("NVM_DIR", "/data")]),
        &["/data"],
        expect![[r#"
        Execute /link/u/.cargo/bin
        Execute /link/u/.cargo/registry
        Execute /link/u/.cargo/git
        Execute /link/u/.rustup/settings.toml
        Execute /link/u/.rustup/toolchains
        Execute /link/u/.rustup/update-hashes
        Execute /data/versions
        Execute /link/u/.nvm/versions
        Execute /link/u/.pyenv
        Execute /link/u/go/bin
        Execute /link/u/go/pkg/mod
        Execute /link/u/.local/go
        Execute /link/u/.jdks
        Execute /link/u/.virtualenvs
        Execute /link/u/.volta/bin
        Execute /link/u/.volta/tools
        Execute /link/u/.bun/bin
        Execute /link/u/.bun/install/cache
        Execute /link/u/.deno/bin
        Execute /link/u/.local/share/pnpm
        Execute /link/u/.sdkman/candidates
        Execute /link/u/.asdf/bin
        Execute /link/u/.asdf/installs
        Execute /link/u/.asdf/lib
        Execute /link/u/.asdf/plugins
        Execute /link/u/.asdf/shims
        Execute /link/u/.local/share/mise/installs
        Execute /link/u/.local/share/mise/shims
        Execute /link/u/.rbenv
        Execute /link/u/.dotnet
        Execute /link/u/.nuget/packages
        Execute /link/u/.fnm/aliases
        Execute /link/u/.fnm/node-versions
        Execute /link/u/.local/bin
        Execute /link/u/.local/lib
        Execute /link/u/.local/share/uv/python
        Execute /link/u/.local/share/uv/tools
        Execute /link/u/.gem/ruby
        Execute /link/u/.m2/repository
        Execute /link/u/.m2/wrapper
        Execute /link/u/.ghcup/bin
        Execute /link/u/.ghcup/ghc
        Execute /link/u/.opam
        Execute /link/u/.elan/bin
        Execute /link/u/.elan/toolchains
        Write /dev
        WriteExecute /data/u/work
        private /tmp
        private /var/tmp
        private /link/u
        NVM_DIR=/data
        HOME=/link/u
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn what_the_workspace_holds_is_granted_once_and_by_the_workspace() {
    let env = [("HOME", "/home/u"), ("VIRTUAL_ENV", "/w/.venv"), ("GOPATH", "/w")];
    check(
        &spec(Mode::Agent, "/w", &env),
        &["/w"],
        expect![[r#"
        Write /dev
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /home/u
        VIRTUAL_ENV=/w/.venv
        GOPATH=/w
        HOME=/home/u
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn without_a_home_folder_there_is_an_empty_one() {
    check(
        &spec(Mode::Agent, "/w", &[]),
        &["/usr"],
        expect![[r#"
        Execute /usr
        Write /dev
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /tmp/home
        HOME=/tmp/home
        TMPDIR=/tmp
    "#]],
    );
    check(
        &spec(Mode::Agent, "/w", &[("HOME", "/")]),
        &["/usr"],
        expect![[r#"
        Execute /usr
        Write /dev
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /tmp/home
        HOME=/tmp/home
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn workspaces_that_hold_too_much_are_refused() {
    for (workspace, expected) in [
        (
            "/",
            expect![[r#"
            cannot confine commands to /: it is the whole machine; open a folder below it
        "#]],
        ),
        (
            "/home",
            expect![[r#"
            cannot confine commands to /home: it holds the home folder, and with it keys and passwords; open a folder below it
        "#]],
        ),
        (
            "/home/u",
            expect![[r#"
            cannot confine commands to /home/u: it holds the home folder, and with it keys and passwords; open a folder below it
        "#]],
        ),
        (
            "/tmp",
            expect![[r#"
            cannot confine commands to /tmp: it holds what other programs keep there; open a folder below it
        "#]],
        ),
        (
            "/run/media",
            expect![[r#"
            cannot confine commands to /run/media: it is a place of the system; open a folder below it
        "#]],
        ),
        (
            "/proc/1",
            expect![[r#"
            cannot confine commands to /proc/1: it is a place of the system; open a folder below it
        "#]],
        ),
    ] {
        check(&spec(Mode::ReadOnly, workspace, HOME), &["/"], expected);
    }
}

#[test]
fn nonsense_is_refused() {
    let good = spec(Mode::Agent, "/w", HOME);
    let elsewhere = AbsPath::new("/w-evil").expect("absolute");
    check(
        &Spec { argv: vec![], ..good.clone() },
        &[],
        expect![[r#"
        there is no command to run
    "#]],
    );
    check(
        &Spec { argv: vec![String::new()], ..good.clone() },
        &[],
        expect![[r#"
        there is no command to run
    "#]],
    );
    check(
        &Spec { argv: vec!["a\0b".to_owned()], ..good.clone() },
        &[],
        expect![[r#"
        an argument holds a zero byte
    "#]],
    );
    check(
        &Spec { cwd: elsewhere, ..good },
        &[],
        expect![[r#"
        cannot start in /w-evil: it is outside the workspace /w
    "#]],
    );
}

#[test]
fn protected_names_are_for_agent_mode_and_outer_ones_come_first() {
    let request_in = |mode| request(&spec(mode, "/w", HOME), &|path| Some(path.to_owned())).expect("a request");
    assert_eq!(request_in(Mode::ReadOnly).protected, vec![]);
    let protected = request_in(Mode::Agent).protected;
    for (index, (name, _)) in protected.iter().enumerate() {
        let above: Vec<_> = name.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()).collect();
        for folder in above {
            let place = protected.iter().position(|(outer, _)| outer == folder);
            assert!(place.is_none_or(|place| place < index), "{} before {}", folder.display(), name.display());
        }
    }
    assert!(protected.contains(&(".git".into(), Protection::Pinned)), "commits must stay possible");
    assert!(protected.contains(&(".git/hooks".into(), Protection::Frozen)));
}
