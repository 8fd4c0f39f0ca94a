#!/usr/bin/env bash
# Installs what the tests need beside npm, where it is missing: Chromium, Redis, promtool, sqlite3, docker compose and kubectl.
# Needs root and apt. The tests start their own Redis: a server that the package starts is stopped again.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v promtool >/dev/null || missing+=(prometheus)
command -v sqlite3 >/dev/null || missing+=(sqlite3)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  for server in redis-server prometheus; do
    if [[ " ${missing[*]} " == *" $server "* && -d /run/systemd/system ]]; then systemctl stop "$server" || true; fi
  done
fi
bash "$(dirname "$0")/compose-plugin.sh"
bash "$(dirname "$0")/kubectl.sh"
