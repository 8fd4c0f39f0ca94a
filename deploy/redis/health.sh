#!/bin/sh
# Healthy is a Redis that answers, that has a copy of its primary where it is a replica, and, with `cluster`, whose Cluster has
# an owner for every key: what is up is what can stand a loss.
ask() { redis-cli --user health --pass none --no-auth-warning "$@"; }

[ "$(ask ping)" = PONG ] || exit 1
! ask info replication | grep -q master_link_status:down || exit 1
[ "${1:-}" != cluster ] || ask cluster info | grep -q cluster_state:ok
