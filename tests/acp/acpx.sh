#!/usr/bin/env bash
# Drives `pilotfish acp` with acpx, a client for the command line. The model behind it is scripted by the test that starts this: see
# tests/e2e/acp_clients.rs. Arguments: acpx's program for node, ours, and a folder with the file a.txt.
set -euo pipefail
acpx=$1 pilotfish=$2 folder=$3
cd "$folder"

ask() { node "$acpx" --agent "$pilotfish acp" --timeout 30 "$@" </dev/null; }

# expect WHAT TEXT… : the text is in the output so far.
expect() {
    local text
    for text in "${@:2}"; do
        grep -qF -- "$text" <<<"$output" || { printf '%s: no "%s" in:\n%s\n' "$1" "$text" "$output" >&2; exit 1; }
    done
}

# It writes the file itself, since it offers to, and asks its own person first.
output=$(ask --approve-all --format json exec --config-option mode=agent "change a.txt")
expect "a one-shot prompt" '"stopReason":"end_turn"' '"sessionUpdate":"tool_call"' '"type":"diff"' 'changed'
[[ $(cat a.txt) == 1 ]] || { echo "a.txt was not changed" >&2; exit 1; }

output=$(ask sessions new)
output=$(ask set-mode agent)
output=$(ask --format text prompt "say hello")
expect "a prompt" "hello" "[done] end_turn"

# Another process stops the turn that this one waits for.
ask --format json prompt "think for ever" >prompt.log 2>&1 &
waiting=$!
grep -qm 1 'I will' < <(tail -n +1 -f --pid="$waiting" prompt.log) ||
    { echo "the prompt ended by itself: $(cat prompt.log)" >&2; exit 1; }
output=$(ask cancel)
wait "$waiting" || true
output=$(cat prompt.log)
expect "a cancelled prompt" '"stopReason":"cancelled"'

output=$(ask sessions list)
expect "the list" "say hello"
output=$(ask sessions close)
echo ok
