#!/usr/bin/env bash
# Gives a Debian machine `docker compose` where it has none: the plugin of Debian 13, unpacked, no engine.
set -euo pipefail
docker compose version >/dev/null 2>&1 && exit 0

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$room/lists/partial" "$room/cache/archives/partial"
# The configured Debian mirrors, for the release that ships compose v2.
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
  grep -E "/debian/? $codename " | sort -u |
  sed "s| $codename | trixie |; s|^|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |" >"$room/sources.list"
options=(-qq -o Dir::Etc::SourceList="$room/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$room/lists" -o Dir::Cache="$room/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$room"
apt-get "${options[@]}" download docker-compose/trixie docker-cli/trixie
for package in *.deb; do dpkg-deb -x "$package" root; done
command -v docker >/dev/null || install root/usr/bin/docker /usr/local/bin/docker
install -D root/usr/libexec/docker/cli-plugins/docker-compose /usr/local/lib/docker/cli-plugins/docker-compose
docker compose version
