#!/usr/bin/env bash
# How well and how fast the learner learns, beside other libraries' bandits in the same run where PEERS_LEARNING names the folder
# of their harness, PEERS_DATA that of its data and PEERS_PYTHON the interpreter that has them. Needs a release build:
#   cargo build --release --manifest-path bench/Cargo.toml --bin learn
# Usage: PEERS_LEARNING=FOLDER PEERS_DATA=FOLDER PEERS_PYTHON=FILE bench/learn.sh [SEEDS] [INSTALLATIONS]
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-10}
installations=${2:-1000}
learn=${TOOLS:-bench/target/release}/learn
python=${PEERS_PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONPATH=${PEERS_LEARNING:-} OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
names=breast_cancer,mushroom,german,spambase,contraceptive,satimage,marketing,digits,penbased,vowel,letter

peer() { local script=$1; shift; [ -z "${PEERS_LEARNING:-}" ] || "$python" "$PEERS_LEARNING/$script" "$@"; }
# The mean by algorithm of a number in lines of JSON; over sets, of each set's mean.
means() {
  "$python" - "$1" "$2" <<'PYTHON'
import collections, json, sys
by = collections.defaultdict(lambda: collections.defaultdict(list))
for row in map(json.loads, open(sys.argv[1])):
    if sys.argv[2] in row: by[row["alg"]][row.get("data")].append(row[sys.argv[2]])
mean = lambda values: sum(values) / len(values)
for alg, sets in by.items():
    print(f"{mean([mean(v) for v in sets.values()]):.4f}  {alg}", {k: round(mean(v), 3) for k, v in sets.items() if k})
PYTHON
}

echo "-- 1: decisions and updates a second"
"$learn" speed
peer throughput.py "$scratch/speed" vw,gittins
echo "-- 2: the error of propensities"
"$learn" propensity
peer ts_propensity.py
echo "-- 3: looking every day"
"$learn" peeking "$installations"
peer always_valid.py 200
echo "-- 4: late and rare activation, guides that come and go"
"$learn" delayed "$seeds"
pairs="-q pl -q nl -q pi"
vowpal="$python bench/vw_delayed.py"
if "$python" -c "import vowpalwabbit" 2>/dev/null; then
  "$learn" delayed "$seeds" 0 "$vowpal both --squarecb --gamma_scale 100 $pairs" "$vowpal both --epsilon 0 $pairs"
fi
[ -n "${PEERS_LEARNING:-}" ] || exit 0
"$python" bench/learn.py "$scratch" "$seeds"
echo "-- 5: classification sets"
"$learn" sets "$scratch/sets" "$seeds"
peer bandit_loop.py cb "$names" "$seeds" "$scratch/loss" 3000 cb_linucb.25
peer bandit_loop.py vw2 "$names" "$seeds" "$scratch/loss" 3000 vw_softmax20_l2
means "$scratch/loss" loss
echo "-- 6: slates of films"
"$learn" slates "$scratch/slates" "$seeds"
peer ml100k_slates.py "$seeds" "$scratch/films" 'vw_greedy feats+id;vw_squarecb100 feats+id' >/dev/null
means "$scratch/films" reward
