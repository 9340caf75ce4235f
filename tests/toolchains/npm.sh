#!/usr/bin/env bash
# Makes an npm project in the current folder with one locked dependency, and a package store below HOME that holds it.
# What npm would fetch it from is a server on loopback that is gone when this script ends.
set -euo pipefail
published=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$published"' EXIT
mkdir -p "$published/package"
echo '{"name":"tiny","version":"1.0.0"}' >"$published/package/package.json"
echo 'module.exports = () => 42' >"$published/package/index.js"
tar -czf "$published/tiny.tgz" -C "$published" package

python3 - "$published" <<'END' &
import base64, hashlib, http.server, json, os, sys
folder = sys.argv[1]
package = open(f"{folder}/tiny.tgz", "rb").read()
integrity = "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = f"http://127.0.0.1:{self.server.server_port}/tiny/-/tiny-1.0.0.tgz"
        version = {"name": "tiny", "version": "1.0.0", "dist": {"tarball": url, "integrity": integrity}}
        about = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        body = package if self.path.endswith(".tgz") else json.dumps(about).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if self.path.endswith(".tgz") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Registry)
open(f"{folder}/port.new", "w").write(str(server.server_port))
os.rename(f"{folder}/port.new", f"{folder}/port")
server.serve_forever()
END
server=$!
until [[ -e $published/port ]]; do kill -0 "$server"; done

echo '{"name":"project","version":"1.0.0","scripts":{"test":"node test.js"},"dependencies":{"tiny":"1.0.0"}}' >package.json
echo 'if (require("tiny")() !== 42) process.exit(1); console.log("42 it is")' >test.js
npm install --no-audit --no-fund --registry "http://127.0.0.1:$(cat "$published/port")/"
rm -rf node_modules
echo '//registry.example/:_authToken=secret' >"$HOME/.npmrc"
