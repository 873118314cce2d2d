#!/bin/sh
# Calls a URL on new connections until /tmp/stop exists: load.sh URL CALLERS. Exits with 1 if a call failed.
set -u
url=$1
callers=$2

call() {
  calls=0
  failed=0
  while [ ! -e /tmp/stop ]; do
    calls=$((calls + 1))
    if ! answer=$(curl --fail-with-body --silent --show-error --max-time 10 "$url" 2>&1); then
      failed=$((failed + 1))
      echo "$(date -u +%T) $answer"
    fi
  done
  echo "$calls $failed" >"/tmp/caller-$1"
}

caller=0
while [ "$caller" -lt "$callers" ]; do
  caller=$((caller + 1))
  call "$caller" &
done
wait
cat /tmp/caller-* | {
  calls=0
  failed=0
  while read -r more errors; do
    calls=$((calls + more))
    failed=$((failed + errors))
  done
  echo "$calls calls, $failed failed"
  [ "$calls" -gt 0 ] && [ "$failed" -eq 0 ]
}
