#!/usr/bin/env bash
# Unpacks packages of Debian 13 into a folder, on whatever Debian this is: .ci/unpack.sh FOLDER PACKAGE…
set -euo pipefail
folder=$1
shift

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$room/lists/partial" "$room/cache/archives/partial"
# The configured Debian mirrors, for the other release.
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
  grep -E "/debian/? $codename " | sort -u |
  sed "s| $codename | trixie |; s|^|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |" >"$room/sources.list"
options=(-qq -o Dir::Etc::SourceList="$room/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$room/lists" -o Dir::Cache="$room/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$room"
apt-get "${options[@]}" download "${@/%//trixie}"
for package in *.deb; do dpkg-deb -x "$package" "$folder"; done
