#!/usr/bin/env bash
# Ingest and decide over HTTP beside a bare axum echo (and, where SOURCE_STACK names its folder, the source document's
# stack), in turn on one machine, in several rounds: what counts is the median of the rounds' ratios. Needs wrk and oha on
# the PATH, and release builds:
#   cargo build --release && cargo build --release --manifest-path bench/Cargo.toml
# Usage: bench/http.sh [SECONDS a measurement] [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
rounds=${2:-3}
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

# name, port, script, connections; told, and noted for the medians as: what, name, requests/s, p99 in ms
measure() {
  wrk -t2 -c"$4" -d"${seconds}s" --latency --timeout 10s -s "bench/$3.lua" "http://127.0.0.1:$2" | awk -v name="$1" -v c="$4" -v what="$3 $4" -v noted="$data/noted" '
    function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
    /50%/ {p50=$2} /99%/ {p99=$2} /Requests\/sec/ {rps=$2} /Non-2xx/ {bad=$NF} /Socket errors/ {socket=$0}
    END {printf "%-10s %5d connections  %9.0f requests/s  p50 %-9s p99 %-9s errors %d %s\n", name, c, rps, p50, p99, bad, socket
      printf "%s\t%s\t%s\t%s\n", what, name, rps, ms(p99) >> noted}'
}
# name, port; 10,000 requests/s over 400 connections, latency corrected
open_loop() {
  oha --no-tui -z "${seconds}s" -q 10000 -c 400 --latency-correction -m POST \
    -H 'content-type: application/json' -D bench/decide.json "http://127.0.0.1:$2/api/v1/decisions" 2>/dev/null |
    awk -v name="$1" -v noted="$data/noted" '
      function ms(n, unit) { return unit ~ /^us/ ? n / 1000 : unit ~ /^ms/ ? n : n * 1000 }
      /Requests\/sec/ {rps=$2} /50.00%/ {p50=$3" "$4} /99.00%/ {p99=$3" "$4; tail=ms($3, $4)} /Success rate/ {ok=$3}
      END {printf "%-10s %9.0f requests/s  p50 %s  p99 %s  success %s\n", name, rps, p50, p99, ok
        printf "open loop\t%s\t%s\t%s\n", name, rps, tail >> noted}'
}
# The median over the rounds of our requests/s, and of its ratio to the others' in the same round; the same of p99.
medians() {
  awk -F'\t' '
    function middle(list,   n, values, i, j, held) {
      n = split(list, values, " ")
      for (i = 2; i <= n; i++) { held = values[i] + 0
        for (j = i - 1; j > 0 && values[j] + 0 > held; j--) values[j + 1] = values[j]
        values[j + 1] = held }
      return values[int((n + 1) / 2)] }
    { round[$1, $2]++; rate[$1, $2, round[$1, $2]] = $3; tail[$1, $2, round[$1, $2]] = $4; whats[$1]; names[$2] }
    END { for (what in whats) for (name in names) if ((what, name) in round) { rates = tails = of = at = ""
      for (r = 1; r <= round[what, name]; r++) {
        rates = rates " " rate[what, name, r]; tails = tails " " tail[what, name, r]
        if (rate[what, name, r] > 0) of = of " " rate[what, "pilotage", r] / rate[what, name, r]
        if (tail[what, name, r] > 0) at = at " " tail[what, "pilotage", r] / tail[what, name, r] }
      printf "%-12s %-10s %9.0f requests/s  p99 %8.1f ms  pilotage/it: requests %.3f, p99 %.2f\n", what, name, middle(rates), middle(tails), middle(of), middle(at) } }' "$data/noted" | sort
}
# What a server learns once (users, connections' memory, code) is not what is measured.
warm_up() { for server in 7801 7802; do wrk -t2 -c400 -d2s -s "bench/$1.lua" "http://127.0.0.1:$server" >/dev/null; done; }
echo "-- single-event ingest, durable before the answer"
warm_up event
for round in $(seq "$rounds"); do
  for connections in 64 400 2000; do
    measure echo 7801 event "$connections"
    measure pilotage 7802 event "$connections"
    [ -z "${SOURCE_STACK:-}" ] || measure source 7803 event "$connections"
  done
done
echo "-- decide: closed loop, then open loop at 10,000 requests/s over 400 connections"
warm_up decide
for round in $(seq "$rounds"); do
  measure echo 7801 decide 400
  measure pilotage 7802 decide 400
  open_loop echo 7801
  open_loop pilotage 7802
done
echo "-- medians of $rounds rounds"
medians
echo "loaded: $(memory) resident"
