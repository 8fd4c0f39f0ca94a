#!/usr/bin/env bash
# Installs `kubectl kustomize` (Kustomize 5) on a Debian machine without it: the client of Debian 13, no cluster.
set -euo pipefail
kubectl version --client 2>/dev/null | grep -q '^Kustomize Version: v5' && exit 0

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
bash "$(dirname "$0")/unpack.sh" "$room" kubectl
install "$room/usr/bin/kubectl" /usr/local/bin/kubectl
kubectl version --client
