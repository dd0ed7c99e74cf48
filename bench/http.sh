#!/usr/bin/env bash
# Ingest and decide over HTTP beside a bare axum echo (and, where SOURCE_STACK names its folder, the source document's
# stack), in turn on one machine. Needs wrk and oha on the PATH, and release builds:
#   cargo build --release && cargo build --release --manifest-path bench/Cargo.toml
# Usage: bench/http.sh [SECONDS a measurement]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
pilotage=${PILOTAGE_BIN:-target/release/pilotage}
echo_server=${ECHO_BIN:-bench/target/release/echo}
data=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$data"' EXIT
ulimit -n 20000 2>/dev/null || true

"$echo_server" 127.0.0.1:7801 >/dev/null &
"$pilotage" serve --dev --product examples/acme.yaml --data "$data/pilotage" --listen 127.0.0.1:7802 >/dev/null 2>"$data/log" &
pilotage_pid=$!
if [ -n "${SOURCE_STACK:-}" ]; then
  cp -r "$SOURCE_STACK" "$data/source" && (cd "$data/source" && npm install --silent >/dev/null)
  (cd "$data/source" && NODE_ENV=production PORT=7803 exec node ingest.mjs >/dev/null) &
fi
until curl -fs http://127.0.0.1:7802/readyz >/dev/null; do sleep 0.1; done
sleep 1
memory() { awk '/VmRSS/ {printf "%d MiB", $2/1024}' "/proc/$pilotage_pid/status"; }
echo "idle: $(memory) resident, binary $(du -m "$pilotage" | cut -f1) MiB"

# name, port, script, connections
measure() {
  wrk -t2 -c"$4" -d"${seconds}s" --latency --timeout 10s -s "bench/$3.lua" "http://127.0.0.1:$2" | awk -v name="$1" -v c="$4" '
    /50%/ {p50=$2} /99%/ {p99=$2} /Requests\/sec/ {rps=$2} /Non-2xx/ {bad=$NF} /Socket errors/ {socket=$0}
    END {printf "%-10s %5d connections  %9.0f requests/s  p50 %-9s p99 %-9s errors %d %s\n", name, c, rps, p50, p99, bad, socket}'
}
# What a server learns once (users, connections' memory, code) is not what is measured.
warm_up() { for server in 7801 7802; do wrk -t2 -c400 -d2s -s "bench/$1.lua" "http://127.0.0.1:$server" >/dev/null; done; }
echo "-- single-event ingest, durable before the answer"
warm_up event
for connections in 64 400 2000; do
  measure echo 7801 event "$connections"
  measure pilotage 7802 event "$connections"
  [ -z "${SOURCE_STACK:-}" ] || measure source 7803 event "$connections"
done
echo "-- decide, closed loop"
warm_up decide
measure echo 7801 decide 400
measure pilotage 7802 decide 400
echo "-- decide, open loop: 10,000 requests/s over 400 connections, latency corrected"
for server in echo:7801 pilotage:7802; do
  oha --no-tui -z "${seconds}s" -q 10000 -c 400 --latency-correction -m POST \
    -H 'content-type: application/json' -D bench/decide.json "http://127.0.0.1:${server#*:}/api/v1/decisions" 2>/dev/null |
    awk -v name="${server%:*}" '/Requests\/sec/ {rps=$2} /50.00%/ {p50=$3" "$4} /99.00%/ {p99=$3" "$4} /Success rate/ {ok=$3}
      END {printf "%-10s %9.0f requests/s  p50 %s  p99 %s  success %s\n", name, rps, p50, p99, ok}'
done
echo "loaded: $(memory) resident"
