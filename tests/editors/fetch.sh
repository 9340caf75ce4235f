#!/usr/bin/env bash
# Fetches editors of a Debian suite, with that suite's libraries, into a folder: tests/editors/fetch.sh FOLDER SUITE PACKAGE…
# The packages are neovim and emacs-nox, or one of them.
#
# Nothing else of the machine is touched, and no rights are needed. Neither editor has to run on the machine's own C library: FOLDER/nvim
# and FOLDER/emacs start it with its own.
set -euo pipefail
folder=$1 suite=$2 apt=$1/apt
packages=("${@:3}")
sources=/etc/apt/sources.list.d/debian.sources

mirror=$(awk '/^(URIs:|deb )/ { print $2; exit }' "$sources" /etc/apt/sources.list 2>/dev/null || true)
[[ -n $mirror ]] || { echo "apt has no source to fetch from" >&2; exit 1; }
keys=$(awk '/^Signed-By:/ { print $2; exit }' "$sources" 2>/dev/null || true)

mkdir -p "$apt"/{none,lists/partial,state,cache/archives/partial}
: >"$apt/status"
echo "deb [signed-by=${keys:-/usr/share/keyrings/debian-archive-keyring.gpg}] $mirror $suite main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "$apt/none"; Dir::Etc::preferencesparts "$apt/none";
Dir::State "$apt/state"; Dir::State::status "$apt/status"; Dir::State::lists "$apt/lists"; Dir::Cache "$apt/cache";
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; Debug::NoLocking "true"; APT::Sandbox::User "$(id -un)";
Acquire::Languages "none"; Acquire::Retries "3"; APT::Install-Recommends "false";
END
export APT_CONFIG=$apt/apt.conf
apt-get update -qq
apt-get install -qq -y --download-only "${packages[@]}" >/dev/null
for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
rm -rf "$apt"

library=$(dirname "$(find "$folder/usr/lib" -name libc.so.6 -print -quit)")

# starts EDITOR ARGUMENT… : the line that becomes the editor, with the libraries that came with it.
starts() {
    printf '%q ' exec "$(echo "$library"/ld-linux*.so.*)" --library-path "$library" "$folder/usr/bin/$1" "${@:2}"
    echo '"$@"'
}

start_neovim() {
    cat <<END
#!/bin/sh
export VIMRUNTIME='$folder/usr/share/nvim/runtime'
$(starts nvim)
END
}

start_emacs() {
    local lisp own
    lisp=$(echo "$folder"/usr/share/emacs/[0-9]*)
    own=$(echo "$folder"/usr/libexec/emacs/*/*)
    cat <<END
#!/bin/sh
export EMACSPATH='$own' EMACSDATA='$lisp/etc' EMACSDOC='$lisp/etc'
export EMACSLOADPATH='$(find "$lisp/lisp" -type d -printf '%p:')'
export EMACSNATIVELOADPATH='$(echo "$folder"/usr/lib/emacs/*/native-lisp)'
$(starts emacs-nox "--dump-file=$(echo "$own"/*.pdmp)")
END
}

# ready NAME WRITER : makes FOLDER/NAME of what the writer says, and sees that it starts.
ready() {
    "$2" >"$folder/$1"
    chmod +x "$folder/$1"
    "$folder/$1" --version
}

for package in "${packages[@]}"; do
    case $package in
        neovim) ready nvim start_neovim ;;
        emacs-nox) ready emacs start_emacs ;;
    esac
done
