#!/usr/bin/env bash
# Projection with a million users of a kilobyte of facts each: load, everyone into memory, live traffic spread evenly,
# kill -9, recovery, start. Needs 4 GiB of memory and 8 GiB of disk for a million users.
# Needs: cargo build --release --manifest-path bench/Cargo.toml
# Usage: bench/project.sh [USERS] [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
users=${1:-1000000}
seconds=${2:-60}
project=${PROJECT_BIN:-bench/target/release/project}
data=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$data"' EXIT
"$project" load "$data" "$users"
"$project" live "$data" "$users" "$seconds"
echo "-- killed under the same traffic, 30 s after everyone is in memory"
"$project" live "$data" "$users" 600 >"$data/told" &
until grep -q "into memory" "$data/told"; do sleep 0.2; done
sleep 30
kill -9 $! && wait $! 2>/dev/null || true
"$project" recover "$data"
echo "-- started again after an orderly stop"
"$project" recover "$data"
