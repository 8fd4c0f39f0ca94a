#!/usr/bin/env bash
# Installs what the tests need beside npm, where it is missing: Chromium, Redis, promtool, sqlite3, LemonLDAP::NG, Glewlwyd, docker
# compose and kubectl. Needs root and apt. The tests start their own servers: one that a package starts is stopped again.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v promtool >/dev/null || missing+=(prometheus)
command -v sqlite3 >/dev/null || missing+=(sqlite3)
# The portal loads modules that its package only recommends, besides a whole web server. Newer versions need more of them.
if ! perl -MDBD::SQLite -MLemonldap::NG::Portal::Captcha::SecurityImage -MLemonldap::NG::Portal::Issuer::OpenIDConnect -e1 2>/dev/null ||
  ! command -v starman >/dev/null; then
  missing+=(lemonldap-ng-fastcgi-server liblemonldap-ng-portal-perl starman libdbd-sqlite3-perl libcrypt-jwt-perl libemail-address-xs-perl
    libgd-securityimage-perl libimage-magick-perl libio-string-perl libmime-tools-perl libstring-random-perl)
fi
if ! command -v glewlwyd >/dev/null; then
  echo 'glewlwyd glewlwyd/config_type select No configuration' | debconf-set-selections
  missing+=(glewlwyd dbconfig-no-thanks)
fi
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  for server in redis-server prometheus lemonldap-ng-fastcgi-server glewlwyd; do
    if [[ " ${missing[*]} " == *" $server "* && -d /run/systemd/system ]]; then systemctl stop "$server" || true; fi
  done
fi
bash "$(dirname "$0")/compose-plugin.sh"
bash "$(dirname "$0")/kubectl.sh"
