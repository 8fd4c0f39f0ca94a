#!/bin/sh
# Starts one of the Sentinels: sentinel.sh <own host name> <host name of the first primary>.
# What they learn, above all who is primary, is kept in their configuration; the rest of it is made anew at each start.
. /etc/redis/users.sh

state=$(grep -E '^sentinel (myid|monitor|(config|leader|current)-epoch|known-(replica|sentinel)) ' /data/sentinel.conf 2>/dev/null) ||
  state="sentinel monitor records $2 6379 2"

# Services ask where the primary is and no more: whoever could name another one would be given every record.
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
