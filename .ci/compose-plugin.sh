#!/usr/bin/env bash
# Installs `docker compose` on a Debian machine without it: the plugin of Debian 13, no engine.
set -euo pipefail
docker compose version >/dev/null 2>&1 && exit 0

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
bash "$(dirname "$0")/unpack.sh" "$room" docker-compose docker-cli
command -v docker >/dev/null || install "$room/usr/bin/docker" /usr/local/bin/docker
install -D "$room/usr/libexec/docker/cli-plugins/docker-compose" /usr/local/lib/docker/cli-plugins/docker-compose
docker compose version
