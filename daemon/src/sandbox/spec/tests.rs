use super::{Context, request};
use crate::path::AbsPath;
use crate::sandbox::Spec;
use crate::sandbox::wire::{Layer, Strength};
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
        layers: vec![],
        proxy: false,
        grants_paths: vec![],
    }
}

/// An overlay over a folder, of which nothing else is said.
fn layer(lower: &str) -> Layer {
    Layer {
        lower: lower.into(),
        upper: "/state/upper".into(),
        work: "/state/work".into(),
        writable: vec![],
        through: vec![],
    }
}

const OWN: &str = "/home/u/.config/pilotfish";

/// Shows what is granted where only `existing` and what is below them exists.
fn check(spec: &Spec, existing: &[&str], expected: Expect) {
    check_as(Strength::Full, spec, existing, expected);
}

fn check_as(strength: Strength, spec: &Spec, existing: &[&str], expected: Expect) {
    let exists = |path: &Path| existing.iter().any(|root| path.starts_with(root));
    // Links are few, and there is one to test with: what is called /link is /data.
    let resolve = |path: &Path| match path.strip_prefix("/link") {
        Ok(below) => Some(Path::new("/data").join(below)),
        Err(_) => exists(path).then(|| path.to_owned()),
    };
    let mut shown = String::new();
    match request(spec, Context { strength, own: &[OWN.into()], resolve: &resolve }) {
        Ok(request) => {
            for grant in &request.grants {
                writeln!(shown, "{:?} {}", grant.access, grant.path.display()).expect("a string");
            }
            for folder in &request.private {
                writeln!(shown, "private {}", folder.display()).expect("a string");
            }
            for layer in &request.layers {
                writeln!(shown, "layer {} {:?} {:?}", layer.lower.display(), layer.writable, layer.through)
                    .expect("a string");
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
            ThrowAway /home/u/.cargo/registry
            ThrowAway /home/u/.cargo/git
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
fn without_an_overlay_nothing_of_the_workspace_can_be_written() {
    check(
        &spec(Mode::Agent, "/home/u/work", HOME),
        &["/usr", "/home/u/work"],
        expect![[r#"
            Execute /usr
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
fn toolchains_are_found_where_their_variables_say() {
    let env = [("HOME", "/home/u"), ("CARGO_HOME", "/srv/cargo"), ("GOPATH", "relative"), ("PYENV_ROOT", "/")];
    check(
        &spec(Mode::Agent, "/w", &env),
        &["/srv/cargo", "/home/u/go"],
        expect![[r#"
            Execute /srv/cargo/bin
            ThrowAway /srv/cargo/registry
            ThrowAway /srv/cargo/git
            Execute /home/u/go/bin
            ThrowAway /home/u/go/pkg/mod
            Write /dev
            Execute /w
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
            ThrowAway /opt/app/home/.cargo/registry
            ThrowAway /opt/app/home/.cargo/git
            Write /dev
            Execute /w
            private /tmp
            private /var/tmp
            private /opt/app/home
            HOME=/opt/app/home
            TMPDIR=/tmp
        "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "the whole table of stores is shown")]
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
            ThrowAway /link/u/.cargo/registry
            ThrowAway /link/u/.cargo/git
            Execute /link/u/.rustup/settings.toml
            Execute /link/u/.rustup/toolchains
            Execute /link/u/.rustup/update-hashes
            ThrowAway /link/u/.cache/sccache
            Execute /data/versions
            Execute /link/u/.nvm/versions
            Execute /link/u/.volta/bin
            Execute /link/u/.volta/tools
            Execute /link/u/.bun/bin
            ThrowAway /link/u/.bun/install/cache
            Execute /link/u/.deno/bin
            ThrowAway /link/u/.cache/deno
            ThrowAway /link/u/.local/share/pnpm
            ThrowAway /link/u/.cache/pnpm
            ThrowAway /link/u/.npm/_cacache
            ThrowAway /link/u/.npm/_npx
            ThrowAway /link/u/.cache/yarn
            ThrowAway /link/u/.yarn/berry/cache
            ThrowAway /link/u/.cache/node/corepack
            Execute /link/u/.cache/ms-playwright
            Execute /link/u/.cache/Cypress
            Execute /link/u/.cache/puppeteer
            ThrowAway /link/u/.cache/electron
            ThrowAway /link/u/.cache/prisma
            ThrowAway /link/u/.cache/typescript
            Execute /link/u/.fnm/aliases
            Execute /link/u/.fnm/node-versions
            Execute /link/u/.pyenv
            Execute /link/u/.virtualenvs
            Execute /link/u/.local/bin
            Execute /link/u/.local/lib
            Execute /link/u/.local/share/uv/python
            Execute /link/u/.local/share/uv/tools
            Execute /link/u/.local/share/virtualenvs
            Execute /link/u/.local/share/hatch
            ThrowAway /link/u/.cache/uv
            ThrowAway /link/u/.cache/pip
            ThrowAway /link/u/.cache/pypoetry
            ThrowAway /link/u/.cache/pre-commit
            ThrowAway /link/u/.cache/pytest
            ThrowAway /link/u/.cache/matplotlib
            Execute /link/u/miniconda3
            Execute /link/u/miniforge3
            Execute /link/u/go/bin
            ThrowAway /link/u/go/pkg/mod
            ThrowAway /link/u/.cache/go-build
            Execute /link/u/.local/go
            ThrowAway /link/u/.cache/golangci-lint
            ThrowAway /link/u/.cache/gopls
            ThrowAway /link/u/.cache/staticcheck
            Execute /link/u/.jdks
            Execute /link/u/.sdkman/candidates
            Execute /link/u/.m2/wrapper
            ThrowAway /link/u/.m2/repository
            Execute /link/u/.gradle/jdks
            ThrowAway /link/u/.gradle/caches
            ThrowAway /link/u/.gradle/native
            ThrowAway /link/u/.gradle/wrapper
            ThrowAway /link/u/.ivy2/cache
            ThrowAway /link/u/.ivy2/local
            Execute /link/u/.sbt/launchers
            ThrowAway /link/u/.sbt/boot
            ThrowAway /link/u/.cache/coursier
            Execute /link/u/.dotnet
            ThrowAway /link/u/.nuget/packages
            ThrowAway /link/u/.cache/ccache
            ThrowAway /link/u/.ccache
            ThrowAway /link/u/.conan2/p
            ThrowAway /link/u/.cache/zig
            ThrowAway /link/u/.cache/bazelisk
            ThrowAway /link/u/.cache/vcpkg
            Execute /link/u/.rbenv
            Execute /link/u/.gem/ruby
            Execute /link/u/.local/share/gem/ruby
            ThrowAway /link/u/.bundle/cache
            Execute /link/u/.asdf/bin
            Execute /link/u/.asdf/installs
            Execute /link/u/.asdf/lib
            Execute /link/u/.asdf/plugins
            Execute /link/u/.asdf/shims
            Execute /link/u/.local/share/mise/installs
            Execute /link/u/.local/share/mise/shims
            Execute /link/u/.ghcup/bin
            Execute /link/u/.ghcup/ghc
            Execute /link/u/.cabal/bin
            ThrowAway /link/u/.cabal/packages
            ThrowAway /link/u/.cabal/store
            ThrowAway /link/u/.local/state/cabal/store
            Execute /link/u/.stack/programs
            ThrowAway /link/u/.stack/snapshots
            ThrowAway /link/u/.stack/pantry
            Execute /link/u/.opam
            Execute /link/u/.elan/bin
            Execute /link/u/.elan/toolchains
            Execute /link/u/.mix/archives
            Execute /link/u/.mix/elixir
            ThrowAway /link/u/.hex/packages
            ThrowAway /link/u/.cache/rebar3
            ThrowAway /link/u/.cache/composer
            ThrowAway /link/u/.cache/dune
            Execute /link/u/.pub-cache/bin
            Execute /link/u/.pub-cache/global_packages
            ThrowAway /link/u/.pub-cache/git
            ThrowAway /link/u/.pub-cache/hosted
            ThrowAway /link/u/.pub-cache/hosted-hashes
            Execute /link/u/.julia/artifacts
            Execute /link/u/.julia/juliaup
            Execute /link/u/.julia/packages
            Execute /link/u/.julia/registries
            ThrowAway /link/u/.julia/compiled
            Write /dev
            Execute /data/u/work
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
            Execute /w
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
            Execute /w
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
            Execute /w
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
fn the_workspace_can_be_written_through_its_layers_alone() {
    let through =
        Layer { writable: vec!["sub".into(), ".git".into()], through: vec!["sub/target".into()], ..layer("/w") };
    let outside = Layer { upper: "/state/upper1".into(), ..layer("/main/.git") };
    let spec = Spec { layers: vec![outside, through], ..spec(Mode::Agent, "/w/sub", HOME) };
    check(
        &spec,
        &["/w", "/main"],
        expect![[r#"
        Write /dev
        WriteExecute /main/.git
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /home/u
        layer /w ["sub", ".git"] ["sub/target"]
        layer /main/.git [] []
        HOME=/home/u
        TMPDIR=/tmp
    "#]],
    );
    check(
        &Spec { mode: Mode::ReadOnly, ..spec },
        &["/w", "/main"],
        expect![[r#"
        Write /dev
        WriteExecute /main/.git
        WriteExecute /w
        private /tmp
        private /var/tmp
        private /home/u
        layer /w ["sub", ".git"] []
        layer /main/.git [] []
        HOME=/home/u
        TMPDIR=/tmp
    "#]],
    );
}

#[test]
fn a_proxy_is_told_to_programs_and_takes_the_offline_switch_away() {
    let env = [("CARGO_NET_OFFLINE", "true"), ("HOME", "/home/u"), ("GOCACHE", "/gone"), ("PIP_CACHE_DIR", "/there")];
    check(
        &Spec { proxy: true, ..spec(Mode::Agent, "/w", &env) },
        &["/there"],
        expect![[r#"
        Write /dev
        Execute /w
        private /tmp
        private /var/tmp
        private /home/u
        PIP_CACHE_DIR=/there
        HOME=/home/u
        TMPDIR=/tmp
        ALL_PROXY=http://127.0.0.1:61128
        HTTPS_PROXY=http://127.0.0.1:61128
        HTTP_PROXY=http://127.0.0.1:61128
        http_proxy=http://127.0.0.1:61128
        https_proxy=http://127.0.0.1:61128
        NO_PROXY=localhost,127.0.0.1,::1
        no_proxy=localhost,127.0.0.1,::1
    "#]],
    );
}

#[test]
fn where_no_home_can_be_made_the_variables_lead_to_the_stores() {
    let env = [("HOME", "/home/u"), ("RUSTUP_HOME", "/opt/rustup")];
    let spec = Spec { proxy: true, layers: vec![layer("/w")], ..spec(Mode::Agent, "/w", &env) };
    let existing = ["/home/u/.cargo", "/opt/rustup", "/w", "/dev/null", "/proc/meminfo", "/proc/1"];
    check_as(
        Strength::Weak,
        &spec,
        &existing,
        expect![[r#"
        Execute /home/u/.cargo/bin
        Execute /home/u/.cargo/registry
        Execute /home/u/.cargo/git
        Execute /opt/rustup/settings.toml
        Execute /opt/rustup/toolchains
        Execute /opt/rustup/update-hashes
        Write /dev/null
        Read /proc/meminfo
        Execute /w
        RUSTUP_HOME=/opt/rustup
        CARGO_HOME=/home/u/.cargo
    "#]],
    );
}

#[test]
fn a_grant_reaches_neither_keys_nor_our_own_files() {
    for (path, expected) in [
        (
            "/srv/data",
            expect![[r#"
            Write /dev
            WriteExecute /srv/data
            Execute /w
            private /tmp
            private /var/tmp
            private /home/u
            HOME=/home/u
            TMPDIR=/tmp
        "#]],
        ),
        (
            "/home/u/.ssh",
            expect![[r#"
            cannot grant /home/u/.ssh: keys and passwords are kept there
        "#]],
        ),
        (
            "/home/u/.ssh/known_hosts",
            expect![[r#"
            cannot grant /home/u/.ssh/known_hosts: keys and passwords are kept there
        "#]],
        ),
        (
            "/home/u/.cargo",
            expect![[r#"
            cannot grant /home/u/.cargo: keys and passwords are kept there
        "#]],
        ),
        (
            "/home/u/.config/pilotfish/rules.toml",
            expect![[r#"
            cannot grant /home/u/.config/pilotfish/rules.toml: pilotfish keeps its own files there
        "#]],
        ),
        (
            "/home/u/.config",
            expect![[r#"
            cannot grant /home/u/.config: pilotfish keeps its own files there
        "#]],
        ),
        (
            "/home",
            expect![[r#"
            cannot grant /home: pilotfish keeps its own files there
        "#]],
        ),
        (
            "/etc/cron.d",
            expect![[r#"
            cannot grant /etc/cron.d: it is a place of the system
        "#]],
        ),
        (
            "/run/docker.sock",
            expect![[r#"
            cannot grant /run/docker.sock: it is a place of the system
        "#]],
        ),
        (
            "/srv/../etc",
            expect![[r#"
            cannot grant /srv/../etc: it is no plain absolute path
        "#]],
        ),
        (
            "relative",
            expect![[r#"
            cannot grant relative: it is no plain absolute path
        "#]],
        ),
    ] {
        check(&Spec { grants_paths: vec![path.into()], ..spec(Mode::Agent, "/w", HOME) }, &["/srv"], expected);
    }
    let home = [("HOME", "/data/u")];
    check(
        &Spec { grants_paths: vec!["/link/u/.aws".into()], ..spec(Mode::Agent, "/w", &home) },
        &["/data"],
        expect![[r#"
            cannot grant /link/u/.aws: keys and passwords are kept there
        "#]],
    );
}

#[test]
fn a_layer_that_makes_no_sense_is_refused() {
    let with = |layer| Spec { layers: vec![layer], ..spec(Mode::Agent, "/w", HOME) };
    for (layer, expected) in [
        (
            layer("/elsewhere"),
            expect![[r#"
            cannot lay an overlay over /w: none of the overlays stands over it
        "#]],
        ),
        (
            layer("/home/u"),
            expect![[r#"
            cannot confine commands to /home/u: it holds the home folder, and with it keys and passwords; open a folder below it
        "#]],
        ),
        (
            layer("w"),
            expect![[r#"
            cannot lay an overlay over w: it is no plain absolute path
        "#]],
        ),
        (
            Layer { writable: vec!["a/../../x".into()], ..layer("/w") },
            expect![[r#"
            cannot lay an overlay over /w: a part of it is no plain relative path
        "#]],
        ),
        (
            Layer { through: vec!["/etc".into()], ..layer("/w") },
            expect![[r#"
            cannot lay an overlay over /w: a part of it is no plain relative path
        "#]],
        ),
        (
            Layer { upper: "/w/.upper".into(), ..layer("/w") },
            expect![[r#"
            cannot lay an overlay over /w: what is written to it would lie in it
        "#]],
        ),
        (
            Layer { lower: "/w\0".into(), ..layer("/w") },
            expect![[r#"
            a path holds a zero byte
        "#]],
        ),
    ] {
        check(&with(layer), &["/w"], expected);
    }
}

#[test]
fn our_own_files_and_keys_are_no_place_to_work_in() {
    check(
        &spec(Mode::Agent, "/home/u/.config", HOME),
        &["/usr", "/home/u"],
        expect![[r#"
            cannot work in /home/u/.config: pilotfish keeps its own files there; open another folder
        "#]],
    );
    check(
        &spec(Mode::ReadOnly, "/home/u/.config/pilotfish/plans", HOME),
        &["/usr", "/home/u"],
        expect![[r#"
            cannot work in /home/u/.config/pilotfish/plans: pilotfish keeps its own files there; open another folder
        "#]],
    );
    check(
        &spec(Mode::ReadOnly, "/home/u/.ssh", HOME),
        &["/usr", "/home/u"],
        expect![[r#"
            cannot work in /home/u/.ssh: keys and passwords are kept there; open another folder
        "#]],
    );
    check(
        &spec(Mode::ReadOnly, "/home/u/.local/share", HOME),
        &["/usr", "/home/u"],
        expect![[r#"
            cannot work in /home/u/.local/share: keys and passwords are kept there; open another folder
        "#]],
    );
    // What lies beside them is a place like any other, unless an overlay stands over more.
    let mut beside = spec(Mode::Agent, "/home/u/.config/nvim", HOME);
    check(
        &beside,
        &["/home/u/.config"],
        expect![[r#"
            Write /dev
            Execute /home/u/.config/nvim
            private /tmp
            private /var/tmp
            private /home/u
            HOME=/home/u
            TMPDIR=/tmp
        "#]],
    );
    beside.layers = vec![layer("/home/u/.config/nvim"), layer("/home/u/.config/gh")];
    check(
        &beside,
        &["/home/u/.config"],
        expect![[r#"
            cannot work in /home/u/.config/gh: keys and passwords are kept there; open another folder
        "#]],
    );
}

#[test]
fn a_link_to_our_own_files_is_no_place_to_work_in() {
    let mut spec = spec(Mode::Agent, "/link/work", HOME);
    spec.env = vec![("HOME".to_owned(), "/data/projects".to_owned())];
    spec.workspace = AbsPath::new("/link/projects/.ssh").expect("absolute");
    spec.cwd = spec.workspace.clone();
    check(
        &spec,
        &["/data"],
        expect![[r#"
            cannot work in /link/projects/.ssh: keys and passwords are kept there; open another folder
        "#]],
    );
}
