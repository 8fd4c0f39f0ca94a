#!/usr/bin/env bash
# A Docker engine with compose and BuildKit for a Debian machine without one, from packages of Debian and npm only:
# the engine comes from Debian, and the base images of the Dockerfile and the compose files are built from packages too.
#
#   tools/docker.sh up [IMAGE…]   installs missing packages, starts dockerd, builds missing images
#   tools/docker.sh down          stops the dockerd that `up` started; images stay
#   tools/docker.sh status        shows whether dockerd runs, and the images
#
# Needs root, Debian 12 or later and npm. All files are in $CI_DOCKER_HOME, except for the packages iptables and mmdebstrap and
# links under /usr/local. A running engine is used unchanged: it pulls its images by itself.
set -euo pipefail

read -ra IMAGES <<<"${CI_DOCKER_IMAGES:-node:24-slim redis:8 haproxy:3.0 caddy:2 nginx:1.26}"
DIR=${CI_DOCKER_HOME:-/var/lib/ci-docker}
SOCKET=${CI_DOCKER_SOCKET:-/var/run/docker.sock}  # the default one: plain `docker compose` works
ENGINE_SUITE=${CI_DOCKER_SUITE:-trixie}           # Debian release that has compose v2 and redis 8
START_TIMEOUT=60
export DOCKER_HOST=unix://$SOCKET DOCKER_BUILDKIT=1 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
die() { printf 'docker.sh: %s\n' "$*" >&2; exit 1; }
# Runs a function without output; its first failing command ends it (in the background `set -e` applies even here).
logged() { ("$@") >"$DIR/$1.log" 2>&1 & wait $! || die "$* failed: $(tail -n 15 "$DIR/$1.log")"; }
answers() { docker version --format '{{.Server.Version}}' 2>/dev/null; }
# The pid of our dockerd. It is checked, because a stale file may contain the pid of another process.
our_pid() {
  local pid; pid=$(cat "$DIR/dockerd.pid" 2>/dev/null) || return 1
  [ "$(readlink "/proc/$pid/exe")" = "$DIR/bin/dockerd" ] && echo "$pid"
}

# ---- packages ---------------------------------------------------------------------------

# sources.list lines for Debian release $1, with the mirrors of this machine.
sources() {
  local here; here=$(. /etc/os-release; echo "$VERSION_CODENAME")
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    grep -E "/debian(-security)?/? $here" | sort -u | sed "s/ $here/ $1/; s|^|deb [signed-by=$(keyring)] |"
}
keyring() { ls /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} 2>/dev/null | head -1; }

install_tools() {  # iptables for dockerd, mmdebstrap for the base images
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends iptables mmdebstrap
}

# Debian's engine of $ENGINE_SUITE, unpacked into $DIR and not installed. All of it runs on
# Debian 12's libc except runc, which is therefore taken from this machine's own release.
fetch_engine() {
  local apt=$DIR/apt here deb opt; here=$(. /etc/os-release; echo "$VERSION_CODENAME")
  rm -rf "$apt" "$DIR/bin.new"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$DIR/plugins" "$DIR/bin.new"
  { sources "$ENGINE_SUITE"; sources "$here"; } | sort -u >"$apt/sources.list"
  opt=(-qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
  apt-get "${opt[@]}" update
  cd "$apt/debs"
  apt-get "${opt[@]}" download "runc/$here" \
    {docker.io,docker-cli,containerd,tini,docker-compose,docker-buildx}/"$ENGINE_SUITE"
  for deb in *.deb; do dpkg-deb -x "$deb" "$apt/root"; done
  cd "$apt/root/usr"
  cp libexec/docker/cli-plugins/* "$DIR/plugins/"
  cp bin/{docker,containerd,containerd-shim-runc-v2} sbin/{dockerd,docker-proxy,runc} "$DIR/bin.new/"
  cp bin/tini-static "$DIR/bin.new/docker-init"
  mv "$DIR/bin.new" "$DIR/bin"
  rm -rf "$apt"
}

link_client() {  # `docker`, `docker compose`, `docker buildx` for everyone, where they are missing
  command -v docker >/dev/null || [ -e /usr/local/bin/docker ] || ln -sfn "$DIR/bin/docker" /usr/local/bin/docker
  local p; for p in compose buildx; do
    docker $p version >/dev/null 2>&1 && continue
    mkdir -p /usr/local/lib/docker/cli-plugins
    ln -sfn "$DIR/plugins/docker-$p" "/usr/local/lib/docker/cli-plugins/docker-$p"
  done
}

# ---- daemon -----------------------------------------------------------------------------

start() {
  if our_pid >/dev/null && answers >/dev/null; then say "dockerd $(answers) already runs, pid $(our_pid)"; return; fi
  PATH=$DIR/bin:$PATH setsid "$DIR/bin/dockerd" --host "unix://$SOCKET" --data-root "$DIR/data" \
    --exec-root "$DIR/exec" --pidfile "$DIR/dockerd.pid" >"$DIR/dockerd.log" 2>&1 </dev/null 9>&- &
  local child=$! end=$((SECONDS + START_TIMEOUT))
  until answers >/dev/null; do
    kill -0 "$child" 2>/dev/null || die "dockerd ended: $(tail -n 3 "$DIR/dockerd.log")"
    [ $SECONDS -lt $end ] || die "dockerd does not answer, see $DIR/dockerd.log"
    sleep 0.2
  done
  say "dockerd $(answers) started, pid $(our_pid), $DOCKER_HOST"
}

down() {
  local pid; pid=$(our_pid) || { say "no dockerd of ours is running"; return 0; }
  kill "$pid"   # SIGTERM: dockerd stops its containers and its containerd itself
  local end=$((SECONDS + START_TIMEOUT))
  while kill -0 "$pid" 2>/dev/null; do
    [ $SECONDS -lt $end ] || die "dockerd (pid $pid) did not stop, see $DIR/dockerd.log"
    sleep 0.2
  done
  say "dockerd (pid $pid) stopped; images and volumes stay in $DIR/data"
}

# ---- images -----------------------------------------------------------------------------

have() { docker image inspect "$1" >/dev/null 2>&1; }

ensure() {  # makes image $1 unless it is there
  local ref=$1 begun=$SECONDS suite
  have "$ref" && { say "$ref: present"; return; }
  case $ref in   # the Debian release that it stands on
    redis:8* | *trixie*) suite=trixie ;;   # the first release with these versions
    *bookworm* | node:* | redis:*) suite=bookworm ;;
    *) suite=trixie ;;
  esac
  [ "${ref%:*}" = debian ] || have "debian:$suite-slim" || ensure "debian:$suite-slim"
  logged recipe "$ref" "$suite"
  docker tag ci-docker/new "$ref"; docker rmi ci-docker/new >/dev/null
  say "$ref: made in $((SECONDS - begun)) s, $(docker image inspect -f '{{.Size}}' "$ref" | awk '{printf "%d MB", $1 / 1e6}')"
}

recipe() {
  rm -rf "$DIR/ctx"; mkdir -p "$DIR/ctx/root"
  case $1 in
    debian:*) base "$2" ;;
    node:*) node_image "$2" "${1#*:}" ;;
    redis:*) redis_image "$2" ;;
    haproxy:*) haproxy_image "$2" ;;
    caddy:*) caddy_image "$2" ;;
    nginx:*) nginx_image "$2" ;;
    prom/prometheus:*) prometheus_image "$2" ;;
    *) echo "no recipe for $1 (there is one for debian, node, redis, haproxy, caddy, nginx, prom/prometheus)"; return 1 ;;
  esac
  rm -rf "$DIR/ctx"
}

build() { docker build --progress plain -t ci-docker/new -f - "$DIR/ctx"; }   # Dockerfile on stdin
script() { cat >"$DIR/ctx/root/$1"; chmod 755 "$DIR/ctx/root/$1"; }             # an executable of the image

base() {  # like the official -slim: minimal, no docs or translations, services never start on install
  sources "$1" >"$DIR/ctx/$1.list"
  mmdebstrap --mode=root --variant=minbase --include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --aptopt='Acquire::Languages "none"' \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
    "$1" "$DIR/ctx/rootfs.tar" "$DIR/ctx/$1.list"
  mkdir -p "$DIR"/ctx/root/{usr/sbin,etc/apt/apt.conf.d}
  printf '#!/bin/sh\nexit 101\n' | script usr/sbin/policy-rc.d
  printf '%s "%s";\n' APT::Keep-Downloaded-Packages false Dir::Cache::pkgcache '' Dir::Cache::srcpkgcache '' \
    >"$DIR/ctx/root/etc/apt/apt.conf.d/docker-clean"
  (cd "$DIR/ctx/root" && find . -type f -print0 | tar -rf ../rootfs.tar --owner=0 --group=0 --null -T -)
  docker import -c 'CMD ["bash"]' "$DIR/ctx/rootfs.tar" ci-docker/new
}

npm_setting() { local v; v=$(npm config get "$1" 2>/dev/null); case $v in null | undefined | '') return 1 ;; *) echo "$v" ;; esac; }
npm_unpack() {  # npm package $1 into the image's directory $2
  local tgz; tgz=$(cd "$DIR/ctx" && npm pack --silent "$1" | tail -n 1)
  mkdir -p "$DIR/ctx/root/$2"; tar -xzf "$DIR/ctx/$tgz" --no-same-owner --strip-components=1 -C "$DIR/ctx/root/$2"
}

# Node from its npm package, with npm, corepack and yarn 1 as the official image has them. How this
# machine's npm gets out (registry, proxy, CA file; no credentials) goes into the image as npm's global
# npmrc, so that `npm ci` in any Dockerfile works as it is written.
node_image() {
  local suite=$1 tag=$2 major=${2%%[!0-9]*} local=$DIR/ctx/root/usr/local npm=11 key value env="" extra=libatomic1
  [ "$major" -gt 22 ] || npm=10
  case $tag in *slim) ;; *) extra+=' build-essential ca-certificates curl git procps python3' ;; esac
  npm_unpack "node-linux-$(node -p process.arch)@$major" usr/local
  rm -rf "$local"/{package.json,README.md,share}
  npm_unpack "npm@$npm" usr/local/lib/node_modules/npm
  npm_unpack yarn@1 opt/yarn
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$local/bin/npx"
  ln -s /opt/yarn/bin/yarn.js "$local/bin/yarn"
  if [ "$major" -lt 25 ]; then
    npm_unpack corepack usr/local/lib/node_modules/corepack
    ln -s ../lib/node_modules/corepack/dist/corepack.js "$local/bin/corepack"
  fi
  mkdir -p "$local/etc"
  for key in registry replace-registry-host proxy https-proxy noproxy strict-ssl; do
    if value=$(npm_setting $key); then echo "$key=$value" >>"$local/etc/npmrc"; fi
  done
  if value=$(npm_setting cafile) && [ -r "$value" ]; then
    cp -L "$value" "$local/etc/ca.pem"; env='ENV NODE_EXTRA_CA_CERTS=/usr/local/etc/ca.pem'
    echo cafile=/usr/local/etc/ca.pem >>"$local/etc/npmrc"
  fi
  script usr/local/bin/docker-entrypoint.sh <<'END'
#!/bin/sh
set -e
# An option, an unknown command or a file that is not executable is an argument of node.
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ] || { [ -f "$1" ] && ! [ -x "$1" ]; }; then
  set -- node "$@"
fi
exec "$@"
END
  build <<END
FROM debian:$suite-slim
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
RUN apt-get update && apt-get install -y --no-install-recommends $extra && rm -rf /var/lib/apt/lists/*
COPY root/ /
ENV NODE_VERSION=$("$local/bin/node" -p process.versions.node)
$env
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
END
}

# Redis like the official image: data in /data, the unprivileged user 999, protected mode off unless it is set.
redis_image() {
  script docker-entrypoint.sh <<'END'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ]; then
  case " $* " in
    *' --protected-mode '*) ;;
    *) [ -f "$2" ] && grep -q '^ *protected-mode' "$2" || set -- "$@" --protected-mode no ;;
  esac
  if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
  fi
  [ "$(umask)" != 0022 ] || umask 0077
fi
exec "$@"
END
  mv "$DIR/ctx/root/docker-entrypoint.sh" "$DIR/ctx/docker-entrypoint.sh"
  build <<END
FROM debian:$1-slim
RUN groupadd --system --gid 999 redis && useradd --system --uid 999 --gid redis --home-dir /data redis
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \\
 && mkdir /data && chown redis:redis /data
COPY docker-entrypoint.sh /usr/local/bin/
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
END
}

# HAProxy with the official image's paths and user: /usr/local/etc/haproxy/haproxy.cfg, uid 99.
haproxy_image() {
  build <<END
FROM debian:$1-slim
RUN apt-get update && apt-get install -y --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/* \\
 && groupmod --gid 99 haproxy && usermod --uid 99 haproxy \\
 && mkdir -p /usr/local/etc/haproxy && chown haproxy:haproxy /var/lib/haproxy
WORKDIR /var/lib/haproxy
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
END
}

# Caddy with the official image's paths: /etc/caddy/Caddyfile, state in /data and /config.
caddy_image() {
  build <<END
FROM debian:$1-slim
RUN apt-get update && apt-get install -y --no-install-recommends caddy ca-certificates curl \\
 && rm -rf /var/lib/apt/lists/* && mkdir -p /config/caddy /data/caddy /srv
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
VOLUME /config
VOLUME /data
EXPOSE 80 443 443/udp 2019
WORKDIR /srv
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
END
}

# nginx with the official image's paths: /etc/nginx/conf.d, and no default site.
nginx_image() {
  build <<END
FROM debian:$1-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx \\
 && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/*
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
}

# Prometheus with the official image's paths and user: /etc/prometheus/prometheus.yml, state in /prometheus.
prometheus_image() {
  build <<END
FROM debian:$1-slim
RUN apt-get update && apt-get install -y --no-install-recommends prometheus \\
 && rm -rf /var/lib/apt/lists/* && mkdir /prometheus && chown nobody:nogroup /prometheus
USER nobody
VOLUME /prometheus
EXPOSE 9090
WORKDIR /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
END
}

# ---- commands ---------------------------------------------------------------------------

up() {
  if ! our_pid >/dev/null && answers >/dev/null; then
    say "another dockerd answers on $SOCKET: it is left as it is (CI_DOCKER_SOCKET names another socket)"; return
  fi
  [ "$(id -u)" = 0 ] || die "needs root"
  mkdir -p "$DIR"
  exec 9>"$DIR/lock"; flock 9   # one `up` at a time
  { command -v iptables && command -v mmdebstrap; } >/dev/null || { say "installing iptables, mmdebstrap"; logged install_tools; }
  [ -x "$DIR/bin/dockerd" ] || { say "fetching docker, containerd, compose, buildx ($ENGINE_SUITE)"; logged fetch_engine; }
  link_client
  start
  local ref; for ref in "${@:-${IMAGES[@]}}"; do ensure "$ref"; done
  say "ready: $(docker compose version)"
}

status() {
  local pid ref
  if pid=$(our_pid); then echo "dockerd: running, pid $pid, $DOCKER_HOST"
  elif answers >/dev/null; then echo "dockerd: running on $DOCKER_HOST, not started by this script"
  else echo "dockerd: not running"; return 1; fi
  echo "engine $(answers), $(docker compose version), $(du -sh "$DIR" 2>/dev/null | cut -f1) in $DIR"
  for ref in "${IMAGES[@]}"; do
    printf '%-28s %s\n' "$ref" "$(docker image inspect -f '{{.Id}}' "$ref" 2>/dev/null | cut -c8-19 || true)"
  done
}

case ${1:-} in
  up) shift; up "$@" ;;
  down | status) "$1" ;;
  *) die "usage: $0 up [IMAGE…] | down | status" ;;
esac
