#!/usr/bin/env bash
# Kafka and PostgreSQL: ingest beside the source document's stack and a bare producer on the same broker, the time from a 202
# to a decision that knows the event, and how fast a backlog is caught up by 1, 2 and 4 workers. Needs wrk and release builds:
#   cargo build --release && cargo build --release --manifest-path bench/Cargo.toml
# Usage: SOURCE_STACK=FOLDER bench/scale.sh [SECONDS a measurement] [EVENTS of the backlog]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
backlog=${2:-300000}
pilotage=${PILOTAGE_BIN:-target/release/pilotage}
tools=${TOOLS:-bench/target/release}
scratch=$(mktemp -d)
finish() {
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  cargo xtask services --stack bench down >/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT
ulimit -n 20000 2>/dev/null || true

cargo xtask services --stack bench up
eval "$(cargo xtask services --stack bench env)"
export PILOTAGE_LOG=kafka PILOTAGE_STORE=postgres
export PILOTAGE_KAFKA_BROKERS=$PILOTAGE_TEST_KAFKA PILOTAGE_DATABASE_URL=$PILOTAGE_TEST_POSTGRES
# The source document's stack writes to `user_behavior_events`, without our records' form; so does the bare producer.
export PILOTAGE_KAFKA_TOPIC=bench_events PILOTAGE_KAFKA_PARTITIONS=12 PILOTAGE_KAFKA_REPLICATION=1

# role, port
start() {
  "$pilotage" serve --dev --product examples/acme.yaml --data "$scratch" --role "$1" --listen "127.0.0.1:$2" \
    >/dev/null 2>>"$scratch/log" &
  started=$!
  until curl -fs "http://127.0.0.1:$2/readyz" >/dev/null; do sleep 0.1; done
}
metric() { curl -fs "http://127.0.0.1:$1/metrics" | awk -v name="pilotage_$2" '$1 == name {print $2}'; }
# The sum of a metric over worker ports.
sum() { local name=$1 total=0 port; shift; for port; do total=$((total + $(metric "$port" "$name"))); done; echo "$total"; }
caught_up() { [ "$(sum worker_partitions "$@")" = 12 ] && [ "$(sum projection_lag_records "$@")" = 0 ]; }

start ingest 7811; ingest=$started
start decide 7812
"$tools/produce" "$PILOTAGE_TEST_KAFKA" 127.0.0.1:7813 >/dev/null &
if [ -n "${SOURCE_STACK:-}" ]; then
  cp -r "$SOURCE_STACK" "$scratch/source" && (cd "$scratch/source" && npm install --silent >/dev/null)
  (cd "$scratch/source" && NODE_ENV=production KAFKA_BROKERS=$PILOTAGE_TEST_KAFKA PORT=7814 exec node ingest.mjs >/dev/null) &
fi
sleep 2

# name, port, connections
measure() {
  wrk -t2 -c"$3" -d"${seconds}s" --latency --timeout 10s -s bench/event.lua "http://127.0.0.1:$2" | awk -v name="$1" -v c="$3" '
    /50%/ {p50=$2} /99%/ {p99=$2} /Requests\/sec/ {rps=$2} /Non-2xx/ {bad=$NF} /Socket errors/ {socket=$0}
    END {printf "%-10s %5d connections  %9.0f requests/s  p50 %-9s p99 %-9s errors %d %s\n", name, c, rps, p50, p99, bad, socket}'
}
echo "-- single-event ingest, acknowledged by the broker before the answer; nobody folds meanwhile"
for server in 7811 7813; do wrk -t2 -c64 -d2s -s bench/event.lua "http://127.0.0.1:$server" >/dev/null; done
for connections in 64 400 2000; do
  measure producer 7813 "$connections"
  measure pilotage 7811 "$connections"
  [ -z "${SOURCE_STACK:-}" ] || measure source 7814 "$connections"
done

echo "-- from a 202 to a decision that knows the event"
start worker 7821; worker=$started
until caught_up 7821; do sleep 0.5; done
for rate in 1000 5000 10000; do
  "$tools/scale" lag 127.0.0.1:7811 127.0.0.1:7812 "$rate" "$seconds"
  until caught_up 7821; do sleep 0.5; done
done
kill -TERM "$worker"; wait "$worker" || true

echo "-- catching up a backlog of $backlog events"
for count in 1 2 4; do
  "$tools/scale" fill 127.0.0.1:7811 "$backlog"
  ports=$(seq 7821 $((7820 + count))); begun=$(date +%s.%N); workers=()
  for port in $ports; do start worker "$port"; workers+=("$started"); done
  until caught_up $ports; do sleep 0.1; done
  awk -v n="$count" -v events="$backlog" -v from="$begun" -v to="$(date +%s.%N)" \
    'BEGIN {printf "%d worker(s): %.1f s, %.0f events/s, start and taking over included\n", n, to - from, events / (to - from)}'
  kill -TERM "${workers[@]}"; wait "${workers[@]}" || true
done
