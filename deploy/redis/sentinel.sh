#!/bin/sh
# Starts one of the Sentinels: sentinel.sh <own host name> <host name of the first primary>.
# The state of a Sentinel, above all the current primary, is kept in its configuration; the rest is written again at each start.
. /etc/redis/users.sh

state=$(grep -E '^sentinel (myid|monitor|(config|leader|current)-epoch|known-(replica|sentinel)) ' /data/sentinel.conf 2>/dev/null) ||
  state="sentinel monitor records $2 6379 2"

# Services may only ask for the address of the primary: somebody who could set another address would receive every record.
cat >/data/sentinel.conf.new <<CONFIGURATION
port 26379
dir /data
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $1
user default on nopass resetkeys resetchannels -@all +ping +info +client|setname +client|setinfo +sentinel|get-master-addr-by-name +sentinel|sentinels
user node on #$(hash "$node_password") allkeys allchannels +@all
sentinel sentinel-user node
sentinel sentinel-pass $node_password
$state
sentinel auth-user records node
sentinel auth-pass records $node_password
sentinel down-after-milliseconds records 2000
sentinel failover-timeout records 10000
sentinel parallel-syncs records 1
CONFIGURATION
mv /data/sentinel.conf.new /data/sentinel.conf
exec redis-server /data/sentinel.conf --sentinel
