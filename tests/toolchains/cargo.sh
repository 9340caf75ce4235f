#!/usr/bin/env bash
# Makes a cargo project in the current folder with one locked dependency, and a package store below HOME that holds it.
#   cargo.sh STORE LOCK: the store it is copied from, and a lock file that names the dependency and its checksum.
set -euo pipefail
store=$1 lock=$2
name=itoa
entry=$(awk -v RS= -v name="name = \"$name\"" 'index($0, name)' "$lock")
version=$(sed -nE 's/^version = "(.*)"/\1/p' <<<"$entry")

for index in "$store"/registry/index/*/; do
    index=$(basename "$index")
    [[ -e $store/registry/cache/$index/$name-$version.crate ]] || continue
    mkdir -p "$HOME/.cargo/registry/index/$index/.cache/it/oa" "$HOME/.cargo/registry/cache/$index"
    cp "$store/registry/index/$index/config.json" "$HOME/.cargo/registry/index/$index/"
    cp "$store/registry/index/$index/.cache/it/oa/$name" "$HOME/.cargo/registry/index/$index/.cache/it/oa/"
    cp "$store/registry/cache/$index/$name-$version.crate" "$HOME/.cargo/registry/cache/$index/"
done
echo '[registry] token = "a secret"' >"$HOME/.cargo/credentials.toml"

mkdir -p src
cat >Cargo.toml <<END
[package]
name = "project"
version = "0.1.0"
edition = "2021"
[dependencies]
$name = "=$version"
END
printf 'version = 4\n\n%s\n\n[[package]]\nname = "project"\nversion = "0.1.0"\ndependencies = [\n "%s",\n]\n' "$entry" "$name" >Cargo.lock
cat >src/lib.rs <<'END'
#[test]
fn counts() {
    assert_eq!(itoa::Buffer::new().format(42), "42");
}
END
