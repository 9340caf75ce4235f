#!/usr/bin/env bash
# Makes a Go project in the current folder with one locked dependency, and a module store below HOME that holds it.
set -euo pipefail
published=$(mktemp -d)
trap 'rm -rf "$published"' EXIT
mkdir -p "$published/example.org/tiny/@v"
cd "$published/example.org/tiny/@v"
echo '{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}' >v1.0.0.info
echo 'module example.org/tiny' >v1.0.0.mod
echo v1.0.0 >list
python3 - <<'END'
import zipfile
with zipfile.ZipFile("v1.0.0.zip", "w") as archive:
    archive.writestr("example.org/tiny@v1.0.0/go.mod", "module example.org/tiny\n")
    archive.writestr("example.org/tiny@v1.0.0/tiny.go", "package tiny\n\nfunc Answer() int { return 42 }\n")
END
cd "$OLDPWD"

printf 'module example.org/project\n\ngo 1.18\n\nrequire example.org/tiny v1.0.0\n' >go.mod
cat >project_test.go <<'END'
package project

import (
	"testing"

	"example.org/tiny"
)

func TestAnswer(t *testing.T) {
	if tiny.Answer() != 42 {
		t.Fail()
	}
}
END
export GOPROXY=file://$published GONOSUMDB='*' GOFLAGS=-mod=mod GOCACHE=$published/cache
go mod download example.org/tiny
go mod tidy
